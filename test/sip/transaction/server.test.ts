import assert from 'node:assert/strict';
import { createResponse, DEFAULT_TIMING, type SipSource } from '../../../src/sip/index.js';
import { ServerInvite } from '../../../src/sip/transaction/server-invite.js';
import { ServerPlain } from '../../../src/sip/transaction/server-plain.js';
import { makeRequest } from '../support/endpoints.js';
import { FakeOutlet } from '../support/fake-outlet.js';
import { fakeEnvironment, FakeTimers } from '../support/fake-timers.js';

const SOURCE: SipSource = {
  protocol: 'udp',
  address: '192.0.2.1',
  port: 5060,
  localAddress: '192.0.2.2',
  localPort: 5060,
};

function setUp<T extends ServerInvite | ServerPlain>(
  kind: new (...args: ConstructorParameters<typeof ServerInvite>) => T,
  method: string,
  reliable: boolean,
) {
  const timers = new FakeTimers();
  const outlet = new FakeOutlet(reliable);
  const request = makeRequest(method);
  request.headers.prepend('Via', 'SIP/2.0/UDP h;branch=z9hG4bKx');
  const seen: string[] = [];
  const context = {
    env: fakeEnvironment(timers),
    timing: DEFAULT_TIMING,
    ended: () => seen.push('ended'),
  };
  const transaction = new kind(context, { request, source: SOURCE, outlet, localTag: 'mine' });
  transaction.onEnd = (why) => seen.push(why);
  transaction.onAckTimeout = (response) => seen.push(`no ACK of ${response.status}`);
  transaction.onCancel = () => seen.push('cancel');
  const respond = (status: number, toTag?: string): boolean =>
    transaction.respond(createResponse(request, status, undefined, toTag ? { toTag } : {}));
  return { timers, outlet, request, transaction, seen, respond };
}

const invite = (reliable: boolean) => setUp(ServerInvite, 'INVITE', reliable);
const plain = (reliable: boolean) => setUp(ServerPlain, 'OPTIONS', reliable);
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('sip/transaction: INVITE server', () => {
  it('answers 100 by itself after 200 ms, without a To tag', () => {
    const t = invite(false);
    t.timers.advance(199);
    assert.deepEqual(t.outlet.log, []);
    t.timers.advance(1);
    assert.deepEqual(t.outlet.log, ['100']);
    assert.equal(t.outlet.sent[0]?.headers.get('To'), '<sip:bob@b.example>');
  });

  it('answers no 100 when the user was faster', () => {
    const t = invite(false);
    t.respond(180);
    t.timers.advance(1_000);
    assert.deepEqual(t.outlet.log, ['180']);
    assert.match(t.outlet.sent[0]?.headers.get('To') ?? '', /;tag=mine$/);
  });

  it('answers a repeated INVITE with its last provisional response', () => {
    const t = invite(false);
    t.transaction.repeated();
    t.respond(180);
    t.respond(183);
    t.transaction.repeated();
    assert.deepEqual(t.outlet.log, ['180', '183', '183']);
  });

  it('repeats a refusal over UDP until its ACK, then stays T4', () => {
    const t = invite(false);
    assert.ok(t.respond(488));
    t.timers.advance(1_500);
    t.transaction.repeated();
    assert.deepEqual(t.outlet.log, ['488', '488', '488', '488']);
    t.transaction.acknowledgedRefusal();
    t.transaction.repeated();
    t.timers.advance(4_999);
    assert.equal(t.outlet.sent.length, 4);
    assert.deepEqual(t.seen, []);
    t.timers.advance(1);
    assert.deepEqual(t.seen, ['ended', 'done']);
  });

  it('repeats a refusal at most every T2', () => {
    const t = invite(false);
    t.respond(488);
    t.timers.advance(7_500);
    assert.equal(t.outlet.sent.length, 5);
    t.timers.advance(8_000);
    assert.equal(t.outlet.sent.length, 7);
  });

  it('gives a refusal without ACK up after 64*T1, also over a reliable way where it repeats nothing', () => {
    for (const reliable of [true, false]) {
      const t = invite(reliable);
      t.respond(488);
      t.timers.advance(32_000);
      assert.deepEqual(t.seen, ['ended', 'timeout']);
      assert.equal(t.outlet.sent.length === 1, reliable);
    }
  });

  it('repeats a 2xx until its ACK, on every transport, at most every T2', () => {
    for (const reliable of [true, false]) {
      const t = invite(reliable);
      t.respond(200);
      t.timers.advance(7_500);
      assert.equal(t.outlet.sent.length, 5);
      assert.ok(t.transaction.acknowledgedSuccess('mine'));
      t.timers.advance(20_000);
      assert.equal(t.outlet.sent.length, 5);
      t.timers.advance(4_500);
      assert.deepEqual(t.seen, ['ended', 'done']);
    }
  });

  it('tells the ACK of a 2xx once, and only with its own To tag', () => {
    const t = invite(false);
    t.respond(200);
    assert.ok(!t.transaction.acknowledgedSuccess('other'));
    assert.ok(t.transaction.acknowledgedSuccess('mine'));
    assert.ok(!t.transaction.acknowledgedSuccess('mine'));
  });

  it('tells a 2xx without ACK after 64*T1', () => {
    const t = invite(false);
    t.respond(200);
    t.timers.advance(32_000);
    assert.deepEqual(t.seen, ['no ACK of 200', 'ended', 'timeout']);
    assert.equal(t.timers.waiting, 0);
  });

  it('absorbs a repeated INVITE after a 2xx', () => {
    const t = invite(false);
    t.respond(200);
    t.transaction.repeated();
    assert.deepEqual(t.outlet.log, ['200']);
  });

  it('sends the 2xx of another fork, and repeats each until its own ACK', () => {
    const t = invite(false);
    assert.ok(t.respond(200, 'a'));
    assert.ok(t.respond(200, 'b'));
    assert.ok(!t.respond(200, 'b'));
    t.transaction.acknowledgedSuccess('a');
    t.timers.advance(500);
    assert.deepEqual(
      t.outlet.sent.map((one) => one.headers.get('To')?.slice(-1)),
      ['a', 'b', 'b'],
    );
  });

  it('takes no response behind a final one', () => {
    const t = invite(false);
    t.respond(486);
    assert.ok(!t.respond(200));
    assert.ok(!t.respond(180));
    const u = invite(false);
    u.respond(200);
    assert.ok(!u.respond(486));
    assert.ok(!u.respond(183));
  });

  it('is cancelled while open, and not behind a final response', () => {
    const t = invite(false);
    assert.ok(t.transaction.cancelled(t.request));
    t.respond(487);
    assert.ok(!t.transaction.cancelled(t.request));
    assert.deepEqual(t.seen, ['cancel']);
  });

  it('ends when a response cannot be sent', async () => {
    const t = invite(true);
    t.outlet.broken = true;
    t.respond(200);
    await tick();
    assert.deepEqual(t.seen, ['ended', 'transport']);
    assert.equal(t.timers.waiting, 0);
  });

  it('a response has the Via, From, Call-ID and CSeq of the request whatever the user gives', () => {
    const t = invite(false);
    const other = makeRequest('BYE');
    other.headers.prepend('Via', 'SIP/2.0/UDP evil;branch=z9hG4bKy');
    t.transaction.respond(createResponse(other, 200));
    const { headers } = t.outlet.sent[0]!;
    for (const name of ['Via', 'From', 'Call-ID', 'CSeq']) {
      assert.deepEqual(headers.getAll(name), t.request.headers.getAll(name), name);
    }
  });
});

describe('sip/transaction: non-INVITE server', () => {
  it('answers a repeated request with its last response, for 64*T1 over UDP', () => {
    const t = plain(false);
    t.transaction.repeated();
    t.respond(100);
    t.transaction.repeated();
    t.respond(200);
    t.transaction.repeated();
    assert.deepEqual(t.outlet.log, ['100', '100', '200', '200']);
    t.timers.advance(31_999);
    assert.deepEqual(t.seen, []);
    t.timers.advance(1);
    assert.deepEqual(t.seen, ['ended', 'done']);
  });

  it('ends at once behind the final response over a reliable way', () => {
    const t = plain(true);
    t.respond(200);
    t.timers.advance(0);
    assert.deepEqual(t.seen, ['ended', 'done']);
  });

  it('ends when the user has not answered within 64*T1', () => {
    const t = plain(false);
    t.timers.advance(32_000);
    assert.deepEqual(t.seen, ['ended', 'timeout']);
    assert.ok(!t.respond(200));
  });
});
