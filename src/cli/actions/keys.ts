/** The key ring and the talkgroups' keys. No action shows a key octet. */
import { z } from 'zod';
import { fromHex, toHex } from '../../base/bytes.js';
import { SegyError } from '../../base/errors.js';
import type { GroupConfig, SegyConfig } from '../../config/index.js';
import type { HeldKey, KeyRing } from '../../keys/index.js';
import { keyView } from '../key-view.js';
import type { KeyView } from '../key-view.js';
import { action } from './action.js';

const oneKey = z.strictObject({ keyId: z.string(), partner: z.string().optional() });

export interface GroupView {
  readonly group: string;
  readonly partner: string;
  readonly pbx: string;
  readonly gms: readonly string[];
  readonly speaker: string | null;
  /** identifier of the GMK that is sent with; null without any */
  readonly sendsWith: string | null;
  readonly keys: readonly KeyView[];
}

export const KEY_ACTIONS = {
  'keys/list': action({
    body: z.strictObject({ partner: z.string().optional(), group: z.string().optional() }),
    changes: false,
    run: async (context, { partner, group }) => {
      const ring = await context.ring();
      const keys = ring
        .list()
        .filter((held) => partner === undefined || held.partner === partner)
        .filter((held) => group === undefined || held.groups.includes(group))
        .map((held) => keyView(held, context.clock.now()));
      return { keys, damaged: [...ring.refused] };
    },
  }),

  'keys/show': action({
    body: oneKey,
    changes: false,
    run: async ({ ring, clock }, { keyId, partner }) => ({
      key: keyView(findKey(await ring(), keyId, partner), clock.now()),
    }),
  }),

  'keys/revoke': action({
    body: oneKey,
    changes: true,
    run: async (context, { keyId, partner }) => {
      const ring = await context.ring();
      const held = findKey(ring, keyId, partner);
      const named = auditOf(held);
      await context.audit.record({ action: 'revoked', ...named, detail: 'by the operator' });
      await ring.revoke(held);
      return named;
    },
  }),

  'keys/forget': action({
    body: oneKey,
    changes: true,
    run: async (context, { keyId, partner }) => {
      const ring = await context.ring();
      const damaged = partner !== undefined && ring.refused.includes(`${partner}/${keyId}`);
      const name = damaged ? { partner, keyId: readKeyId(keyId) } : findKey(ring, keyId, partner);
      await context.audit.record({
        action: 'forgotten',
        keyId,
        partner: name.partner,
        detail: damaged ? 'the record was damaged' : 'by the operator',
      });
      await ring.drop(name);
      return { keyId, partner: name.partner };
    },
  }),

  'group/list': action({
    body: z.strictObject({}),
    changes: false,
    run: async (context) => {
      const ring = await context.ring();
      const now = context.clock.now();
      const partners = context.config?.partners ?? [];
      const groups = partners.flatMap((partner) =>
        partner.groups.map((group) => groupView(partner, group, ring, now)),
      );
      return { groups };
    },
  }),
};

function auditOf({ keyType, keyId, partner }: HeldKey) {
  return { keyType, keyId: toHex(keyId), partner };
}

function readKeyId(text: string): Uint8Array {
  if (!/^[0-9a-f]{8}$/i.test(text)) {
    throw new SegyError('SEGY_E_USAGE', 'a key identifier has 8 hexadecimal digits');
  }
  return fromHex(text);
}

/** @throws SegyError SEGY_E_USAGE, SEGY_E_NOT_FOUND when none or more than one is meant */
function findKey(ring: KeyRing, text: string, partner: string | undefined): HeldKey {
  const wanted = toHex(readKeyId(text));
  const found = ring
    .list()
    .filter((held) => toHex(held.keyId) === wanted)
    .filter((held) => partner === undefined || held.partner === partner);
  const [held] = found;
  if (held === undefined) throw new SegyError('SEGY_E_NOT_FOUND', `no key ${wanted} is held`);
  if (found.length === 1) return held;
  const names = found.map((each) => each.partner).join(', ');
  throw new SegyError('SEGY_E_NOT_FOUND', `several partners have ${wanted}: ${names}; --partner`);
}

function groupView(
  partner: SegyConfig['partners'][number],
  group: GroupConfig,
  ring: KeyRing,
  now: number,
): GroupView {
  const keys = ring
    .list()
    .filter((held) => held.partner === partner.name && held.groups.includes(group.id))
    .map((held) => keyView(held, now));
  const active = ring.ofGroup(partner.name, group.id);
  const sending = active.find((held: HeldKey) => held.keyType === 'GMK');
  return {
    group: group.id,
    partner: partner.name,
    pbx: group.pbx,
    gms: group.gms === undefined ? partner.gms : [group.gms],
    speaker: group.speaker ?? null,
    sendsWith: sending === undefined ? null : keyView(sending, now).keyId,
    keys,
  };
}
