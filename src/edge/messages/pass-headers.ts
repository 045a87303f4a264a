/**
 * Which header fields go from one side to the other, and in what form. The list is closed: what is
 * not in it stays behind, above all Via, Contact, routes, identities, Server, User-Agent and every
 * `X-SeGy-*`, which only the edge writes.
 */
import { SegyError } from '../../base/errors.js';
import type { SipHeaders, SipMessage } from '../../sip/index.js';
import { mapDialogReference, mapInReplyTo, type CallIdMap } from './call-id-map.js';
import { rewriteReason, rewriteWarning } from './hide-hosts.js';
import { methodsWith } from './methods.js';

/** Passed as they are where they are plain: session timers, reliability, priority. */
const PASSED: readonly string[] = [
  'Accept',
  'Accept-Encoding',
  'Accept-Language',
  'Answer-Mode',
  'Priv-Answer-Mode',
  'Content-Language',
  'Expires',
  'Info-Package',
  'Recv-Info',
  'Min-SE',
  'Session-Expires',
  'P-Early-Media',
  'Priority',
  'Privacy',
  'RAck',
  'RSeq',
  'Resource-Priority',
  'Accept-Resource-Priority',
  'Refer-Sub',
];

/** What the values of `PASSED` are made of: tokens and their parameters, no quoted text. */
const PLAIN_VALUE = /^[A-Za-z0-9 \t!%*+,./:;=_~-]{0,256}$/;

/** Option tags that concern the hop or a body that ends here, so they end here too. */
const HOP_TAGS = new Set([
  'path',
  'outbound',
  'gruu',
  'sec-agree',
  'recipient-list-invite',
  'ice',
  'histinfo',
]);

const MAX_VALUES = 32;

/** The receiving side, in whose words the headers are written. */
export interface HeaderContext {
  readonly map: CallIdMap;
  /** our host as the receiver sees it */
  readonly host: string;
  /** whether calls may be transferred */
  readonly transfers: boolean;
  /** URI of who refers, where users of the far side stay behind; null where they may be known */
  readonly referrer: string | null;
}

/** Copies what may pass from `from` into `to`, rewritten for the receiver. */
export function passHeaders(from: SipMessage, to: SipHeaders, context: HeaderContext): void {
  for (const name of PASSED) {
    copy(from.headers, to, name, (value) => (PLAIN_VALUE.test(value) ? value : null));
  }
  for (const name of ['Require', 'Supported', 'Unsupported']) passTags(from.headers, to, name);
  passAllow(from.headers, to, context.transfers);
  copy(from.headers, to, 'Warning', (value) => rewriteWarning(value, context.host));
  copy(from.headers, to, 'Reason', rewriteReason);
  copy(
    from.headers,
    to,
    'Retry-After',
    (value) => /^\s*[0-9]{1,9}/.exec(value)?.[0].trim() ?? null,
  );
  for (const name of ['Replaces', 'Join', 'Target-Dialog']) {
    copy(from.headers, to, name, (value) => mapDialogReference(value, context.map));
  }
  copy(from.headers, to, 'In-Reply-To', (value) => mapInReplyTo(value, context.map));
  copy(from.headers, to, 'Referred-By', (value) => rewriteReferredBy(value, context));
}

/**
 * What an INVITE may take over. `Replaces` that names no dialog of the edge gets 481 (RFC 3891). One of
 * the MC side, and a `Join`, gets nothing at all: a PBX swaps the channels of such a call past its
 * dialplan, so that the call that was up would be lost, and the new one never be handed over.
 * @throws SegyError SEGY_E_SIP_NO_DIALOG, SEGY_E_REFER_REFUSED
 */
export function checkTakeover({ headers }: SipMessage, isFromMc: boolean, map: CallIdMap): void {
  const values = ['Replaces', 'Join'].flatMap((name) => headers.getAll(name));
  if (values.some((value) => mapDialogReference(value, map) === null)) {
    throw new SegyError('SEGY_E_SIP_NO_DIALOG', 'Replaces names no dialog of this gateway');
  }
  if (isFromMc && values.length > 0) {
    throw new SegyError('SEGY_E_REFER_REFUSED', 'an INVITE of the MC side takes no call over');
  }
}

function copy(
  from: SipHeaders,
  to: SipHeaders,
  name: string,
  rewrite: (value: string) => string | null,
): void {
  const values = from
    .getAll(name)
    .slice(0, MAX_VALUES)
    .map(rewrite)
    .filter((value) => value !== null);
  if (values.length > 0) to.set(name, values);
}

function passTags(from: SipHeaders, to: SipHeaders, name: string): void {
  const tags = from
    .list(name)
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '' && !HOP_TAGS.has(tag.toLowerCase()));
  if (tags.length > 0) to.set(name, tags.slice(0, MAX_VALUES).join(', '));
}

/** What both the far side and the edge can do. */
function passAllow(from: SipHeaders, to: SipHeaders, transfers: boolean): void {
  const far = new Set(from.list('Allow').map((method) => method.trim()));
  const both = methodsWith(transfers).filter((method) => far.has(method));
  if (both.length > 0) to.set('Allow', both.join(', '));
}

function rewriteReferredBy(value: string, { host, referrer }: HeaderContext): string | null {
  const match = /(sips?):([A-Za-z0-9+._-]+)@/i.exec(value);
  if (match?.[1] === undefined || match[2] === undefined) return null;
  return `<${referrer ?? `${match[1].toLowerCase()}:${match[2]}@${host}`}>`;
}
