import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import type { Context } from 'mocha';
import { skipBecause } from '../support/skip.js';
import type { XmlSigner } from '../../src/xmldsig/index.js';

const FIXTURES = new URL('../../../test/fixtures/xmldsig/', import.meta.url);

export function fixture(name: string): string {
  return readFileSync(new URL(name, FIXTURES), 'utf8');
}

export const HMAC_KEY = new Uint8Array(32).map((_, i) => i + 1);
export const HMAC_SIGNER: XmlSigner = { kind: 'hmac', keyName: 'ink.1', key: HMAC_KEY };

export function operator() {
  const certificate = new X509Certificate(fixture('operator-cert.pem'));
  const key = createPrivateKey(fixture('operator-key.pem'));
  return { certificate, key, signer: { kind: 'ecdsa', key, certificate } satisfies XmlSigner };
}

/** Skips the running test, and says why, where a tool is not installed. */
export function needTool(context: Context, name: string): void {
  if (spawnSync(name, ['--version']).error === undefined) return;
  skipBecause(context, `${name} is not installed, so there is nothing to compare with`);
}

/** Standard output of a tool that has to succeed; its error text is the failure otherwise. */
export function runTool(name: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync(name, args, { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${name} ${args.join(' ')}: ${stderr}`);
  return stdout;
}
