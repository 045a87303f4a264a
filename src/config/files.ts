/**
 * Checks the files that a configuration names: that they are there, can be read, and that no
 * secret among them is empty or open to other users.
 */
import { accessSync, constants, statSync } from 'node:fs';
import type { ConfigFinding } from './load.js';
import { locate } from './load.js';
import type { SecurityTokensConfig } from './idm-schema.js';
import type { PartnerConfig } from './partner-schema.js';
import type { SegyConfig } from './schema.js';

/** Permission bits that let anybody but the owner read, write or run a file. */
const OTHERS = 0o077;
/** a credential may carry the service user as an ACL, which shows as group permission */
const CREDENTIAL_OTHERS = 0o007;

/** $CREDENTIALS_DIRECTORY of a systemd service. */
export interface CredentialsFolder {
  readonly path: string;
  /** it holds the master key, so that its file is not read */
  readonly hasMasterKey: boolean;
}

interface NamedFile {
  readonly path: readonly PropertyKey[];
  readonly file: string;
  readonly secret: boolean;
}

/**
 * Findings for every file that `config` names.
 * @param text what `config` was read from, for the lines
 * @param credentials what the service manager gave, where it did
 */
export function checkReferencedFiles(
  config: SegyConfig,
  text: string,
  credentials?: CredentialsFolder,
): ConfigFinding[] {
  return namedFiles(config, credentials?.hasMasterKey === true).flatMap(
    ({ path, file, secret }) => {
      const isCredential = credentials !== undefined && file.startsWith(`${credentials.path}/`);
      const fault = faultOf(file, secret, isCredential ? CREDENTIAL_OTHERS : OTHERS);
      if (fault === undefined) return [];
      const [message, cure] = fault;
      return [{ ...locate(text, path), message: `${file} ${message}`, cure }];
    },
  );
}

function namedFiles(config: SegyConfig, masterByCredential: boolean): NamedFile[] {
  const files: NamedFile[] = [
    pbxPassword(config.pbx),
    ...(masterByCredential
      ? []
      : [{ path: ['masterKeyFile'], file: config.masterKeyFile, secret: true }]),
  ];
  const { tokenFile } = config.console;
  if (tokenFile !== undefined) {
    files.push({ path: ['console', 'tokenFile'], file: tokenFile, secret: true });
  }
  for (const [index, { tls }] of config.outer.listeners.entries()) {
    if (tls === undefined) continue;
    const at = ['outer', 'listeners', index, 'tls'];
    files.push({ path: [...at, 'certFile'], file: tls.certFile, secret: false });
    files.push({ path: [...at, 'keyFile'], file: tls.keyFile, secret: true });
    if (tls.caFile !== undefined) {
      files.push({ path: [...at, 'caFile'], file: tls.caFile, secret: false });
    }
  }
  for (const name of ['certFile', 'keyFile', 'caFile'] as const) {
    const file = config.https?.tls[name];
    if (file === undefined) continue;
    files.push({ path: ['https', 'tls', name], file, secret: name === 'keyFile' });
  }
  for (const name of ['tokenFile', 'caFile'] as const) {
    const file = config.alarms.webhook?.[name];
    if (file === undefined) continue;
    files.push({ path: ['alarms', 'webhook', name], file, secret: name === 'tokenFile' });
  }
  for (const [index, partner] of config.partners.entries()) {
    const { protection, floor, securityTokens } = partner;
    files.push(...httpsFiles(partner, ['partners', index]));
    for (const [number, { keyFile }] of (protection?.spks ?? []).entries()) {
      const path = ['partners', index, 'protection', 'spks', number, 'keyFile'];
      files.push({ path, file: keyFile, secret: true });
    }
    for (const [number, { keyFile }] of (floor?.csks ?? []).entries()) {
      const path = ['partners', index, 'floor', 'csks', number, 'keyFile'];
      files.push({ path, file: keyFile, secret: true });
    }
    files.push(...tokenFiles(securityTokens, ['partners', index, 'securityTokens']));
  }
  return files;
}

function tokenFiles(
  tokens: SecurityTokensConfig | undefined,
  at: readonly PropertyKey[],
): NamedFile[] {
  if (tokens === undefined) return [];
  const named = (['keysFile', 'caFile', 'clientAuthorityFile'] as const).map((name) => ({
    path: [...at, name],
    file: tokens[name],
  }));
  const clients = tokens.clients.map(({ keysFile }, number) => ({
    path: [...at, 'clients', number, 'keysFile'],
    file: keysFile,
  }));
  return [...named, ...clients].flatMap(({ path, file }) =>
    file === undefined ? [] : [{ path, file, secret: false }],
  );
}

/** What a partner's IdM and group documents name. */
function httpsFiles({ idm, groupDocuments }: PartnerConfig, at: NamedFile['path']): NamedFile[] {
  const pins = { idm, groupDocuments };
  const files = (['idm', 'groupDocuments'] as const).flatMap((section) =>
    (['caFile', 'certFile', 'keyFile'] as const).flatMap((name) => {
      const file = pins[section]?.tls[name];
      const path = [...at, section, 'tls', name];
      return file === undefined ? [] : [{ path, file, secret: name === 'keyFile' }];
    }),
  );
  if (idm?.securityToken.from !== 'files') return files;
  const tokens = idm.securityToken.files.map(({ file }, index) => ({
    path: [...at, 'idm', 'securityToken', 'files', index, 'file'],
    file,
    secret: true,
  }));
  return [...files, ...tokens];
}

function pbxPassword(pbx: SegyConfig['pbx']): NamedFile {
  return pbx.type === 'asterisk'
    ? { path: ['pbx', 'ari', 'passwordFile'], file: pbx.ari.passwordFile, secret: true }
    : { path: ['pbx', 'esl', 'passwordFile'], file: pbx.esl.passwordFile, secret: true };
}

/** What is wrong with a file, and what to do. */
function faultOf(
  file: string,
  secret: boolean,
  others: number,
): readonly [string, string] | undefined {
  let stat;
  try {
    stat = statSync(file);
    accessSync(file, constants.R_OK);
  } catch {
    return ['cannot be read', 'make it, readable by the user that segy runs as'];
  }
  if (!stat.isFile()) return ['is not a file', 'name the file itself'];
  if (stat.size === 0) return ['is empty', secret ? 'write the secret into it' : 'put PEM into it'];
  if (secret && (stat.mode & others) !== 0) {
    return ['holds a secret and is open to others', `chmod 600 ${file}`];
  }
  return undefined;
}
