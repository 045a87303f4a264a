/** Forks, redirections and reliable provisional responses, through the running gateway and a real Asterisk. */
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8 } from '../../src/base/bytes.js';
import type { SimAgent, CallMedia } from '../../src/sim/index.js';
import { createResponse, tagOf, type ServerTransaction } from '../../src/sip/index.js';
import { expectUp, hears, nextCall } from '../support/call-pair.js';
import { ALICE, BOB, MC_ADDRESS, MC_TONE_HZ, RADIO_1, RADIO_2, Scene } from '../support/scene.js';
import { until, within } from '../support/waiting.js';

/** What comes to an agent whose answers the test gives itself. */
class ByHand {
  readonly acks: string[] = [];
  readonly #waiting: ServerTransaction[] = [];
  readonly #agent: Pick<SimAgent<CallMedia>, 'endpoint' | 'contact'>;
  readonly #before: SimAgent<CallMedia>['endpoint']['onRequest'];

  constructor(agent: Pick<SimAgent<CallMedia>, 'endpoint' | 'contact'>) {
    this.#agent = agent;
    this.#before = agent.endpoint.onRequest;
    agent.endpoint.onRequest = (transaction) => this.#waiting.push(transaction);
    agent.endpoint.onAck = (ack) => this.acks.push(tagOf(ack.headers.get('To') ?? '') ?? '');
  }

  /** The agent answers again. */
  restore(): void {
    this.#agent.endpoint.onRequest = this.#before;
    this.#agent.endpoint.onAck = undefined;
  }

  async next(method: string): Promise<ServerTransaction> {
    const find = (): number => this.#waiting.findIndex(({ request }) => request.method === method);
    await until(`a ${method} comes`, () => find() >= 0);
    return this.#waiting.splice(find(), 1)[0]!;
  }

  answer(
    transaction: ServerTransaction,
    status: number,
    o: { tag?: string; sdp?: string; headers?: readonly [string, string][] } = {},
  ): void {
    const { tag = transaction.localTag, sdp, headers = [] } = o;
    const response = createResponse(transaction.request, status, undefined, { toTag: tag });
    response.headers.set('Contact', this.#agent.contact());
    for (const [name, value] of headers) response.headers.set(name, value);
    if (sdp !== undefined) {
      response.headers.set('Content-Type', 'application/sdp');
      response.body = utf8(sdp);
    }
    transaction.respond(response);
  }
}

/** Where one fork wants its media, and how many packets came there. */
class Ear {
  packets = 0;
  readonly #socket: Socket = createSocket('udp4');

  async open(): Promise<void> {
    this.#socket.on('message', () => (this.packets += 1));
    this.#socket.bind(0, MC_ADDRESS);
    await once(this.#socket, 'listening');
  }
  close(): void {
    this.#socket.close();
  }
  get sdp(): string {
    return [
      'v=0',
      `o=- 1 1 IN IP4 ${MC_ADDRESS}`,
      's=-',
      `c=IN IP4 ${MC_ADDRESS}`,
      't=0 0',
      `m=audio ${this.#socket.address().port} RTP/AVP 0`,
      'a=rtpmap:0 PCMU/8000',
      '',
    ].join('\r\n');
  }
}

describe('responses of the called side through a real Asterisk', function () {
  this.timeout(60_000);
  let scene: Scene;
  let folder: string;
  const ears = [new Ear(), new Ear()] as const;
  let byHand: ByHand | undefined;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'segy-responses-'));
    scene = await Scene.start({ capture: join(folder, 'responses') });
    for (const ear of ears) await ear.open();
  });
  after(async () => {
    for (const ear of ears) ear.close();
    await scene.stop();
    rmSync(folder, { recursive: true });
  });
  afterEach(async () => {
    byHand?.restore();
    await until('all channels are gone', async () => (await scene.pbx.channelCount()) === 0);
  });

  const inside = (): string[] =>
    scene.taps!.inner.capture.packets.map(({ payload }) => payload.toString('latin1'));

  it('of two forks give the speech to the one that answers, and end one that answers later', async () => {
    const mc = (byHand = new ByHand(scene.mc.agent));
    const [one, two] = ears;
    const radio = await scene.radio.call(RADIO_1.pbx, 'alice');
    const invite = await mc.next('INVITE');
    mc.answer(invite, 183, { tag: 'one', sdp: one.sdp });
    mc.answer(invite, 183, { tag: 'two', sdp: two.sdp });
    mc.answer(invite, 200, { tag: 'two', sdp: two.sdp });
    await expectUp(radio);
    await until('the speech comes to the fork that answered', () => two.packets > 20);
    const before = one.packets;
    mc.answer(invite, 200, { tag: 'one', sdp: one.sdp });
    const late = await mc.next('BYE');
    assert.equal(tagOf(late.request.headers.get('To') ?? ''), 'one');
    mc.answer(late, 200);
    const heard = two.packets;
    await until('the speech goes on', () => two.packets > heard + 20);
    assert.ok(one.packets - before <= 1, 'speech comes to the fork that was ended');
    assert.deepEqual(mc.acks, ['two', 'one']);
    assert.equal(await scene.pbx.channelCount(), 2);
    radio.bye();
    const bye = await mc.next('BYE');
    assert.equal(tagOf(bye.request.headers.get('To') ?? ''), 'two');
    mc.answer(bye, 200);
  });

  it('that are provisional and reliable are acknowledged by PRACK from the PBX to the MC system', async () => {
    const mc = (byHand = new ByHand(scene.mc.agent));
    const radio = await scene.radio.call(RADIO_1.pbx, 'alice');
    const invite = await mc.next('INVITE');
    assert.match(invite.request.headers.get('Supported') ?? '', /\b100rel\b/);
    const reliable = [
      ['Require', '100rel'],
      ['RSeq', '4711'],
    ] as [string, string][];
    mc.answer(invite, 183, { tag: 'one', sdp: ears[0].sdp, headers: reliable });
    const prack = await mc.next('PRACK');
    const number = (invite.request.headers.get('CSeq') ?? '').split(' ')[0]!;
    assert.equal(prack.request.headers.get('RAck'), `4711 ${number} INVITE`);
    mc.answer(prack, 200);
    mc.answer(invite, 200, { tag: 'one', sdp: ears[0].sdp });
    await expectUp(radio);
    radio.bye();
    mc.answer(await mc.next('BYE'), 200);
  });

  it('that redirect name a user at the gateway to the PBX, which calls that user', async () => {
    const mc = (byHand = new ByHand(scene.mc.agent));
    const radio = await scene.radio.call(RADIO_1.pbx, 'alice');
    const contact = `<sip:bob@sbc.mc-a.example;maddr=${MC_ADDRESS}>;q=0.7`;
    mc.answer(await mc.next('INVITE'), 302, { headers: [['Contact', contact]] });
    const again = await mc.next('INVITE');
    assert.ok(Buffer.from(again.request.body).includes(`<mcpttURI>${BOB}<`));
    const [ear] = ears;
    const before = ear.packets;
    mc.answer(again, 200, { sdp: ear.sdp });
    await expectUp(radio);
    await until('the speech comes', () => ear.packets > before + 20);
    const redirections = inside().filter((text) => text.startsWith('SIP/2.0 302'));
    assert.ok(redirections.length > 0, 'no 302 came to the PBX');
    for (const text of redirections) {
      assert.match(text, /\r\nContact: <sip:bob@127\.0\.0\.2[^>]*>\r\n/);
      assert.doesNotMatch(text, /sbc|127\.0\.2\.|maddr|q=/);
    }
    radio.bye();
    mc.answer(await mc.next('BYE'), 200);
  });

  it('of a radio that redirect to another are followed by the PBX, and speech flows', async () => {
    const trunk = (byHand = new ByHand(scene.radio.agent));
    const mc = await scene.mc.call({ from: ALICE, to: RADIO_1.uri });
    const invite = await trunk.next('INVITE');
    const taken = nextCall(scene.radio.agent);
    trunk.restore();
    const other = `<sip:${RADIO_2.pbx}@127.0.0.1>`;
    trunk.answer(invite, 302, { headers: [['Contact', other]] });
    const radio = await within('the other radio takes the call', taken);
    await expectUp(mc);
    assert.ok(radio.invite?.uri.startsWith(`sip:${RADIO_2.pbx}@`));
    assert.ok(await hears(radio, MC_TONE_HZ));
    mc.bye();
    await within('the radio call ends', radio.ended);
  });
});
