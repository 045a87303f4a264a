/** A pseudo GMS over domains whose secrets the test knows, with a sender that only writes down. */
import { equalBytes, fromHex, toHex, wipe } from '../../src/base/bytes.js';
import { silentLog, silentMetrics, systemRandom } from '../../src/base/environment.js';
import type { RecordSpace } from '../../src/base/records.js';
import type { SlowCrypto } from '../../src/crypto/index.js';
import { PseudoGms } from '../../src/gms/index.js';
import type {
  Delivery,
  GmsAudit,
  KeySender,
  OwnRing,
  PseudoGmsOptions,
  SendOutcome,
} from '../../src/gms/index.js';
import type { HeldKey } from '../../src/keys/index.js';
import { periodAt } from '../../src/kms/index.js';
import { makeDomain, NOW, other, own, slow, theirs } from '../clients/support.js';
import { FakeTimers } from '../sip/support/fake-timers.js';
import { memorySpace } from './support.js';

export { makeDomain, NOW, own };
export const GMS_URI = 'sip:gms@lmr.example';
export const DOMAIN_A = theirs;
export const DOMAIN_B = other;
export const SECOND = 1000;

export interface Sent {
  readonly member: string;
  readonly partner: string;
  readonly keyId: string;
  readonly says: string;
  readonly keyType: string;
  readonly message: Uint8Array;
  readonly at: number;
}

export type Answer = (delivery: Delivery) => SendOutcome | Promise<SendOutcome>;

export const DELIVERED: SendOutcome = { kind: 'delivered' };

export function refusedWith(status: number, more: object = {}): SendOutcome {
  const code = 'SEGY_E_SIP_REFUSED';
  return { kind: 'refused', code, status, retryAfterMs: null, redirect: null, ...more };
}

export interface GmsScene {
  readonly gms: PseudoGms;
  readonly timers: FakeTimers;
  readonly sent: Sent[];
  /** exchanges, each the members it was for */
  readonly exchanges: string[][];
  readonly ring: HeldKey[];
  readonly audited: string[];
  answer: Answer;
  /** moves the clock and lets everything due happen */
  advance(ms: number): Promise<void>;
  /** lets everything happen that can */
  rest(): Promise<void>;
}

export interface SceneOptions {
  readonly space?: (namespace: string) => RecordSpace;
  readonly settings?: Partial<PseudoGmsOptions['settings']>;
  readonly routeOf?: KeySender['routeOf'];
  readonly slow?: SlowCrypto;
  readonly audit?: GmsAudit;
  readonly answer?: Answer;
  readonly timers?: FakeTimers;
  readonly certificates?: PseudoGmsOptions['certificates'];
}

const CERTIFICATES = new Map([
  ['kms.mc-a.example', { certificate: theirs.certificate, partner: 'a' }],
  ['kms.mc-b.example', { certificate: other.certificate, partner: 'b' }],
]);

export async function gmsScene(options: SceneOptions = {}): Promise<GmsScene> {
  const space = options.space ?? (await memorySpace());
  const timers = options.timers ?? new FakeTimers();
  if (options.timers === undefined) timers.now = NOW;
  const sent: Sent[] = [];
  const exchanges: string[][] = [];
  const audited: string[] = [];
  const ring = ownRing();
  const gms = await PseudoGms.open({
    spaces: { groups: space('groups'), keys: space('group-keys') },
    identity: {
      uri: GMS_URI,
      certificate: own.certificate,
      keySetAt: (unixMs) => own.issue(GMS_URI, periodAt(own.certificate, unixMs)),
    },
    certificates: options.certificates ?? { find: (kmsUri) => CERTIFICATES.get(kmsUri) },
    ring,
    sender: {
      routeOf: options.routeOf ?? ((delivery) => ({ route: delivery.member, most: 4 })),
      send: async (keys) => {
        exchanges.push(keys.map(({ delivery }) => delivery.member));
        for (const { delivery, keyType, message } of keys) {
          const { member, partner, keyId, says } = delivery;
          sent.push({ member, partner, keyId, says, keyType, message, at: timers.now });
        }
        return await scene.answer(keys[0]!.delivery);
      },
    },
    audit: options.audit ?? {
      record: ({ action, keyId, responder }) => {
        audited.push(`${action} ${keyId} ${responder}`);
        return Promise.resolve();
      },
    },
    slow: options.slow ?? slow,
    settings: {
      activationSeconds: 60,
      removalActivationSeconds: 20,
      overlapSeconds: 10,
      rollSeconds: null,
      lifetimeSeconds: null,
      tellRevoked: true,
      parallel: 2,
      ...options.settings,
    },
    clock: { now: () => timers.now },
    timers,
    random: systemRandom,
    log: silentLog,
    metrics: silentMetrics,
  });
  const rest = async (): Promise<void> => {
    // what a step starts shows itself within a few turns; encapsulation is synchronous here
    for (let quiet = 0; quiet < 12; quiet += 1) {
      const before = sent.length + audited.length;
      await gms.settled();
      await new Promise((resolve) => setImmediate(resolve));
      if (sent.length + audited.length !== before) quiet = 0;
    }
  };
  const scene: GmsScene = {
    gms,
    timers,
    sent,
    exchanges,
    ring: ring.keys,
    audited,
    answer: options.answer ?? (() => DELIVERED),
    rest,
    advance: async (ms) => {
      timers.advance(ms);
      await rest();
    },
  };
  return scene;
}

/** A ring of plain copies. */
function ownRing(): OwnRing & { keys: HeldKey[] } {
  const keys: HeldKey[] = [];
  return {
    keys,
    adopt: (key) => {
      const at = keys.findIndex(
        (held) => held.partner === key.partner && equalBytes(held.keyId, key.keyId),
      );
      const copy = { ...key, key: key.key.slice() };
      if (at < 0) keys.push(copy);
      else keys[at] = copy;
      return Promise.resolve();
    },
    partnersOf: (keyId) =>
      keys.filter((held) => equalBytes(held.keyId, keyId)).map(({ partner }) => partner),
    drop: (keyId) => {
      for (const held of keys.filter((each) => equalBytes(each.keyId, keyId))) {
        wipe(held.key);
        keys.splice(keys.indexOf(held), 1);
      }
      return Promise.resolve();
    },
    isTaken: (keyId) => keys.some((held) => equalBytes(held.keyId, keyId)),
  };
}

/** The key in our own ring. */
export function ringKey(scene: GmsScene, keyId: string): HeldKey {
  const found = scene.ring.find((held) => equalBytes(held.keyId, fromHex(keyId)));
  if (found === undefined) throw new Error(`no ${keyId} among ${scene.ring.map(idOf).join(' ')}`);
  return found;
}

function idOf({ keyId }: HeldKey): string {
  return toHex(keyId);
}
