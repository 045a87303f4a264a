/** `segy kms`: the gateway's own security domain. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Option } from 'commander';
import type { Command } from 'commander';
import { systemRandom } from '../base/environment.js';
import { fromHex, toHex, wipe } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import {
  keySetOf,
  ntp64Hex,
  periodBounds,
  readKmsDocument,
  saveDomain,
  SecurityDomain,
  writeKmsResponse,
  writeSignedKmsCertificate,
  writeSignedKmsResponse,
} from '../kms/index.js';
import type { KmsCertificate, KmsResponse } from '../kms/index.js';
import { createMasterKeyFile } from '../store/index.js';
import { parseInteger, parseTime, writeNewFile } from './arguments.js';
import { addSigningOptions, signerOf, wrappingOf } from './exchange-keys.js';
import type { SigningOptions } from './exchange-keys.js';
import { registerRedirectCommand } from './kms-redirect.js';
import { summaryLines, summaryOf } from './kms-text.js';
import { registerTrustCommands } from './kms-trust.js';
import { print } from './output.js';
import { perform } from './perform.js';
import { addStateOptions } from './state-options.js';
import type { TargetOptions } from './state-options.js';
import { storeExists, withState } from './state.js';

const DAY_MS = 86_400_000;
/** 30 days, the key period of the specification's example. */
const DEFAULT_KEY_PERIOD = '2592000';
const DEFAULT_VALID_DAYS = '1095';

interface Output extends TargetOptions {
  readonly json: boolean;
}

interface InitOptions extends Output {
  readonly kmsUri: string;
  readonly domain: readonly string[];
  readonly keyPeriod: bigint;
  readonly keyOffset: bigint;
  readonly validDays: bigint;
  readonly validFrom?: Date;
  readonly issuer?: string;
  readonly certUri?: string;
}

interface RenewOptions extends Output {
  readonly validDays: bigint;
  readonly validFrom?: Date;
  readonly domain?: readonly string[];
}

interface CertOptions extends Output, SigningOptions {
  readonly out?: string;
}

interface IssueOptions extends Output, SigningOptions {
  readonly transportKey?: string;
  readonly newTransportKey?: string;
  readonly newIntegrityKey?: string;
  readonly period?: bigint;
  readonly at?: Date;
  readonly out?: string;
  readonly reveal: boolean;
}

export function registerKmsCommands(program: Command): void {
  const kms = program
    .command('kms')
    .description('the security domain of this gateway and the certificates it trusts');
  addStateOptions(kms.command('init'))
    .description('make the security domain, and the master key file where there is none')
    .requiredOption('--kms-uri <uri>', 'unique identifier of the new security domain')
    .requiredOption('--domain <name...>', 'MC domains of the users represented')
    .addOption(keyTime('--key-period <seconds>', 'length of a key period', DEFAULT_KEY_PERIOD))
    .addOption(keyTime('--key-offset <seconds>', 'offset of the key periods', '0'))
    .addOption(keyTime('--valid-days <days>', 'validity of the certificate', DEFAULT_VALID_DAYS))
    .addOption(validFromOption())
    .option('--issuer <text>', 'Issuer element of the certificate')
    .option('--cert-uri <uri>', 'CertUri element of the certificate')
    .action(init);
  addSigningOptions(addStateOptions(kms.command('cert')))
    .description('write the certificate for partners, with its fingerprint')
    .option('--out <file>', 'new file for it; otherwise it goes to standard output')
    .action(cert);
  addStateOptions(kms.command('renew'))
    .description('a later certificate for the same keys, valid beside the present one')
    .addOption(keyTime('--valid-days <days>', 'validity of the certificate', DEFAULT_VALID_DAYS))
    .addOption(validFromOption())
    .option('--domain <name...>', 'MC domains, where they change')
    .action(renew);
  addSigningOptions(addStateOptions(kms.command('issue')))
    .description('mint the key set of one identity for one key period')
    .argument('<uri>', 'MC service ID or server URI, exactly as it is hashed')
    .addOption(
      new Option('--period <number>', 'key period number').argParser(parseInteger('--period')),
    )
    .addOption(
      new Option('--at <time>', 'RFC 3339 time within the key period (default: now)')
        .argParser(parseTime('--at'))
        .conflicts('period'),
    )
    .option('--transport-key <name:file>', 'wrap the keys under this TrK (32 octets)')
    .option('--new-transport-key <name:file>', 'send along, under the TrK, the TrK that follows it')
    .option('--new-integrity-key <name:file>', 'send along, under the TrK, the InK that follows')
    .option('--out <file>', 'new file for it, mode 0600')
    .option('--reveal', 'print the secret keys to standard output', false)
    .action(issue);
  kms
    .command('exchange-key')
    .description('make a key to share with a partner (TrK or InK): 32 random octets in a new file')
    .argument('<file>', 'new file for it, mode 0600')
    .option('--json', 'print one JSON object', false)
    .action(makeExchangeKey);
  registerTrustCommands(kms);
  registerRedirectCommand(kms);
}

function keyTime(flags: string, description: string, preset: string): Option {
  const parse = parseInteger(flags);
  return new Option(flags, description).argParser(parse).default(parse(preset), preset);
}

function validFromOption(): Option {
  return new Option(
    '--valid-from <time>',
    'RFC 3339 begin of the validity (default: now)',
  ).argParser(parseTime('--valid-from'));
}

function validityOf(options: { validFrom?: Date; validDays: bigint }, now: number) {
  const validFrom = options.validFrom ?? new Date(now);
  return { validFrom, validTo: new Date(validFrom.getTime() + Number(options.validDays) * DAY_MS) };
}

async function init(options: InitOptions): Promise<void> {
  let masterKeyCreated = false;
  if (options.passphraseFile === undefined && !(await storeExists(options.state))) {
    await mkdir(dirname(options.masterKey), { recursive: true });
    masterKeyCreated = await createMasterKeyFile(options.masterKey, systemRandom);
  }
  const summary = await withState(
    options,
    async ({ store, audit, domain: existing }, environment) => {
      if (existing !== undefined) {
        const { kmsUri } = existing.certificate;
        throw new SegyError('SEGY_E_KMS_EXISTS', `the security domain ${kmsUri} is kept here`);
      }
      const now = environment.clock.now();
      const domain = SecurityDomain.create(
        {
          kmsUri: options.kmsUri,
          domains: options.domain,
          userKeyPeriod: options.keyPeriod,
          userKeyOffset: options.keyOffset,
          ...validityOf(options, now),
          ...(options.issuer !== undefined && { issuer: options.issuer }),
          ...(options.certUri !== undefined && { certUri: options.certUri }),
        },
        environment,
      );
      const made = summaryOf(domain.certificate, now);
      await audit.record({
        action: 'domain-created',
        kmsUri: made.kmsUri,
        fingerprint: made.fingerprint.hex,
      });
      await saveDomain(store.space('domain'), domain, 'create', environment);
      domain.wipe();
      return made;
    },
    true,
  );
  print(
    options.json,
    { ok: true, ...summary, masterKeyFile: options.masterKey, masterKeyCreated },
    () => [
      ...(masterKeyCreated
        ? [`master key made in ${options.masterKey}; without it the store cannot be opened`]
        : []),
      ...summaryLines(summary),
    ],
  );
}

async function cert(options: CertOptions): Promise<void> {
  const signer = await signerOf(options);
  const { xml: unsigned, summary } = await perform('kms/certificate', {}, options);
  const xml = signer ? writeSignedKmsCertificate(certificateIn(unsigned), signer) : unsigned;
  if (options.out !== undefined) await writeNewFile(options.out, xml, 0o644);
  if (options.json) {
    print(true, { ok: true, ...summary, ...(options.out === undefined && { xml }) }, () => []);
  } else if (options.out === undefined) {
    process.stdout.write(xml);
    console.error(summaryLines(summary).join('\n'));
  } else {
    console.log(summaryLines(summary).join('\n'));
  }
}

async function renew(options: RenewOptions): Promise<void> {
  const { validFrom, validDays, domain } = options;
  const summary = await perform(
    'kms/renew',
    {
      ...(validFrom && { validFrom: validFrom.getTime() }),
      validMs: Number(validDays) * DAY_MS,
      ...(domain && { domains: [...domain] }),
    },
    options,
  );
  print(options.json, { ok: true, ...summary }, () => [
    ...summaryLines(summary),
    'The keys are the same: partners may take the new certificate any time before the old one ends.',
  ]);
}

async function issue(uri: string, options: IssueOptions): Promise<void> {
  if ((options.out === undefined) !== options.reveal) {
    throw new SegyError(
      'SEGY_E_USAGE',
      'a key set is secret: name --out FILE, or insist with --reveal',
    );
  }
  const signer = await signerOf(options);
  const { newKeys, ...writing } = await wrappingOf(options);
  const { period, at } = options;
  const issued = await perform(
    'kms/issue',
    {
      uri,
      ...(period !== undefined && { keyPeriodNo: String(period) }),
      ...(at && { at: at.getTime() }),
      ...(newKeys.transportKey && { newTransportKey: newKeys.transportKey.name }),
      ...(newKeys.integrityKey && { newIntegrityKey: newKeys.integrityKey.name }),
    },
    options,
  );
  const certificate = certificateIn(issued.certificate);
  const keyPeriodNo = BigInt(issued.keyPeriodNo);
  const keySet = keySetOf(certificate, uri, keyPeriodNo, {
    rsk: fromHex(issued.keys.rsk),
    ssk: fromHex(issued.keys.ssk),
    pvt: fromHex(issued.keys.pvt),
  });
  const from = periodBounds(certificate, keyPeriodNo).from?.getTime() ?? issued.now;
  const response: KmsResponse = {
    userUri: uri,
    kmsUri: certificate.kmsUri,
    time: new Date(issued.now),
    clientReqUrl: `/keymanagement/identity/v1/keyprov/${encodeURIComponent(uri)}/${ntp64Hex(from)}`,
    message: { kind: 'keyProv', keySets: [keySet], newKeys },
  };
  const xml = signer
    ? writeSignedKmsResponse(response, signer, writing)
    : writeKmsResponse(response, writing);
  wipe(keySet.rsk, keySet.ssk);
  if (options.out !== undefined) await writeNewFile(options.out, xml, 0o600);
  const said = {
    ok: true,
    userUri: uri,
    userId: toHex(keySet.userId),
    keyPeriodNo: issued.keyPeriodNo,
    ...(options.reveal && { xml }),
  };
  if (options.reveal && !options.json) process.stdout.write(xml);
  else {
    print(options.json, said, () => [
      `key set of ${uri} for period ${issued.keyPeriodNo} written to ${options.out ?? '-'}`,
    ]);
  }
}

function certificateIn(xml: string): KmsCertificate {
  const [certificate] = readKmsDocument(xml).certificates;
  if (certificate === undefined) {
    throw new SegyError('SEGY_E_INTERNAL', 'the certificate of the domain cannot be read');
  }
  return certificate;
}

async function makeExchangeKey(file: string, { json }: { json: boolean }): Promise<void> {
  if (!(await createMasterKeyFile(file, systemRandom))) {
    throw new SegyError('SEGY_E_IO', `${file} is there already`);
  }
  print(json, { ok: true, file }, () => [`key made in ${file}; hand it over out of band`]);
}
