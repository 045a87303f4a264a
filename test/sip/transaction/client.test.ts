import assert from 'node:assert/strict';
import { createResponse, DEFAULT_TIMING, type SipRequest } from '../../../src/sip/index.js';
import { ClientInvite } from '../../../src/sip/transaction/client-invite.js';
import { ClientPlain } from '../../../src/sip/transaction/client-plain.js';
import { makeRequest } from '../support/endpoints.js';
import { FakeOutlet } from '../support/fake-outlet.js';
import { fakeEnvironment, FakeTimers } from '../support/fake-timers.js';

function setUp(method: string, reliable: boolean, fallback?: FakeOutlet) {
  const timers = new FakeTimers();
  const outlet = new FakeOutlet(reliable);
  const request = makeRequest(method, { Route: '<sip:p.example;lr>' });
  request.headers.prepend('Via', 'SIP/2.0/UDP h;branch=z9hG4bKx');
  const seen: string[] = [];
  const cancels: SipRequest[] = [];
  const context = {
    env: fakeEnvironment(timers),
    timing: DEFAULT_TIMING,
    ended: () => seen.push('ended'),
    sendCancel: (cancel: SipRequest) => cancels.push(cancel),
  };
  const fallbacks = fallback === undefined ? [] : [{ outlet: fallback, request }];
  const kind = method === 'INVITE' ? ClientInvite : ClientPlain;
  const transaction = new kind(context, { outlet, request }, fallbacks);
  transaction.onProvisional = (response) => seen.push(`${response.status}`);
  transaction.onFinal = (response) => seen.push(`final ${response.status}`);
  transaction.onError = (error) => seen.push(error.code);
  const receive = (status: number, toTag = 't'): void => {
    transaction.receive(createResponse(request, status, undefined, { toTag }));
  };
  return { timers, outlet, request, transaction, seen, cancels, receive };
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('sip/transaction: INVITE client', () => {
  it('repeats over UDP after T1, 2*T1, 4*T1 …, seven times in all, and gives up after 64*T1', () => {
    const t = setUp('INVITE', false);
    const times: number[] = [];
    for (let ms = 0; ms < 32_000; ms += 500) {
      const before = t.outlet.sent.length;
      t.timers.advance(500);
      if (t.outlet.sent.length > before) times.push(ms + 500);
    }
    assert.deepEqual(times, [500, 1500, 3500, 7500, 15500, 31500]);
    assert.deepEqual(t.seen, ['ended', 'SEGY_E_TIMEOUT']);
    assert.equal(t.timers.waiting, 0);
  });

  it('does not repeat over a reliable way, and gives up after 64*T1 too', () => {
    const t = setUp('INVITE', true);
    t.timers.advance(31_999);
    assert.deepEqual(t.outlet.log, ['INVITE']);
    t.timers.advance(1);
    assert.deepEqual(t.seen, ['ended', 'SEGY_E_TIMEOUT']);
  });

  it('stops repeating at a provisional response and waits', () => {
    const t = setUp('INVITE', false);
    t.receive(100);
    t.receive(180);
    t.timers.advance(60_000);
    assert.deepEqual(t.outlet.log, ['INVITE']);
    assert.deepEqual(t.seen, ['100', '180']);
  });

  it('does not ring for ever', () => {
    const t = setUp('INVITE', false);
    t.receive(180);
    t.timers.advance(DEFAULT_TIMING.proceeding);
    assert.deepEqual(t.seen, ['180', 'ended', 'SEGY_E_TIMEOUT']);
  });

  it('acknowledges a refusal each time it comes, tells it once, and stays 64*T1 over UDP', () => {
    const t = setUp('INVITE', false);
    t.receive(486, 'busy');
    t.receive(486, 'busy');
    assert.deepEqual(t.outlet.log, ['INVITE', 'ACK', 'ACK']);
    const ack = t.outlet.sent[1]!;
    assert.equal(ack.headers.get('CSeq'), '1 ACK');
    assert.equal(ack.headers.get('To'), '<sip:bob@b.example>;tag=busy');
    assert.equal(ack.headers.get('Route'), '<sip:p.example;lr>');
    assert.deepEqual(ack.headers.getAll('Via'), ['SIP/2.0/UDP h;branch=z9hG4bKx']);
    t.timers.advance(31_999);
    assert.deepEqual(t.seen, ['final 486']);
    t.timers.advance(1);
    assert.deepEqual(t.seen, ['final 486', 'ended']);
  });

  it('ends at once after a refusal over a reliable way', () => {
    const t = setUp('INVITE', true);
    t.receive(486);
    assert.deepEqual(t.seen, ['final 486', 'ended']);
    assert.equal(t.timers.waiting, 0);
  });

  it('tells each 2xx of a fork once, and repeats only the ACK of a 2xx that comes again', () => {
    const t = setUp('INVITE', false);
    const invite = t.transaction as ClientInvite;
    let acks = 0;
    t.receive(200, 'a');
    t.receive(200, 'a');
    invite.acknowledged('a', () => (acks += 1));
    assert.equal(acks, 0);
    t.receive(200, 'a');
    t.receive(200, 'b');
    assert.equal(acks, 1);
    assert.deepEqual(t.seen, ['final 200', 'final 200']);
    t.timers.advance(32_000);
    assert.deepEqual(t.seen, ['final 200', 'final 200', 'ended']);
  });

  it('a late refusal or provisional response after a 2xx is dropped', () => {
    const t = setUp('INVITE', false);
    t.receive(200);
    t.receive(180);
    t.receive(486);
    assert.deepEqual(t.seen, ['final 200']);
    assert.deepEqual(t.outlet.log, ['INVITE']);
  });

  it('holds a CANCEL back until a provisional response is there', () => {
    const t = setUp('INVITE', false);
    t.transaction.cancel('SIP;cause=200');
    assert.equal(t.cancels.length, 0);
    t.receive(100);
    t.transaction.cancel();
    assert.equal(t.cancels.length, 1);
    const cancel = t.cancels[0]!;
    assert.equal(cancel.headers.get('CSeq'), '1 CANCEL');
    assert.equal(cancel.headers.get('Via'), 'SIP/2.0/UDP h;branch=z9hG4bKx');
    assert.equal(cancel.headers.get('Reason'), 'SIP;cause=200');
    assert.equal(cancel.headers.get('Route'), '<sip:p.example;lr>');
    assert.ok(!cancel.headers.get('To')?.includes('tag'));
  });

  it('sends no CANCEL after a final response', () => {
    const t = setUp('INVITE', false);
    t.transaction.cancel();
    t.receive(200);
    assert.equal(t.cancels.length, 0);
  });

  it('gives up 64*T1 after a CANCEL that nobody follows', () => {
    const t = setUp('INVITE', false);
    t.receive(180);
    t.transaction.cancel();
    t.timers.advance(32_000);
    assert.deepEqual(t.seen, ['180', 'ended', 'SEGY_E_TIMEOUT']);
  });

  it('goes the other way when the first fails, and then repeats there', async () => {
    const fallback = new FakeOutlet(false);
    const timers = new FakeTimers();
    const first = new FakeOutlet(true);
    first.broken = true;
    const request = makeRequest('INVITE');
    request.headers.prepend('Via', 'SIP/2.0/UDP h;branch=z9hG4bKx');
    const context = {
      env: fakeEnvironment(timers),
      timing: DEFAULT_TIMING,
      ended: () => undefined,
      sendCancel: () => undefined,
    };
    const transaction = new ClientInvite(context, { outlet: first, request }, [
      { outlet: fallback, request },
    ]);
    await tick();
    timers.advance(500);
    assert.deepEqual(fallback.log, ['INVITE', 'INVITE']);
    assert.equal(transaction.outlet, fallback);
  });

  it('fails when no way is left', async () => {
    const t = setUp('INVITE', false);
    t.outlet.broken = true;
    t.timers.advance(500);
    await tick();
    assert.deepEqual(t.seen, ['ended', 'SEGY_E_SIP_TRANSPORT']);
  });
});

describe('sip/transaction: non-INVITE client', () => {
  it('repeats over UDP up to every T2 and gives up after 64*T1', () => {
    const t = setUp('BYE', false);
    t.timers.advance(7_500);
    assert.equal(t.outlet.sent.length, 5);
    t.timers.advance(4_000);
    assert.equal(t.outlet.sent.length, 6);
    t.timers.advance(32_000);
    assert.deepEqual(t.seen, ['ended', 'SEGY_E_TIMEOUT']);
    assert.equal(t.outlet.sent.length, 11);
  });

  it('repeats every T2 after a provisional response', () => {
    const t = setUp('BYE', false);
    t.receive(100);
    t.timers.advance(3_999);
    assert.equal(t.outlet.sent.length, 1);
    t.timers.advance(4_001);
    assert.equal(t.outlet.sent.length, 3);
  });

  it('tells the final response once and stays T4 over UDP', () => {
    const t = setUp('BYE', false);
    t.receive(200);
    t.receive(200);
    t.timers.advance(4_999);
    assert.deepEqual(t.seen, ['final 200']);
    t.timers.advance(1);
    assert.deepEqual(t.seen, ['final 200', 'ended']);
  });

  it('ends at once over a reliable way', () => {
    const t = setUp('BYE', true);
    t.receive(200);
    assert.deepEqual(t.seen, ['final 200', 'ended']);
  });

  it("a handler that throws does not end the transaction's bookkeeping", () => {
    const t = setUp('BYE', true);
    t.transaction.onFinal = () => {
      throw new Error('the user failed');
    };
    t.receive(200);
    assert.deepEqual(t.seen, ['ended']);
  });
});
