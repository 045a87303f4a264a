/** The configuration and the keys of a scene, made as an operator makes them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { CERTIFICATE_FILE } from '../../src/sim/index.js';
import { runSegy } from './cli.js';
import type { PbxInstance } from './pbx-instance.js';
import type { Peer } from './pcap.js';
import { freePortRange } from './ports.js';

export const ALICE = 'sip:alice@mc-a.example';
export const BOB = 'sip:bob@mc-a.example';
export const RADIO_1 = { uri: 'sip:radio1@lmr.example', pbx: '1001' };
export const RADIO_2 = { uri: 'sip:radio2@lmr.example', pbx: '1002' };
/** user of the second partner */
export const EVE = 'sip:eve@mc-b.example';

/** media ports of the gateway on each side */
export const MEDIA_PORTS = 400;

/** A partner MC system: its name is that of its folder, `<name>.example` its domain. */
export interface PartnerPlan {
  readonly name: `mc-${string}`;
  readonly users: readonly string[];
  /** SIP address as the gateway shall reach it */
  readonly sip: Peer;
  readonly protocol: 'udp' | 'tcp' | 'tls';
  /** further settings of its profile */
  readonly profile: Readonly<Record<string, unknown>>;
}

/** Name in the certificate of a partner's SIP server. */
export function tlsName(partner: string): string {
  return `is-proxy.${partner}.example`;
}

/** The gateway's certificate on the outer side, and who signs those of its partners, in PEM. */
export interface SceneTls {
  readonly ca: string;
  readonly gateway: { readonly cert: string; readonly key: string };
}

export interface ScenePlan {
  readonly instance: PbxInstance;
  /** the PBX's control link as the gateway shall reach it */
  readonly control: Peer;
  /** the gateway's own listeners */
  readonly outer: Peer;
  readonly inner: Peer;
  /** the PBX as the gateway shall reach it */
  readonly pbx: Peer;
  readonly partners: readonly PartnerPlan[];
  /** certificates of the outer side, which then takes TLS only; null for none */
  readonly tls: SceneTls | null;
  /** further top-level settings */
  readonly config: Readonly<Record<string, unknown>>;
}

/** @returns the configuration file */
export async function writeSceneConfig(folder: string, plan: ScenePlan): Promise<string> {
  const at = (name: string): string => join(folder, name);
  const { instance, outer, inner } = plan;
  writeFileSync(at('pbx.secret'), `${instance.password}\n`, { mode: 0o600 });
  mkdirSync(at('state'), { recursive: true, mode: 0o700 });
  const innerPorts = await mediaPorts(inner.address);
  const outerPorts = await mediaPorts(outer.address, innerPorts);
  const config = {
    stateDir: at('state'),
    masterKeyFile: at('master.key'),
    pbx: {
      ...instance.settings(plan.control, at('pbx.secret')),
      sip: { ...plan.pbx, transport: 'udp' },
    },
    inner: {
      address: inner.address,
      sipPort: inner.port,
      mediaPorts: innerPorts,
      allowedMediaAddresses: [plan.pbx.address],
    },
    outer: {
      mediaAddress: outer.address,
      mediaPorts: outerPorts,
      listeners:
        plan.tls === null
          ? [
              { transport: 'udp', ...outer },
              { transport: 'tcp', ...outer },
            ]
          : [{ transport: 'tls', ...outer, tls: writeTlsFiles(folder, plan.tls) }],
    },
    users: [RADIO_1, RADIO_2],
    partners: plan.partners.map(({ name, sip, protocol, profile }) => ({
      name,
      domains: [`${name}.example`],
      kmsUris: [`kms.${name}.example`],
      sip: {
        requestUri: `sip:mcptt-private@${name}.example`,
        addresses: [
          {
            ...{ host: sip.address, port: sip.port, transport: protocol },
            ...(protocol === 'tls' ? { serverName: tlsName(name) } : {}),
          },
        ],
        ...(protocol === 'tls' ? { tlsNames: [tlsName(name)] } : {}),
      },
      ...profile,
    })),
    ...plan.config,
  };
  const file = at('segy.yaml');
  writeFileSync(file, stringify(config, { aliasDuplicateObjects: false }));
  return file;
}

function writeTlsFiles(folder: string, { ca, gateway }: SceneTls): Record<string, string> {
  const [caFile, certFile, keyFile] = ['ca.pem', 'tls.pem', 'tls.key'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  writeFileSync(caFile, ca);
  writeFileSync(certFile, gateway.cert);
  writeFileSync(keyFile, gateway.key, { mode: 0o600 });
  return { caFile, certFile, keyFile };
}

/** A range of ports that is free and shares none with `taken`. */
async function mediaPorts(
  address: string,
  taken?: readonly [number, number],
): Promise<[number, number]> {
  for (;;) {
    const first = await freePortRange(MEDIA_PORTS, address);
    const last = first + MEDIA_PORTS - 1;
    if (taken === undefined || last < taken[0] || first > taken[1]) return [first, last];
  }
}

/** Makes the gateway's domain and the partners', and lets each trust the other's KMS certificate. */
export function crossSign(folder: string, partners: readonly PartnerPlan[]): void {
  const ownCertificate = join(folder, 'segy-kms.xml');
  const state = ['--state', join(folder, 'state'), '--master-key', join(folder, 'master.key')];
  segy('kms', 'init', ...state, '--kms-uri', 'kms.lmr.example', '--domain', 'lmr.example');
  segy('kms', 'cert', ...state, '--out', ownCertificate);
  for (const { name, users } of partners) {
    const domainFolder = join(folder, name);
    const made = segy(
      ...['sim', 'init', '--json', '--domain', domainFolder, '--kms-uri', `kms.${name}.example`],
      ...['--mc-domain', `${name}.example`, '--user', ...users],
    );
    const { fingerprint } = JSON.parse(made) as { fingerprint: string };
    segy(
      ...['kms', 'trust', 'add', join(domainFolder, CERTIFICATE_FILE), ...state],
      ...['--partner', name, '--fingerprint', fingerprint],
    );
    segy('sim', 'trust', ownCertificate, '--domain', domainFolder);
  }
}

/** Standard output of a `segy` command that must work. */
function segy(...args: readonly string[]): string {
  const result = runSegy(args);
  if (result.status !== 0) throw new Error(`segy ${args.join(' ')}: ${result.stderr}`);
  return result.stdout;
}
