/**
 * How the keys of our groups leave (TS 33.180 5.7.1): in a NOTIFY where the member or its GMS
 * subscribed, else in a MESSAGE to the member or to its GMS. What answers tells the queue behind it
 * how it goes on; a KMS Redirect Response is read for the operator.
 */
import { createHash } from 'node:crypto';
import { SegyError, toSegyError } from '../../base/errors.js';
import type { PartnerConfig } from '../../config/index.js';
import { adviceOf, readRedirect, REDIRECT_CONTENT_TYPE } from '../../kms/index.js';
import type { RedirectPurpose } from '../../kms/index.js';
import type { SipRequest, SipResponse, SipTarget } from '../../sip/index.js';
import { toHex } from '../../base/bytes.js';
import { bodyOf, contentOf } from '../messages/bodies.js';
import { setServiceHeaders } from '../messages/contact.js';
import type { EdgeDependencies } from '../dependencies.js';
import { buildRequest } from '../messages/dialog.js';
import type { GroupNotifier } from './group-notifier.js';
import { setParts } from './group-subscription.js';
import type { OutgoingKey } from '../ports/home-groups-port.js';
import { keyParts, outgoingPart } from './key-parts.js';
import { MCPTT_INFO_TYPE, writeGmsInfo } from '../messages/mcptt-info.js';
import { partnerTargets } from '../partners/next-hop.js';
import { faultOf, outletTo } from '../partners/protected.js';

/** The next address is tried; the octets are the same, so whoever took them twice has them once. */
const UNREACHED: ReadonlySet<string> = new Set(['SEGY_E_SIP_TRANSPORT', 'SEGY_E_TIMEOUT']);
/** Keys of one member that may travel together: a GMK, an MKFC, and those they replace. */
const MOST_OF_MEMBER = 8;

export interface KeyRedirect {
  readonly purpose: RedirectPurpose | null;
  readonly refusedKmsUri: string | null;
  readonly kmsUri: string | null;
  readonly advice: string;
}

export type KeySendOutcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'unreachable'; readonly code: string }
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly status: number | null;
      readonly retryAfterMs: number | null;
      readonly redirect: KeyRedirect | null;
    };

export class GroupKeySender {
  readonly #deps: EdgeDependencies;
  readonly #gmsUri: string;
  /** who subscribed; without it everything goes in MESSAGEs */
  notifier?: Pick<GroupNotifier, 'subscriptionFor' | 'send'>;

  /** @param gmsUri identity of our GMS */
  constructor(deps: EdgeDependencies, gmsUri: string) {
    this.#deps = deps;
    this.#gmsUri = gmsUri;
  }

  /** Deliveries of one route may travel together, at most so many. */
  routeOf(delivery: OutgoingKey['delivery']): { route: string; most: number } {
    const partner = this.#partner(delivery.partner);
    const subscription = this.notifier?.subscriptionFor(delivery);
    const isToGms =
      subscription === null || subscription === undefined
        ? partner?.distribution.to === 'gms'
        : subscription.users === null;
    if (isToGms) return { route: 'gms', most: partner?.distribution.batch ?? 1 };
    return { route: `member ${delivery.member}`, most: MOST_OF_MEMBER };
  }

  /** Sends keys of one route; never throws. */
  async send(keys: readonly OutgoingKey[], signal: AbortSignal): Promise<KeySendOutcome> {
    const [first] = keys;
    const partner = this.#partner(first?.delivery.partner ?? '');
    if (first === undefined || partner === undefined) {
      return refused('SEGY_E_UNKNOWN_PARTNER', null);
    }
    try {
      const subscription = this.notifier?.subscriptionFor(first.delivery) ?? null;
      if (subscription !== null) {
        const response = (await this.notifier?.send(subscription, keys)) ?? null;
        if (response === null) return cancelled();
        return response.status < 300
          ? takenBy(response)
          : refused('SEGY_E_SIP_REFUSED', response.status);
      }
      return await this.#message(keys, first, partner, signal);
    } catch (error) {
      const { code } = toSegyError(error);
      return { kind: 'unreachable', code };
    }
  }

  async #message(
    keys: readonly OutgoingKey[],
    { delivery }: OutgoingKey,
    partner: PartnerConfig,
    signal: AbortSignal,
  ): Promise<KeySendOutcome> {
    const isToGms = partner.distribution.to === 'gms';
    const isMixed = keys.some((key) => key.delivery.member !== delivery.member);
    // a GMS that subscribed is gone meanwhile: each member is asked for by itself
    if (isMixed && !isToGms) return { kind: 'unreachable', code: 'SEGY_E_SIP_NO_DIALOG' };
    const target = isToGms ? (partner.gms[0] ?? delivery.member) : delivery.member;
    let last = new SegyError('SEGY_E_SIP_TRANSPORT', 'no address of the partner is known');
    for (const address of partnerTargets(partner, this.#deps.addresses)) {
      try {
        const request = this.#request(target, partner, keys);
        await this.#deps.protection?.authenticate(partner, request, this.#gmsUri);
        if (!keys.every((key) => key.isWanted())) return cancelled();
        const response = await this.#ask(request, address, partner, signal);
        this.#deps.addresses.answered(partner, address);
        return outcomeOf(response, partner);
      } catch (error) {
        last = toSegyError(error);
        if (!UNREACHED.has(last.code)) break;
        this.#deps.addresses.unreached(partner, address);
      }
    }
    throw last;
  }

  #request(target: string, partner: PartnerConfig, keys: readonly OutgoingKey[]): SipRequest {
    const { settings, env } = this.#deps;
    const random = (): string => toHex(env.random(16));
    const uri =
      partner.distribution.requestUri ?? (/^sips?:/.test(target) ? target : partner.sip.requestUri);
    const request = buildRequest({
      method: 'MESSAGE',
      cseq: 1,
      // what is sent again, even after a crash, is told by its Call-ID
      callId: digestOf(keys),
      from: `<${settings.outer.identity}>;tag=${random()}`,
      to: `<${uri}>`,
      remoteTarget: uri,
      routeSet: [],
    });
    setServiceHeaders(request, settings.outer.identity);
    const info = outgoingPart(MCPTT_INFO_TYPE, writeGmsInfo(this.#gmsUri, target));
    setParts(request, [info, ...keyParts(keys, partner)], env.random);
    return request;
  }

  #ask(
    request: SipRequest,
    target: SipTarget,
    partner: PartnerConfig,
    signal: AbortSignal,
  ): Promise<SipResponse> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void =>
        reject(new SegyError('SEGY_E_CANCELLED', 'the gateway is stopping'));
      if (signal.aborted) {
        onAbort();
        return;
      }
      signal.addEventListener('abort', onAbort, { once: true });
      const transaction = outletTo(this.#deps, partner).request(request, target);
      transaction.onFinal = (response) => {
        signal.removeEventListener('abort', onAbort);
        resolve(response);
      };
      transaction.onError = (error) => {
        signal.removeEventListener('abort', onAbort);
        reject(error);
      };
    });
  }

  #partner(name: string): PartnerConfig | undefined {
    return this.#deps.partners.find((partner) => partner.name === name);
  }
}

function outcomeOf(response: SipResponse, partner: PartnerConfig): KeySendOutcome {
  const { status } = response;
  if (status < 300) return takenBy(response);
  if (status === 408) return { kind: 'unreachable', code: 'SEGY_E_SIP_TRANSPORT' };
  const seconds = /^\s*(\d{1,6})/.exec(response.headers.get('Retry-After') ?? '')?.[1];
  return {
    kind: 'refused',
    code: 'SEGY_E_SIP_REFUSED',
    status,
    retryAfterMs: seconds === undefined ? null : 1000 * Number(seconds),
    redirect: redirectOf(response, partner),
  };
}

/** A 2xx whose body does not open says nothing of the keys. */
function takenBy(response: SipResponse): KeySendOutcome {
  const fault = faultOf(response);
  return fault === null ? { kind: 'delivered' } : refused(fault, response.status);
}

/** What a KMS Redirect Response says (TS 33.180 5.2.8); null where there is none that can be read. */
function redirectOf(response: SipResponse, partner: PartnerConfig): KeyRedirect | null {
  try {
    const xml = contentOf(bodyOf(response), REDIRECT_CONTENT_TYPE);
    if (xml === null) return null;
    const redirect = readRedirect(xml, partner.redirectResponse.elements);
    const { purpose, refusedKmsUri, kmsUri } = redirect;
    return { purpose, refusedKmsUri, kmsUri, advice: adviceOf(redirect) };
  } catch {
    return null;
  }
}

function refused(code: string, status: number | null): KeySendOutcome {
  return { kind: 'refused', code, status, retryAfterMs: null, redirect: null };
}

function digestOf(keys: readonly OutgoingKey[]): string {
  const hash = createHash('sha256');
  for (const { message } of keys) hash.update(message);
  return hash.digest('hex').slice(0, 32);
}

/** Somebody is a member no more: what is left is looked at anew. */
function cancelled(): KeySendOutcome {
  return { kind: 'unreachable', code: 'SEGY_E_CANCELLED' };
}
