import assert from 'node:assert/strict';
import { silentLog } from '../../../src/base/environment.js';
import { SegyError } from '../../../src/base/errors.js';
import { StandingRequest } from '../../../src/edge/groups/standing-request.js';
import {
  createResponse,
  SipHeaders,
  type ClientTransaction,
  type SipRequest,
  type SipTarget,
} from '../../../src/sip/index.js';

const TARGET: SipTarget = { protocol: 'udp', address: '127.0.2.1', port: 5060 };

/** Time that moves only when told, and a peer that answers what the test says. */
class Scene {
  now = 0;
  /** what chance gives: the shortest wait */
  drawn = 0;
  readonly sent: string[] = [];
  readonly kind = {
    name: 'a test',
    seconds: 600,
    targets: [TARGET],
    authenticate: () => Promise.resolve(),
    accepted: (): void => void this.log.push('accepted'),
    forget: (): void => void this.log.push('forgotten'),
    build: (seconds: number): SipRequest => {
      this.sent.push(`${this.now / 1000} for ${seconds}`);
      const headers = new SipHeaders([
        ['Via', 'SIP/2.0/UDP x;branch=z9hG4bK1'],
        ['From', '<sip:a@b>;tag=1'],
        ['To', '<sip:c@d>'],
        ['Call-ID', '1'],
        ['CSeq', '1 SUBSCRIBE'],
      ]);
      const body = new Uint8Array();
      return { kind: 'request', method: 'SUBSCRIBE', uri: 'sip:c@d', headers, body };
    },
  };
  readonly log: string[] = [];
  readonly request: StandingRequest;
  #timers: { at: number; run: () => void }[] = [];
  #answers: (number | [number, string, string] | 'unreachable')[] = [];

  constructor() {
    const timers = {
      setTimeout: (run: () => void, ms: number) => {
        const timer = { at: this.now + ms, run };
        this.#timers.push(timer);
        return timer;
      },
      clearTimeout: (timer: object | number) => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
    const endpoint = { request: (request: SipRequest) => this.#transact(request) };
    const subject = endpoint as unknown as ConstructorParameters<typeof StandingRequest>[1];
    this.request = new StandingRequest(this.kind, subject, {
      timers,
      clock: { now: () => this.now },
      random: () => new Uint8Array([this.drawn]),
      log: silentLog,
    });
  }

  answers(...answers: (number | [number, string, string] | 'unreachable')[]): void {
    this.#answers = answers;
  }

  /** Lets `seconds` pass. */
  async pass(seconds: number): Promise<void> {
    const end = this.now + 1000 * seconds;
    await this.settle();
    for (;;) {
      const next = this.#timers.sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#timers.shift();
      this.now = next.at;
      next.run();
      await this.settle();
    }
    this.now = end;
  }

  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  #transact(request: SipRequest): ClientTransaction {
    const transaction: ClientTransaction = { request, cancel: () => undefined };
    const answer = this.#answers.shift() ?? 200;
    queueMicrotask(() => {
      if (answer === 'unreachable') {
        transaction.onError?.(new SegyError('SEGY_E_SIP_TRANSPORT', 'nobody there'));
        return;
      }
      const [status, name, value] = typeof answer === 'number' ? [answer] : answer;
      const response = createResponse(request, status);
      if (name !== undefined && value !== undefined) response.headers.set(name, value);
      transaction.onFinal?.(response);
    });
    return transaction;
  }
}

describe('edge: a request that stands at a partner', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });

  it('is refreshed after nine tenths of its time', async () => {
    scene.request.start();
    await scene.pass(1100);
    assert.deepEqual(scene.sent, ['0 for 600', '540 for 600', '1080 for 600']);
    assert.equal(scene.request.stands, true);
  });

  it('is refreshed by the time that the partner granted', async () => {
    scene.answers([200, 'Expires', '100']);
    scene.request.start();
    await scene.pass(100);
    assert.deepEqual(scene.sent, ['0 for 600', '90 for 600']);
  });

  it('is tried again after a failure, and waits longer each time', async () => {
    scene.answers('unreachable', 503, 403);
    scene.request.start();
    await scene.pass(20);
    assert.deepEqual(scene.sent, ['0 for 600', '2 for 600', '6 for 600', '14 for 600']);
    assert.equal(scene.request.stands, true);
  });

  it('waits as long as the partner asks', async () => {
    scene.answers([503, 'Retry-After', '60']);
    scene.request.start();
    await scene.pass(61);
    assert.deepEqual(scene.sent, ['0 for 600', '60 for 600']);
  });

  for (const status of [412, 481]) {
    it(`begins anew at once when a refresh gets ${status}`, async () => {
      scene.answers(200, status, 200);
      scene.request.start();
      await scene.pass(545);
      assert.deepEqual(scene.sent, ['0 for 600', '540 for 600', '540 for 600']);
      assert.deepEqual(scene.log, ['accepted', 'forgotten', 'accepted']);
    });
  }

  it('is asked for anew when the partner ended it', async () => {
    scene.request.start();
    await scene.pass(1);
    scene.request.lost(5000);
    await scene.pass(6);
    assert.deepEqual(scene.sent, ['0 for 600', '6 for 600']);
  });

  it('is withdrawn at the end where it stands, and not where it does not', async () => {
    scene.request.start();
    await scene.settle();
    await scene.request.stop();
    await scene.pass(1000);
    assert.deepEqual(scene.sent, ['0 for 600', '0 for 0']);
    const other = new Scene();
    other.answers(403);
    other.request.start();
    await other.settle();
    await other.request.stop();
    await other.pass(1000);
    assert.deepEqual(other.sent, ['0 for 600']);
  });

  it('asks for the least time that the partner takes, and keeps to it', async () => {
    scene.answers([423, 'Min-Expires', '1000']);
    scene.request.start();
    await scene.pass(901);
    assert.deepEqual(scene.sent, ['0 for 600', '0 for 1000', '900 for 1000']);
  });

  it('takes a 423 without a longer time for a refusal', async () => {
    scene.answers([423, 'Min-Expires', '600'], 423);
    scene.request.start();
    await scene.pass(7);
    assert.deepEqual(scene.sent, ['0 for 600', '2 for 600', '6 for 600']);
  });

  for (const failure of [408, 503, 'unreachable'] as const) {
    it(`stands until its time is over when a refresh ends in ${failure}`, async () => {
      scene.answers(200, failure, 200);
      scene.request.start();
      await scene.pass(541);
      assert.equal(scene.request.stands, true);
      await scene.pass(3);
      assert.deepEqual(scene.sent, ['0 for 600', '540 for 600', '542 for 600']);
      assert.deepEqual(scene.log, ['accepted', 'accepted']);
    });
  }

  it('begins anew when refreshes failed for the rest of its time', async () => {
    scene.answers(200, [503, 'Retry-After', '90'], 200);
    scene.request.start();
    await scene.pass(640);
    assert.deepEqual(scene.sent, ['0 for 600', '540 for 600', '630 for 600']);
    assert.deepEqual(scene.log, ['accepted', 'forgotten', 'accepted']);
  });

  it('no longer stands when a refresh is refused', async () => {
    scene.answers(200, 403);
    scene.request.start();
    await scene.pass(541);
    assert.equal(scene.request.stands, false);
  });

  it('is refreshed sooner when the partner shortens its time, and never later', async () => {
    scene.request.start();
    await scene.settle();
    scene.request.shortened(10_000);
    scene.request.shortened(100);
    await scene.pass(91);
    assert.deepEqual(scene.sent, ['0 for 600', '90 for 600']);
  });

  it('that the partner ends before it answers is not taken to stand', async () => {
    scene.request.start();
    scene.request.lost(5000);
    await scene.settle();
    assert.equal(scene.request.stands, false);
    await scene.pass(6);
    assert.deepEqual(scene.log, ['forgotten', 'accepted']);
    assert.deepEqual(scene.sent, ['0 for 600', '5 for 600']);
  });

  it('that the partner takes while it is being stopped is withdrawn', async () => {
    scene.request.start();
    await scene.request.stop();
    assert.deepEqual(scene.sent, ['0 for 600', '0 for 0']);
  });

  it('draws its waits, so that many do not come back together', async () => {
    scene.drawn = 255;
    scene.answers(503);
    scene.request.start();
    await scene.pass(3);
    assert.deepEqual(scene.sent, ['0 for 600', '2.5 for 600']);
  });

  it('waits for its turn at the start', async () => {
    scene.request.start(40);
    await scene.pass(1);
    assert.deepEqual(scene.sent, ['0.04 for 600']);
  });
});
