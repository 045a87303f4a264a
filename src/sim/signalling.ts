/**
 * Signalling protection as a partner MC system has it: bodies of its INVITEs encrypted and signed
 * under the SPK it shares with the gateway, with an EAR of the calling user, and the same taken off
 * what comes. P0 is the identity in P-Asserted-Identity, or in From without one.
 */
import { concatBytes } from '../base/bytes.js';
import type { Environment } from '../base/environment.js';
import { eccsiSign } from '../crypto/index.js';
import {
  attachEar,
  encodeEar,
  openMessage,
  sealMessage,
  SpkSet,
  type EarCodePoints,
  type Spk,
} from '../protect/index.js';
import { parseNameAddr, SipHeaders } from '../sip/index.js';
import type { SipRequest } from '../sip/index.js';
import type { SipBody } from './call-media.js';
import type { SimDomain } from './domain.js';

/** What the two systems agreed on for EARs. */
export interface SimEar {
  readonly points: EarCodePoints;
  readonly sourceRole: number;
  readonly targetRole: number;
  /** how long the call may last, in seconds; none by default */
  readonly lifetimeSeconds?: number;
}

export interface SimSignallingOptions {
  readonly spk: Pick<Spk, 'id' | 'key'>;
  readonly confidentiality: boolean;
  readonly integrity: boolean;
  readonly ear?: SimEar;
}

export class SimSignalling {
  /** EARs that came, latest last */
  readonly ears: Uint8Array[] = [];
  readonly #options: SimSignallingOptions;
  readonly #spk: Spk;
  readonly #env: Environment;

  constructor(options: SimSignallingOptions, env: Environment) {
    this.#options = options;
    this.#env = env;
    const { id, key } = options.spk;
    this.#spk = {
      id,
      keyName: Buffer.from(id).toString('base64'),
      key,
      rand: new Uint8Array(16),
      csId: 6,
      validFrom: 0,
      validTo: Infinity,
      sendFrom: 0,
    };
  }

  /** A signed EAR for a call; null where none is agreed on. */
  async ear(domain: SimDomain, caller: string, callee: string): Promise<Uint8Array | null> {
    const { ear } = this.#options;
    if (ear === undefined) return null;
    const { clock, random } = this.#env;
    const time = Math.floor(clock.now() / 1000);
    const payload = encodeEar(
      {
        time,
        id: random(16),
        sourceRole: ear.sourceRole,
        sourceId: caller,
        targetRole: ear.targetRole,
        targetId: callee,
        request: {
          type: 2,
          id: null,
          expiry: ear.lifetimeSeconds === undefined ? null : time + ear.lifetimeSeconds,
        },
      },
      ear.points,
    );
    const { userId: id, ssk, pvt } = await domain.keySet(caller);
    const kpak = domain.certificate.pubAuthKey;
    return concatBytes(payload, eccsiSign({ kpak, id, ssk, pvt, message: payload, random }));
  }

  /** `body` protected, as sent by `identity`, with `ear` beside it. */
  seal(body: SipBody, ear: Uint8Array | null, identity: string): SipBody {
    const { confidentiality, integrity } = this.#options;
    const { random } = this.#env;
    const message: SipRequest = {
      kind: 'request',
      method: 'INVITE',
      uri: identity,
      headers: new SipHeaders([['Content-Type', body.type]]),
      body: body.bytes,
    };
    if (ear !== null) attachEar(message, ear, random);
    const host = identity.replace(/^.*@/, '');
    const key = { spk: this.#spk, p0: identity, random };
    sealMessage(message, key, { confidentiality, integrity, host, random });
    return { type: message.headers.get('Content-Type') ?? body.type, bytes: message.body };
  }

  /** Makes the body of a request clear, in place. @throws SegyError SEGY_E_XML*, SEGY_E_SPK_* */
  open(request: SipRequest): void {
    const { headers } = request;
    const [asserted] = headers.list('P-Asserted-Identity');
    const p0 = parseNameAddr(asserted ?? headers.get('From') ?? '').uri;
    const keys = { spks: new SpkSet([this.#spk]), p0, now: this.#env.clock.now() };
    const ear = openMessage(request, keys, this.#options, this.#env.random);
    if (ear !== null) this.ears.push(ear);
  }
}
