/** JSON answers of a partner's servers, within bounds, and nothing else than JSON. */
import { SegyError } from '../base/errors.js';
import { retryAfter, type IncomingResponse } from '../https/index.js';

/** Largest answer of an IdM server that is read, in octets. */
export const MAX_ANSWER_OCTETS = 65_536;
const JSON_TYPE = /^application\/(?:[a-z0-9.-]+\+)?json *(?:;|$)/i;

/** @throws SegyError SEGY_E_PARTNER_IDM for anything but a JSON object */
export function jsonObject(response: IncomingResponse, what: string): Record<string, unknown> {
  if (!JSON_TYPE.test(response.header('content-type') ?? '')) {
    throw new SegyError('SEGY_E_PARTNER_IDM', `${what} is not JSON`);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(response.body));
  } catch {
    // the parser's own message quotes what it read
    throw new SegyError('SEGY_E_PARTNER_IDM', `${what} is malformed JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SegyError('SEGY_E_PARTNER_IDM', `${what} is no JSON object`);
  }
  return value as Record<string, unknown>;
}

/** The error of a partner's answer whose status is not the one that was expected. */
export function refusal(
  code: 'SEGY_E_PARTNER_IDM' | 'SEGY_E_ACCESS_TOKEN',
  what: string,
  response: IncomingResponse,
): SegyError {
  return new SegyError(code, `${what}: status ${response.status}`, {
    details: { status: String(response.status), ...retryAfter(response) },
  });
}
