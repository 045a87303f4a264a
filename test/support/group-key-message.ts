/** I_MESSAGEs of a simulated GMS, and the MESSAGE that brings one. */
import { systemClock, systemRandom } from '../../src/base/environment.js';
import { uidOf } from '../../src/kms/index.js';
import { makeIMessage, type NewKeyParameters } from '../../src/mikey/index.js';
import type { SimDomain, SipBody } from '../../src/sim/index.js';
import { SipHeaders, type SipRequest } from '../../src/sip/index.js';
import type { TestGmk } from './group-side.js';

export interface GroupKeyMessage {
  readonly domain: SimDomain;
  readonly gms: string;
  readonly group: string;
  /** whom it is for */
  readonly to: string;
  /** default: a key of its own with the identifier 0a000001 */
  readonly key?: TestGmk;
  readonly parameters?: NewKeyParameters;
  /** T; default now */
  readonly at?: Date;
  /** KMSs that it names, where not those of its parties */
  readonly initiatorKms?: string;
  readonly responderKms?: string;
}

export async function groupKeyMessage(o: GroupKeyMessage): Promise<Uint8Array> {
  const { domain, gms, at = new Date() } = o;
  const key = o.key ?? {
    id: Uint8Array.of(0x0a, 0, 0, 1),
    octets: systemRandom(16),
    rand: systemRandom(16),
  };
  const named = <T extends { kmsUri: string }>(certificate: T, kmsUri?: string): T =>
    kmsUri === undefined ? certificate : { ...certificate, kmsUri };
  const initiatorCertificate = named(domain.certificate, o.initiatorKms);
  const keySet = await domain.keySet(gms, at.getTime());
  // a UserID holds the KMS URI that the message names
  const userId = uidOf(initiatorCertificate, gms, keySet.keyPeriodNo);
  return makeIMessage(
    {
      keyType: 'GMK',
      key: key.octets,
      keyId: key.id,
      rand: key.rand,
      initiatorUri: gms,
      initiatorCertificate,
      initiatorKeySet: { ...keySet, userId },
      responderUri: o.to,
      responderCertificate: named(domain.certificateOf(o.to), o.responderKms),
      keyParameters: { groups: [o.group], ...o.parameters },
      timestamp: at,
    },
    { clock: systemClock, slow: domain.slow, random: systemRandom },
  );
}

export interface RequestOutside {
  readonly method: string;
  readonly from: string;
  readonly uri: string;
  /** also its tag, in a Call-ID of its own */
  readonly name: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body: SipBody;
}

/** A request of no dialog. */
export function requestOutside(o: RequestOutside): SipRequest {
  const headers = new SipHeaders([
    ['From', `<${o.from}>;tag=${o.name}`],
    ['To', `<${o.uri}>`],
    ['Call-ID', `outside-${o.name}`],
    ['CSeq', `1 ${o.method}`],
    ['Max-Forwards', '70'],
    ...(o.headers ?? []),
    ['Content-Type', o.body.type],
  ]);
  return { kind: 'request', method: o.method, uri: o.uri, headers, body: o.body.bytes };
}
