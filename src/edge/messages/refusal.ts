/**
 * Refusals: one stable code, the same in the SIP Warning, the metric and the log. The Warning says
 * what the code means and no more; what exactly was wrong stands in the log.
 */
import type { LogFields } from '../../base/environment.js';
import { ERROR_CODES, type SegyError, type SegyErrorCode } from '../../base/errors.js';
import type { PartnerConfig } from '../../config/index.js';
import { createResponse, quoteString, type SipRequest, type SipResponse } from '../../sip/index.js';
import type { EdgeDependencies, Side } from '../dependencies.js';
import { SourceLog } from '../../base/source-log.js';

/** Codes for which a KMS Redirect Response may tell the sender which KMS to use (TS 33.180 D.4). */
const REDIRECT_CODES: ReadonlySet<SegyErrorCode> = new Set<SegyErrorCode>([
  'SEGY_E_MIKEY_KMS_UNKNOWN',
  'SEGY_E_MIKEY_KMS_NOT_ALLOWED',
]);

/** Codes that are alarms: something is set up wrongly, or a partner signs what is not its to sign. */
const ALARM_CODES: ReadonlySet<SegyErrorCode> = new Set<SegyErrorCode>([
  'SEGY_E_MEDIA_ADDRESS',
  'SEGY_E_NOT_GROUP_GMS',
]);

/** Codes that come from load, hang-ups and the PBX, not from bad input. */
const ORDINARY_CODES: ReadonlySet<SegyErrorCode> = new Set<SegyErrorCode>([
  'SEGY_E_CANCELLED',
  'SEGY_E_DRAINING',
  'SEGY_E_PBX_DOWN',
  'SEGY_E_PBX_NO_CHANNEL',
  'SEGY_E_SIP_TRANSPORT',
  'SEGY_E_TIMEOUT',
]);

export class Refusals {
  readonly #deps: EdgeDependencies;
  readonly #sourceLog: SourceLog;

  constructor(deps: EdgeDependencies) {
    this.#deps = deps;
    this.#sourceLog = new SourceLog(deps.env);
  }

  /** A response without a code: the ordinary course of SIP (487, 491, 481 to a late request). */
  plain(request: SipRequest, status: number): SipResponse {
    const response = createResponse(request, status);
    if (status === 500) response.headers.set('Retry-After', '1');
    return response;
  }

  /**
   * The refusal of `error`.
   * @param partner its profile decides on a KMS Redirect Response
   * @param status where the place demands another than the code's own
   */
  response(
    request: SipRequest,
    side: Side,
    error: SegyError,
    partner?: PartnerConfig,
    status: number = error.sipStatus,
  ): SipResponse {
    const response = this.plain(request, status);
    const text = `${error.code} ${ERROR_CODES[error.code].summary}`;
    response.headers.set('Warning', `399 ${this.#agent(side)} ${quoteString(text)}`);
    if (status === 503) {
      response.headers.set('Retry-After', String(this.#deps.settings.limits.retryAfterSeconds));
    }
    if (side === 'outer' && partner !== undefined && REDIRECT_CODES.has(error.code)) {
      const redirect = this.#deps.redirectBody?.(error, partner) ?? null;
      if (redirect !== null) {
        response.headers.set('Content-Type', redirect.contentType);
        response.body = redirect.body;
      }
    }
    return response;
  }

  /**
   * Counts and logs a refusal of something that `source` sent.
   * @param about what it belonged to, for the log
   */
  note(side: Side, source: string, error: SegyError, stage: string, about: LogFields = {}): void {
    const { log, metrics } = this.#deps.env;
    if (ORDINARY_CODES.has(error.code)) {
      metrics.count('segy_refused_total', { code: error.code, side });
      const { code, message } = error;
      log.info('call.refused', { code, side, source, stage, message, ...about });
      return;
    }
    if (error.code === 'SEGY_E_MEDIA_ADDRESS') {
      this.#deps.alarms?.raise('inner-media-address', source, error.message);
    }
    if (ALARM_CODES.has(error.code)) {
      log.error('alarm', { code: error.code, side, source, message: error.message, ...about });
    }
    this.#sourceLog.refused({ code: error.code, side, source, message: error.message }, about);
  }

  /** Counts and logs a TLS handshake that failed, within the limit of its source. */
  noteHandshake(side: Side, source: string, error: SegyError): void {
    this.#sourceLog.refused({ code: error.code, side, source, message: error.message });
  }

  #agent(side: Side): string {
    if (side === 'inner') return 'segy';
    return /@([A-Za-z0-9.-]+)/.exec(this.#deps.settings.outer.identity)?.[1] ?? 'segy';
  }
}
