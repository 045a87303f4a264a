import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import fc from 'fast-check';
import { serialiseSip } from '../../src/sip/index.js';
import { Harness } from './support/harness.js';
import { until } from './support/peer.js';

describe('edge: damaged INVITEs of a partner', () => {
  let h: Harness;
  let socket: dgram.Socket;
  afterEach(async () => {
    socket.close();
    await h.stop();
  });

  it('end in a refusal or a clean call, never in a failed handler, a key or a header for the PBX', async () => {
    h = await Harness.start({
      partner: (p) => ({
        ...p,
        limits: { requestsPerSecond: 10_000, burst: 10_000, calls: 10_000 },
      }),
      limits: { setupMs: 200 },
    });
    socket = dgram.createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, h.mc.address, resolve));
    const request = h.mcInvite({ headers: [['X-SeGy-Session', 'forged']] });
    request.headers.prepend(
      'Via',
      `SIP/2.0/UDP ${h.mc.address}:${socket.address().port};branch=z9hG4bKBRANCH`,
    );
    request.headers.set('Call-ID', 'fuzz-BRANCH');
    const whole = Buffer.from(serialiseSip(request)).toString('latin1');
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.nat(6),
        fc.string({ maxLength: 5, unit: 'binary-ascii' }),
        async (at, cut, put) => {
          sent += 1;
          const text = (whole.slice(0, at) + put + whole.slice(at + cut)).replaceAll(
            'BRANCH',
            String(sent),
          );
          socket.send(Buffer.from(text, 'latin1'), h.outerAt.port, h.outerAt.address);
          await new Promise((resolve) => setImmediate(resolve));
        },
      ),
      { numRuns: 250 },
    );
    await until(() => h.edge.calls().every((call) => call.state !== 'checking'));
    assert.deepEqual(
      h.logged.filter((entry) => entry.event === 'sip.handler.failed'),
      [],
    );
    assert.ok(!h.codes().includes('SEGY_E_INTERNAL'));
    assert.ok(h.pbx.requests.all.length > 0);
    for (const { request: seen } of h.pbx.requests.all) {
      const text = Buffer.from(serialiseSip(seen)).toString();
      assert.doesNotMatch(text, /key-mgmt|forged|mcpttinfo/);
      assert.match(seen.uri, /^sip:200[12]@127\.0\.0\.1:[0-9]+$/);
    }
  });
});
