/** Keys for the exchange of KMS documents with a partner: integrity, transport and signing keys. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { SegyError } from '../base/errors.js';
import { readMasterSecret } from '../store/index.js';
import type { NewExchangeKeys, TransportKey } from '../kms/index.js';
import type { TrustedKeys, XmlSigner } from '../xmldsig/index.js';

export interface SigningOptions {
  readonly integrityKey?: string;
  readonly signKey?: string;
  readonly signCert?: string;
}

export interface VerifyingOptions {
  readonly integrityKey?: string;
  readonly signedBy?: readonly string[];
}

export function addSigningOptions(command: Command): Command {
  return command
    .option('--integrity-key <name:file>', 'sign with this InK (32 octets) by HMAC-SHA256')
    .option('--sign-key <file>', 'sign with this P-256 private key (PEM)')
    .option('--sign-cert <file>', 'its X.509 certificate (PEM)');
}

export function addVerifyingOptions(command: Command): Command {
  return command
    .option('--integrity-key <name:file>', 'take it only if this InK signed it')
    .option('--signed-by <file...>', 'take it only if one of these X.509 certificates signed it');
}

/** The signer that the options name; undefined for none. */
export async function signerOf(options: SigningOptions): Promise<XmlSigner | undefined> {
  const { integrityKey, signKey, signCert } = options;
  const given = [integrityKey, signKey].filter((each) => each !== undefined);
  if (given.length > 1 || (signKey === undefined) !== (signCert === undefined)) {
    throw new SegyError(
      'SEGY_E_USAGE',
      'sign with --integrity-key, or with --sign-key and --sign-cert together',
    );
  }
  if (integrityKey !== undefined) {
    const { name, key } = await readNamedKey(integrityKey);
    return { kind: 'hmac', keyName: name, key };
  }
  if (signKey === undefined || signCert === undefined) return undefined;
  try {
    const key = createPrivateKey(await readFile(signKey));
    return { kind: 'ecdsa', key, certificate: new X509Certificate(await readFile(signCert)) };
  } catch (cause) {
    throw new SegyError('SEGY_E_IO', 'the signing key or its certificate cannot be read', {
      cause,
    });
  }
}

/** The keys that the options trust; undefined where a signature is not asked for. */
export async function trustedKeysOf(options: VerifyingOptions): Promise<TrustedKeys | undefined> {
  const { integrityKey, signedBy = [] } = options;
  if (integrityKey === undefined && signedBy.length === 0) return undefined;
  const hmac = new Map<string, Uint8Array>();
  if (integrityKey !== undefined) {
    const { name, key } = await readNamedKey(integrityKey);
    hmac.set(name, key);
  }
  const certificates = await Promise.all(
    signedBy.map(async (path) => [path, await readCertificateKey(path)] as const),
  );
  return { hmac, ecdsa: new Map(certificates) };
}

export interface WrappingOptions {
  readonly transportKey?: string;
  readonly newTransportKey?: string;
  readonly newIntegrityKey?: string;
}

/** The key that wraps what is sent, and those that follow it and the integrity key. */
export async function wrappingOf(
  options: WrappingOptions,
): Promise<{ transportKey?: TransportKey; newKeys: NewExchangeKeys }> {
  const { transportKey, newTransportKey, newIntegrityKey } = options;
  if (transportKey === undefined) {
    if (newTransportKey ?? newIntegrityKey) {
      throw new SegyError('SEGY_E_USAGE', 'a new key goes only under the present --transport-key');
    }
    return { newKeys: {} };
  }
  const present = await readNamedKey(transportKey);
  const newKeys = {
    ...(newTransportKey !== undefined && { transportKey: await readNamedKey(newTransportKey) }),
    ...(newIntegrityKey !== undefined && { integrityKey: await readNamedKey(newIntegrityKey) }),
  };
  if (newKeys.transportKey?.name === present.name) {
    throw new SegyError('SEGY_E_USAGE', 'the new transport key needs a name of its own');
  }
  return { transportKey: present, newKeys };
}

/** A key given as NAME:FILE, the file private and with 32 octets, raw or in hex. */
async function readNamedKey(text: string): Promise<TransportKey> {
  const colon = text.indexOf(':');
  if (colon < 1) throw new SegyError('SEGY_E_USAGE', 'a key is given as NAME:FILE');
  const path = text.slice(colon + 1);
  try {
    const secret = await readMasterSecret({ keyFile: path });
    if (secret.kind === 'key') return { name: text.slice(0, colon), key: secret.key };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace('master ', '') : '';
    throw new SegyError('SEGY_E_IO', reason, { cause });
  }
  throw new SegyError('SEGY_E_IO', `${path} holds no key`);
}

async function readCertificateKey(path: string) {
  try {
    return new X509Certificate(await readFile(path)).publicKey;
  } catch (cause) {
    throw new SegyError('SEGY_E_IO', `${path} is no X.509 certificate`, { cause });
  }
}
