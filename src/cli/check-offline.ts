/**
 * Everything that can be wrong with a configuration on this host without touching the network: what
 * `segy config check --offline` shows, and what `segy run` and a reload refuse.
 */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { toSegyError } from '../base/errors.js';
import {
  checkConfigText,
  checkReferencedFiles,
  checkRules,
  findingsError,
  locate,
} from '../config/index.js';
import type { ConfigFinding, CredentialsFolder, SegyConfig } from '../config/index.js';
import { loadSpks } from '../protect/index.js';
import { checkCertificates } from './check-certificates.js';
import { checkTokenFiles } from './check-tokens.js';
import { readConfigText } from './config-file.js';
import { readKeyFile } from './protection.js';
import { CREDENTIAL_NAME } from './state.js';

export interface OfflineResult {
  /** null while the file itself is wrong */
  readonly config: SegyConfig | null;
  /** nothing runs on a configuration with one of these */
  readonly findings: readonly ConfigFinding[];
  readonly warnings: readonly ConfigFinding[];
}

/** @param now in milliseconds since 1970 */
export function checkOffline(text: string, now: number): OfflineResult {
  const result = checkConfigText(text);
  if (!result.ok) return { config: null, findings: result.findings, warnings: [] };
  const { config } = result;
  const rules = checkRules(config, text);
  const files = checkReferencedFiles(config, text, credentialsFolder());
  const certificates = checkCertificates(config, text, now);
  const named = new Set(files.map(({ path }) => path));
  const keys = checkKeyFiles(config, text, now).filter(({ path }) => !named.has(path));
  const contents = certificates.findings.filter(({ path }) => !named.has(path));
  const tokens = checkTokenFiles(config, text).filter(
    ({ path }) => !files.some((file) => file.path.startsWith(path)),
  );
  const folder = checkStateFolder(config, text);
  const found = [...rules.findings, ...files, ...contents, ...keys, ...tokens, ...folder];
  return {
    config,
    findings: found.sort((a, b) => a.line - b.line),
    warnings: [...rules.warnings, ...certificates.warnings].sort((a, b) => a.line - b.line),
  };
}

/** The configuration of a file that may be run on. @throws SegyError SEGY_E_CONFIG with every finding */
export function requireRunnable(file: string, now: number): SegyConfig {
  const { config, findings } = checkOffline(readConfigText(file), now);
  if (config === null || findings.length > 0) throw findingsError(findings, file);
  return config;
}

function credentialsFolder(): CredentialsFolder | undefined {
  const path = process.env.CREDENTIALS_DIRECTORY;
  return path === undefined
    ? undefined
    : { path, hasMasterKey: existsSync(join(path, CREDENTIAL_NAME)) };
}

/** Key files of partners: what is in them, and whether one is valid now. */
function checkKeyFiles(config: SegyConfig, text: string, now: number): ConfigFinding[] {
  return config.partners.flatMap(({ protection }, index) => {
    if (protection === undefined || protection.spks.length === 0) return [];
    const path = ['partners', index, 'protection', 'spks'];
    const { send } = protection;
    try {
      const set = loadSpks(protection, readKeyFile);
      try {
        if (send.confidentiality || send.integrity) set.forSending(now);
      } finally {
        set.wipe();
      }
      return [];
    } catch (error) {
      const { code, message } = toSegyError(error);
      const cure =
        code === 'SEGY_E_CONFIG'
          ? 'write the key as hexadecimal digits'
          : 'add the SPK that is valid now, or correct validFrom, sendFrom and validTo';
      return [{ ...locate(text, path), message, cure }];
    }
  });
}

function checkStateFolder({ stateDir }: SegyConfig, text: string): ConfigFinding[] {
  const at = locate(text, ['stateDir']);
  const finding = (message: string, cure: string): ConfigFinding[] => [
    { ...at, message: `${stateDir} ${message}`, cure },
  ];
  if (!existsSync(stateDir)) {
    const isInside = existsSync(dirname(stateDir));
    return finding(
      'is not there',
      isInside ? 'make the domain: segy kms init' : 'name another folder',
    );
  }
  const stat = statSync(stateDir);
  if (!stat.isDirectory()) return finding('is no folder', 'name a folder');
  if ((stat.mode & 0o022) !== 0)
    return finding('can be written by others', `chmod 700 ${stateDir}`);
  try {
    accessSync(stateDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return finding('cannot be written', 'give it to the user that segy runs as');
  }
  return [];
}
