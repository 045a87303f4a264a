import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createResponse, parseSdp, SipHeaders } from '../../src/sip/index.js';
import { Endpoints } from './support/endpoints.js';
import { skipBecause } from '../support/skip.js';

const OPEN = new Endpoints();

/** SIPp as a second opinion: its built-in UAC calls a small user agent made of an endpoint. */
describe('sip/endpoint against SIPp', () => {
  let folder: string;

  before(function () {
    folder = mkdtempSync(join(tmpdir(), 'segy-sipp-'));
    if (spawnSync('sipp', ['-v']).error !== undefined) {
      skipBecause(this, 'the sipp command is not installed');
    }
  });
  after(() => rmSync(folder, { recursive: true }));
  afterEach(async () => {
    await OPEN.closeAll();
    assert.deepEqual(OPEN.problems.splice(0), []);
  });

  for (const [protocol, mode] of [
    ['udp', 'u1'],
    ['tcp', 't1'],
    ['tcp', 'tn'],
  ] as const) {
    it(`answers ten calls over ${protocol} (sipp -t ${mode})`, async () => {
      const agent = OPEN.make({ userAgent: 'segy-test' });
      const { port } = await agent.listen({ protocol, address: '127.0.0.1', port: 0 });
      const events = { acks: 0, byes: 0 };
      agent.onProtocolError = ({ message }) => assert.fail(message);
      agent.onAck = () => (events.acks += 1);
      agent.onRequest = (tx) => {
        const response = createResponse(tx.request, 200);
        if (tx.request.method === 'INVITE') {
          parseSdp(tx.request.body);
          tx.respond(createResponse(tx.request, 180));
          response.headers.add('Contact', `<sip:127.0.0.1:${port};transport=${protocol}>`);
          response.headers.add('Content-Type', 'application/sdp');
          response.body = tx.request.body;
        } else events.byes += 1;
        tx.respond(response);
      };
      const status = await runSipp(`127.0.0.1:${port}`, ['-t', mode, '-sn', 'uac'], folder);
      assert.equal(status.code, 0, status.output);
      assert.deepEqual(events, { acks: 10, byes: 10 });
    });
  }

  it('calls SIPp: INVITE, ACK and BYE over udp', async () => {
    const caller = OPEN.make();
    await caller.listen({ protocol: 'udp', address: '127.0.0.1', port: 0 });
    const port = 20_000 + (process.pid % 20_000);
    const done = new AbortController();
    const uas = runSipp(undefined, ['-sn', 'uas', '-p', String(port)], folder, done.signal);
    const target = { protocol: 'udp', address: '127.0.0.1', port } as const;
    const headers = new SipHeaders([
      ['From', '<sip:ann@127.0.0.1>;tag=f'],
      ['To', '<sip:bob@127.0.0.1>'],
      ['Call-ID', `segy-${process.pid}`],
      ['CSeq', '1 INVITE'],
      ['Contact', '<sip:ann@127.0.0.1>'],
    ]);
    const request = (method: string, number: number, to?: string) => {
      const own = headers.clone();
      own.set('CSeq', `${number} ${method}`);
      if (to !== undefined) own.set('To', to);
      return {
        kind: 'request' as const,
        method,
        uri: `sip:bob@127.0.0.1:${port}`,
        headers: own,
        body: new Uint8Array(),
      };
    };
    const invite = caller.request(request('INVITE', 1), target);
    const bye = await new Promise<number>((resolve, reject) => {
      invite.onError = reject;
      invite.onFinal = (answer) => {
        const to = answer.headers.get('To') ?? '';
        caller.sendAck(request('ACK', 1, to), target);
        const end = caller.request(request('BYE', 2, to), target);
        end.onError = reject;
        end.onFinal = (response) => resolve(response.status);
      };
    });
    assert.equal(bye, 200);
    // SIPp would linger for four seconds more
    done.abort();
    await uas;
  });
});

/** Ends by itself after its calls, or is ended after eight seconds. */
function runSipp(
  target: string | undefined,
  options: readonly string[],
  cwd: string,
  signal?: AbortSignal,
): Promise<{ code: number | null; output: string }> {
  const all = [
    ...(target === undefined ? [] : [target]),
    ...options,
    ...['-i', '127.0.0.1', '-m', '10', '-r', '50', '-d', '0'],
    ...['-timeout', '8s', '-nostdin', '-max_socket', '1000'],
  ];
  return new Promise((resolve, reject) => {
    const child = spawn('sipp', all, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    signal?.addEventListener('abort', () => child.kill());
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output: output.slice(-2_000) }));
  });
}
