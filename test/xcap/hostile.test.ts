import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseXcapPath } from '../../src/xcap/index.js';
import { openListener, Certificates, curl } from '../https/support.js';
import { assertCheapToWait } from '../support/effort.js';
import { needTool } from '../xmldsig/support.js';
import { ask, AUID, DOCUMENT, MemoryUsage, serverOver, TYPE } from './support.js';

const PATH = `${AUID}/global/byGroupID/sip:tg1@lmr.example`;
const KNOWN = new Set([200, 201, 304, 400, 403, 404, 405, 409, 412, 415, 503]);

describe('hostile XCAP requests', () => {
  const pieces = fc.constantFrom(
    ...['/', '~~', '%7e', '%2f', '%00', '%ff', '..', '.', '[', ']', '@', '"', "'", '=', '*', '::'],
    ...['g', 'e', 'uri', 'p:', '%5b1%5d', '&quot;', '&x;', 'namespace', 'global', 'users', AUID],
  );
  const text = fc.oneof(
    fc.array(pieces, { maxLength: 24 }).map((parts) => parts.join('')),
    fc.string({ maxLength: 60, unit: 'binary' }),
  );

  it('end in a known status, whatever the path, the query and the conditions are', async () => {
    const usage = new MemoryUsage();
    usage.documents.set(PATH, DOCUMENT);
    const server = serverOver(usage);
    const methods = fc.constantFrom('GET', 'HEAD', 'PUT', 'DELETE', 'POST', 'PATCH', 'x');
    await fc.assert(
      fc.asyncProperty(
        methods,
        text,
        fc.boolean(),
        text,
        text,
        async (method, tail, below, a, b) => {
          usage.documents.set(PATH, DOCUMENT);
          const path = below ? `${PATH}/~~/${tail}` : tail;
          const type = below ? 'application/xcap-el+xml' : TYPE;
          const conditions = tail.length % 2 === 0 ? {} : { 'If-Match': a, 'If-None-Match': b };
          const headers = { 'Content-Type': type, ...conditions };
          const answer = await ask(server, { method, path, query: a, headers, body: b });
          assert.ok(KNOWN.has(answer.status), `${method} ${path}: ${answer.status}`);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('as paths name a document whose segments are neither empty nor hold control characters', () => {
    fc.assert(
      fc.property(text, (path) => {
        const uri = parseXcapPath(path);
        if (uri === undefined) return;
        const { auid, xui, path: below } = uri.document;
        for (const each of [auid, xui ?? 'x', ...below]) assert.match(each, /^[^\p{Cc}]+$/u);
      }),
      { numRuns: 3000 },
    );
  });

  it('of the longest path that the listener takes cost little', async () => {
    const server = serverOver(new MemoryUsage());
    for (const tail of ['a/'.repeat(8000), `${'a'.repeat(8000)}:`.repeat(2), '['.repeat(16_000)]) {
      await assertCheapToWait('its answer', 10, () => ask(server, { path: `${PATH}/~~/${tail}` }));
    }
  });
});

describe('the XCAP server behind its listener', () => {
  let certificates: Certificates;
  before(() => (certificates = new Certificates()));
  after(() => certificates.remove());

  it('answers a stranger before the body is sent, and a writer with too much of it 413', async function () {
    needTool(this, 'curl');
    const usage = new MemoryUsage();
    const listener = await openListener(certificates, [serverOver(usage)]);
    try {
      const url = `https://localhost:${listener.port}/xcap-root/${PATH}`;
      const body = ['-X', 'PUT', '-H', `Content-Type: ${TYPE}`, '--data-binary', 'x'.repeat(9000)];
      const waits = ['-H', 'Expect: 100-continue', '--expect100-timeout', '5'];
      const stranger = await curl(certificates, url, ...body, ...waits, '-w', '%{size_upload}');
      assert.deepEqual([stranger.status, stranger.body], [401, '0']);
      const writer = ['-H', 'X-Caller: writer'];
      assert.equal((await curl(certificates, url, ...body, ...waits, ...writer)).status, 201);
      const large = [...body.slice(0, -1), 'x'.repeat(40_001), ...writer];
      assert.equal((await curl(certificates, url, ...large)).status, 413);
      assert.equal(usage.seen.length, 1);
    } finally {
      await listener.close();
    }
  });

  it('keeps a connection for the next request', async function () {
    needTool(this, 'curl');
    const usage = new MemoryUsage();
    usage.documents.set(PATH, DOCUMENT);
    const listener = await openListener(certificates, [serverOver(usage)]);
    try {
      const url = `https://localhost:${listener.port}/xcap-root/${PATH}`;
      const caller = ['-H', 'X-Caller: reader'];
      const both = await curl(certificates, url, ...caller, url, '-w', '%{num_connects};');
      assert.equal(both.status, 200);
      assert.deepEqual(both.body.match(/\d;/g), ['1;', '0;']);
    } finally {
      await listener.close();
    }
  });
});
