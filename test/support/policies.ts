/** Every policy a partner can have, each as a partner of its own with an SPK and a group. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { fromHex, toHex } from '../../src/base/bytes.js';
import type { Spk } from '../../src/protect/index.js';
import type { Peer } from './pcap.js';
import { RADIO_1, type PartnerPlan } from './scene-config.js';

export const EAR_POINTS = {
  messageType: 0x91,
  requestIei: 0x70,
  requestIdIei: 0x21,
  requestExpiryIei: 0x22,
};
export const EAR_ROLES = { user: 1, server: 2 };

export interface Policy {
  /** also its partner's name without `mc-` */
  readonly name: string;
  readonly confidentiality: boolean;
  readonly integrity: boolean;
  readonly ear: 'none' | 'implicit' | 'explicit';
  readonly send: {
    readonly confidentiality: boolean;
    readonly integrity: boolean;
    readonly ear: boolean;
  };
}

const isSet = (index: number, bit: number): boolean => ((index >> bit) & 1) === 1;

/** What is demanded in all combinations; what is sent goes through all its own meanwhile. */
export const POLICIES: readonly Policy[] = (['none', 'implicit', 'explicit'] as const).flatMap(
  (ear, first) =>
    [0, 1, 2, 3].map((index) => {
      const sent = 4 * first + index;
      return {
        name: `p${sent}`,
        confidentiality: isSet(index, 0),
        integrity: isSet(index, 1),
        ear,
        send: {
          confidentiality: isSet(sent, 0),
          integrity: isSet(sent, 1),
          ear: isSet(sent, 2),
        },
      };
    }),
);

export interface PolicyPartner {
  readonly policy: Policy;
  readonly peer: Peer;
  /** two users of its domain */
  readonly alice: string;
  readonly bob: string;
  readonly gms: string;
  readonly group: string;
  /** P0 of the keys over what it sends */
  readonly identity: string;
  readonly spk: Spk;
  /** held by the gateway too, and no longer valid */
  readonly expired: Spk;
  readonly plan: PartnerPlan;
}

function spkOf(id: string): Spk {
  const octets = fromHex(id);
  return {
    id: octets,
    keyName: Buffer.from(octets).toString('base64'),
    key: new Uint8Array(randomBytes(16)),
    rand: new Uint8Array(16),
    csId: 6,
    validFrom: 0,
    validTo: Infinity,
    sendFrom: 0,
  };
}

/** Writes the SPKs into `folder`. With `standing` a radio user subscribes and affiliates to the group. */
export function policyPartner(
  policy: Policy,
  peer: Peer,
  folder: string,
  standing = false,
): PolicyPartner {
  const number = policy.name.slice(1).padStart(2, '0');
  const spk = spkOf(`300102${number}`);
  const expired = spkOf(`3001ff${number}`);
  const host = `mc-${policy.name}.example`;
  const group = `sip:police@${host}`;
  const gms = `sip:gms@${host}`;
  const [alice, bob] = [`sip:alice@${host}`, `sip:bob@${host}`];
  const entry = ({ id, key }: Spk, validTo: string) => {
    const keyFile = `${folder}/${toHex(id)}.spk`;
    writeFileSync(keyFile, `${toHex(key)}\n`, { mode: 0o600 });
    const validFrom = '2020-01-01T00:00:00Z';
    return { id: toHex(id), keyFile, rand: '00'.repeat(16), validFrom, validTo };
  };
  const demand = (isDemanded: boolean): string => (isDemanded ? 'required' : 'optional');
  const { confidentiality, integrity, ear } = policy;
  const profile = {
    gms: [gms],
    groups: [
      {
        ...{ id: group, pbx: `${policy.name}-police`, speaker: RADIO_1.uri },
        affiliate: standing ? [RADIO_1.uri] : [],
      },
    ],
    subscription: { enabled: standing },
    affiliation: { mode: standing ? 'publish' : 'configured' },
    limits: { requestsPerSecond: 1000, burst: 1000 },
    protection: {
      spks: [entry(spk, '2099-01-01T00:00:00Z'), entry(expired, '2021-01-01T00:00:00Z')],
      receive: { confidentiality: demand(confidentiality), integrity: demand(integrity) },
      send: {
        confidentiality: policy.send.confidentiality,
        integrity: policy.send.integrity,
      },
      ear: {
        receive: ear,
        send: policy.send.ear,
        codePoints: { ...EAR_POINTS, roles: EAR_ROLES, signature: 'appended' },
        sourceRole: 'user',
        targetRole: 'server',
        acceptRoles: ['user'],
      },
    },
  };
  const name = `mc-${policy.name}` as const;
  const plan = { name, users: [alice, bob], sip: peer, protocol: 'udp', profile } as const;
  const identity = `sip:controlling@${peer.address}`;
  return { policy, peer, alice, bob, gms, group, identity, spk, expired, plan };
}

/** A dialplan by which the radio calls alice of the partner of each policy: extension `pX-alice`. */
export const DIAL_POLICY_PARTNERS = [
  '[from-radio](+)',
  'exten => _pX-alice,1,Set(CALLERID(name)=)',
  ' same => n,Set(EDGE=${PJSIP_CONTACT(${PJSIP_AOR(segy,contact)},uri)})',
  ' same => n,Dial(PJSIP/segy/sip:alice@${EDGE:4}\\;segy-domain=mc-${EXTEN:0:2}.example,60,b(segy-mark^s^1))',
  ' same => n,Hangup(${HANGUPCAUSE})',
  '',
].join('\n');
