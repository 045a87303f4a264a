/**
 * Checks the files that a configuration names: that they are there, can be read, and that no
 * secret among them is empty or open to other users.
 */
import { accessSync, constants, statSync } from 'node:fs';
import type { ConfigFinding } from './load.js';
import { locate } from './load.js';
import type { SegyConfig } from './schema.js';

/** Permission bits that let anybody but the owner read, write or run a file. */
const OTHERS = 0o077;

interface NamedFile {
  readonly path: readonly PropertyKey[];
  readonly file: string;
  readonly secret: boolean;
}

/** Findings for every file that `config` names; `text` is what it was read from, for the lines. */
export function checkReferencedFiles(config: SegyConfig, text: string): ConfigFinding[] {
  return namedFiles(config).flatMap(({ path, file, secret }) => {
    const message = faultOf(file, secret);
    return message === undefined ? [] : [{ ...locate(text, path), message: `${file} ${message}` }];
  });
}

function namedFiles(config: SegyConfig): NamedFile[] {
  const files: NamedFile[] = [
    { path: ['masterKeyFile'], file: config.masterKeyFile, secret: true },
    pbxPassword(config.pbx),
  ];
  for (const [index, { tls }] of config.outer.listeners.entries()) {
    if (tls === undefined) continue;
    const at = ['outer', 'listeners', index, 'tls'];
    files.push({ path: [...at, 'certFile'], file: tls.certFile, secret: false });
    files.push({ path: [...at, 'keyFile'], file: tls.keyFile, secret: true });
    if (tls.caFile !== undefined) {
      files.push({ path: [...at, 'caFile'], file: tls.caFile, secret: false });
    }
  }
  for (const [index, { protection, floor }] of config.partners.entries()) {
    for (const [number, { keyFile }] of (protection?.spks ?? []).entries()) {
      const path = ['partners', index, 'protection', 'spks', number, 'keyFile'];
      files.push({ path, file: keyFile, secret: true });
    }
    for (const [number, { keyFile }] of (floor?.csks ?? []).entries()) {
      const path = ['partners', index, 'floor', 'csks', number, 'keyFile'];
      files.push({ path, file: keyFile, secret: true });
    }
  }
  return files;
}

function pbxPassword(pbx: SegyConfig['pbx']): NamedFile {
  return pbx.type === 'asterisk'
    ? { path: ['pbx', 'ari', 'passwordFile'], file: pbx.ari.passwordFile, secret: true }
    : { path: ['pbx', 'esl', 'passwordFile'], file: pbx.esl.passwordFile, secret: true };
}

function faultOf(file: string, secret: boolean): string | undefined {
  let stat;
  try {
    stat = statSync(file);
    accessSync(file, constants.R_OK);
  } catch {
    return 'cannot be read';
  }
  if (!stat.isFile()) return 'is not a file';
  if (stat.size === 0) return 'is empty';
  if (secret && (stat.mode & OTHERS) !== 0) {
    return `holds a secret and is open to others: chmod 600 ${file}`;
  }
  return undefined;
}
