/** The configuration and the keys of a scene, made as an operator makes them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { CERTIFICATE_FILE } from '../../src/sim/index.js';
import type { AsteriskInstance } from './asterisk.js';
import { runSegy } from './cli.js';
import type { Peer } from './pcap.js';
import { freePortRange } from './ports.js';

export const ALICE = 'sip:alice@mc-a.example';
export const BOB = 'sip:bob@mc-a.example';
export const RADIO_1 = { uri: 'sip:radio1@lmr.example', pbx: '1001' };
export const RADIO_2 = { uri: 'sip:radio2@lmr.example', pbx: '1002' };
/** name of the simulated domain's folder in the scene's */
export const MC_FOLDER = 'mc-a';

const MEDIA_PORTS = 400;

export interface ScenePlan {
  readonly asterisk: AsteriskInstance;
  /** URL of ARI as the gateway shall reach it */
  readonly ariUrl: string;
  /** the gateway's own listeners */
  readonly outer: Peer;
  readonly inner: Peer;
  /** the PBX and the MC system as the gateway shall reach them */
  readonly pbx: Peer;
  readonly mc: Peer;
  readonly protocol: 'udp' | 'tcp';
  /** further settings of the partner's profile */
  readonly partner: Readonly<Record<string, unknown>>;
  /** further top-level settings */
  readonly config: Readonly<Record<string, unknown>>;
}

/** @returns the configuration file */
export async function writeSceneConfig(folder: string, plan: ScenePlan): Promise<string> {
  const at = (name: string): string => join(folder, name);
  const { asterisk, outer, inner } = plan;
  writeFileSync(at('ari.secret'), `${asterisk.ari.password}\n`, { mode: 0o600 });
  mkdirSync(at('state'), { recursive: true, mode: 0o700 });
  const config = {
    stateDir: at('state'),
    masterKeyFile: at('master.key'),
    pbx: {
      type: 'asterisk',
      ari: {
        url: plan.ariUrl,
        username: asterisk.ari.username,
        passwordFile: at('ari.secret'),
        app: asterisk.ari.app,
      },
      sip: { ...plan.pbx, transport: 'udp' },
    },
    inner: {
      address: inner.address,
      sipPort: inner.port,
      mediaPorts: await mediaPorts(inner.address),
      allowedMediaAddresses: [plan.pbx.address],
    },
    outer: {
      mediaAddress: outer.address,
      mediaPorts: await mediaPorts(outer.address),
      listeners: [
        { transport: 'udp', ...outer },
        { transport: 'tcp', ...outer },
      ],
    },
    users: [RADIO_1, RADIO_2],
    partners: [
      {
        name: 'mc-a',
        domains: ['mc-a.example'],
        kmsUris: ['kms.mc-a.example'],
        sip: {
          requestUri: 'sip:mcptt-private@mc-a.example',
          addresses: [{ host: plan.mc.address, port: plan.mc.port, transport: plan.protocol }],
        },
        ...plan.partner,
      },
    ],
    ...plan.config,
  };
  const file = at('segy.yaml');
  writeFileSync(file, stringify(config));
  return file;
}

async function mediaPorts(address: string): Promise<[number, number]> {
  const first = await freePortRange(MEDIA_PORTS, address);
  return [first, first + MEDIA_PORTS - 1];
}

/** Makes both domains and lets each trust the other's KMS certificate, by its fingerprint. */
export function crossSign(folder: string): void {
  const mcFolder = join(folder, MC_FOLDER);
  const ownCertificate = join(folder, 'segy-kms.xml');
  const state = ['--state', join(folder, 'state'), '--master-key', join(folder, 'master.key')];
  const made = segy(
    ...['sim', 'init', '--json', '--domain', mcFolder, '--kms-uri', 'kms.mc-a.example'],
    ...['--mc-domain', 'mc-a.example', '--user', ALICE, BOB],
  );
  const { fingerprint } = JSON.parse(made) as { fingerprint: string };
  segy('kms', 'init', ...state, '--kms-uri', 'kms.lmr.example', '--domain', 'lmr.example');
  segy('kms', 'cert', ...state, '--out', ownCertificate);
  segy(
    ...['kms', 'trust', 'add', join(mcFolder, CERTIFICATE_FILE), ...state],
    ...['--partner', 'mc-a', '--fingerprint', fingerprint],
  );
  segy('sim', 'trust', ownCertificate, '--domain', mcFolder);
}

/** Standard output of a `segy` command that must work. */
function segy(...args: readonly string[]): string {
  const result = runSegy(args);
  if (result.status !== 0) throw new Error(`segy ${args.join(' ')}: ${result.stderr}`);
  return result.stdout;
}
