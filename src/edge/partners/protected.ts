/**
 * The one place where protected bodies become clear and clear ones protected: around the server
 * transactions and requests of one partner. What lies behind it reads and writes clear bodies only,
 * whatever the method.
 */
import { SegyError, toSegyError, type SegyErrorCode } from '../../base/errors.js';
import type { PartnerConfig } from '../../config/index.js';
import {
  parseNameAddr,
  tagOf,
  type ClientTransaction,
  type ServerTransaction,
  type SipEndpoint,
  type SipRequest,
  type SipResponse,
  type SipTarget,
} from '../../sip/index.js';
import { bodyOf, contentOf } from '../messages/bodies.js';
import type { ClientsPort } from '../ports/clients-port.js';
import type { EdgeDependencies } from '../dependencies.js';
import { hostInDomains, readMcIdentity } from '../messages/identity.js';
import {
  MCPTT_INFO_TYPE,
  readMcpttInfo,
  readSingleEntry,
  RESOURCE_LISTS_TYPE,
} from '../messages/mcptt-info.js';
import type { ProtectionPort, RequestFacts } from '../ports/protection-port.js';

/** Where requests of a call go out. */
export type Outlet = Pick<SipEndpoint, 'request' | 'sendAck'>;

/** A server transaction whose responses are sealed for the partner. */
export class ProtectedTransaction implements ServerTransaction {
  readonly #uas: ServerTransaction;
  readonly #seal: (response: SipResponse) => void;
  readonly #refuse: (error: SegyError) => SipResponse;

  constructor(
    uas: ServerTransaction,
    seal: (response: SipResponse) => void,
    refuse: (error: SegyError) => SipResponse,
  ) {
    this.#uas = uas;
    this.#seal = seal;
    this.#refuse = refuse;
  }

  get request(): SipRequest {
    return this.#uas.request;
  }
  get source(): ServerTransaction['source'] {
    return this.#uas.source;
  }
  get localTag(): string {
    return this.#uas.localTag;
  }
  get onCancel(): ServerTransaction['onCancel'] {
    return this.#uas.onCancel;
  }
  set onCancel(listener: ServerTransaction['onCancel']) {
    this.#uas.onCancel = listener;
  }
  get onAckTimeout(): ServerTransaction['onAckTimeout'] {
    return this.#uas.onAckTimeout;
  }
  set onAckTimeout(listener: ServerTransaction['onAckTimeout']) {
    this.#uas.onAckTimeout = listener;
  }
  get onEnd(): ServerTransaction['onEnd'] {
    return this.#uas.onEnd;
  }
  set onEnd(listener: ServerTransaction['onEnd']) {
    this.#uas.onEnd = listener;
  }

  /** A response that cannot be protected is replaced by a refusal, never sent clear. */
  respond(response: SipResponse): boolean {
    // a response passed on before is sent again as it is; sealing must not touch what the caller keeps
    const sent = { ...response, headers: response.headers.clone() };
    try {
      this.#seal(sent);
    } catch (error) {
      return this.#uas.respond(this.#refuse(toSegyError(error)));
    }
    return this.#uas.respond(sent);
  }
}

/** Requests to the partner are sealed, and what answers them is opened. */
function protectedOutlet(
  endpoint: SipEndpoint,
  protection: ProtectionPort,
  partner: PartnerConfig,
): Outlet {
  return {
    request(request: SipRequest, target: SipTarget): ClientTransaction {
      const sent = { ...request, headers: request.headers.clone() };
      protection.seal(partner, sent, sent);
      return new OpeningTransaction(endpoint.request(sent, target), (response) =>
        openResponse(protection, partner, response, sent),
      );
    },
    sendAck(ack: SipRequest, target: SipTarget): void {
      const sent = { ...ack, headers: ack.headers.clone() };
      protection.seal(partner, sent, sent);
      endpoint.sendAck(sent, target);
    },
  };
}

/** The way out to `partner`, through its protection. */
export function outletTo(deps: EdgeDependencies, partner: PartnerConfig): Outlet {
  const { outer, protection } = deps;
  return protection === undefined ? outer : protectedOutlet(outer, protection, partner);
}

/**
 * A response that does not open goes on with a body that throws when it is read, so that it takes
 * the way of every response whose body is unreadable: a 2xx is still owed its ACK and a BYE.
 */
function openResponse(
  protection: ProtectionPort,
  partner: PartnerConfig,
  response: SipResponse,
  request: SipRequest,
): SipResponse {
  try {
    protection.open(partner, response, request);
    return response;
  } catch (error) {
    const { kind, status, reason, headers } = response;
    return {
      kind,
      status,
      reason,
      headers,
      get body(): Uint8Array {
        throw toSegyError(error);
      },
    };
  }
}

/**
 * The body of a response as it opened; also for who needs none, and yet takes no forged answer.
 * @throws SegyError SEGY_E_XML*, SEGY_E_SPK_*
 */
export function openedBody({ body }: SipResponse): Uint8Array {
  return body;
}

/** Why an answer counts as none although it may say 2xx: the code for which its body does not open. */
export function faultOf(response: SipResponse): SegyErrorCode | null {
  try {
    openedBody(response);
    return null;
  } catch (error) {
    return toSegyError(error).code;
  }
}

class OpeningTransaction implements ClientTransaction {
  readonly #uac: ClientTransaction;
  onProvisional?: ClientTransaction['onProvisional'];
  onFinal?: ClientTransaction['onFinal'];
  onError?: ClientTransaction['onError'];

  constructor(uac: ClientTransaction, open: (response: SipResponse) => SipResponse) {
    this.#uac = uac;
    uac.onProvisional = (response) => this.onProvisional?.(open(response));
    uac.onFinal = (response) => this.onFinal?.(open(response));
    uac.onError = (error) => this.onError?.(error);
  }

  get request(): SipRequest {
    return this.#uac.request;
  }

  cancel(reason?: string): void {
    this.#uac.cancel(reason);
  }
}

/** @throws SegyError SEGY_E_XML, SEGY_E_SIP_SYNTAX */
export function factsOf(request: SipRequest): RequestFacts {
  const body = bodyOf(request);
  const xml = contentOf(body, MCPTT_INFO_TYPE);
  const info = xml === null ? null : readMcpttInfo(xml);
  const list = contentOf(body, RESOURCE_LISTS_TYPE);
  const entry = list === null ? null : readSingleEntry(list);
  const tag = tagOf(request.headers.get('From') ?? '') ?? '';
  return {
    caller: info?.callingUserId ?? null,
    targets: [info?.requestUri, info?.callingGroupId, entry].filter(
      (uri) => typeof uri === 'string',
    ),
    dialogKey: `${request.headers.get('Call-ID') ?? ''};${tag}`,
  };
}

/**
 * What comes from outside may claim no identity but one of the partner (TS 33.180 clause 11.1.1).
 * @throws SegyError SEGY_E_NOT_EXTERNAL
 */
export function requireExternal(
  request: SipRequest,
  { caller }: RequestFacts,
  partner: PartnerConfig,
  clients: ClientsPort,
): void {
  const asserted = request.headers
    .list('P-Asserted-Identity')
    .map((value) => parseNameAddr(value).uri);
  const isOurs = [caller, ...asserted].some(
    (uri) => uri !== null && clients.byUri(uri) !== undefined,
  );
  const isForeign =
    caller !== null &&
    !hostInDomains(readMcIdentity(caller, 'the calling identity').host, partner.domains);
  if (isOurs || isForeign) {
    throw new SegyError('SEGY_E_NOT_EXTERNAL', 'the request names an identity of another domain');
  }
}
