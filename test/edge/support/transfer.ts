/** REFERs of either side, and what answers and follows them. */
import { createResponse, type SipRequest } from '../../../src/sip/index.js';
import type { Established, Harness, HarnessOptions } from './harness.js';
import { within, type Peer, type Sent } from './peer.js';

export const RADIO2 = 'sip:radio2@lmr.example';
export const BOB = 'sip:bob@mc-a.example';
export const PASS: HarnessOptions = { partner: (partner) => ({ ...partner, refer: 'pass' }) };
export const FRAG = 'message/sipfrag;version=2.0';

export type Dialog = Parameters<typeof within>[2];
export type Headers = [string, string][];

export function referIn(h: Harness, dialog: Dialog, headers: Headers, cseq = 102): SipRequest {
  return within('REFER', cseq, dialog, { headers: [['Contact', h.mc.contact], ...headers] });
}

/** A dialog as its own party names it in an escaped Replaces. */
export function replaces({ from, to, callId }: Dialog): string {
  const tag = (value: string): string => /;tag=([^;]+)/.exec(value)?.[1] ?? '';
  return encodeURIComponent(`${callId};to-tag=${tag(to)};from-tag=${tag(from)}`);
}

export async function accepted(peer: Peer, sent: Sent, headers: Headers = []): Promise<SipRequest> {
  const tx = await peer.expect('REFER');
  peer.answer(tx, 202, { headers });
  await sent.expect(202);
  return tx.request;
}

export function report(
  cseq: number,
  dialog: Dialog,
  state: string,
  frag: string | null,
  event = 'refer',
) {
  return within('NOTIFY', cseq, dialog, {
    headers: [
      ['Event', event],
      ['Subscription-State', state],
    ],
    ...(frag !== null && { body: [FRAG, frag] as [string, string] }),
  });
}
/** A REFER of the MC side that the PBX accepts, as the PBX got it. */
export async function referred(
  h: Harness,
  call: Established,
  referTo: string,
  more: Headers = [],
): Promise<SipRequest> {
  const sent = h.mc.send(
    referIn(h, call.callerDialog, [['Refer-To', referTo], ...more]),
    h.outerAt,
  );
  return accepted(h.pbx, sent);
}

/** Answers `method` at `peer` with 200 and waits for it at who sent it. */
export async function replied(peer: Peer, method: string, sent: Sent) {
  const tx = await peer.expect(method);
  tx.respond(createResponse(tx.request, 200));
  await sent.expect(200);
  return tx;
}
