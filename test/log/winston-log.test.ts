import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { createLog } from '../../src/log/index.js';
import type { LogOptions } from '../../src/log/index.js';

async function linesOf(
  options: Omit<LogOptions, 'stream'>,
  write: (log: ReturnType<typeof createLog>) => void,
): Promise<string[]> {
  const stream = new PassThrough();
  write(createLog({ ...options, stream }));
  await new Promise((resolve) => setImmediate(resolve));
  return String(stream.read() ?? '')
    .split('\n')
    .filter((line) => line !== '');
}

describe('log/winston-log', () => {
  it('writes one line an event, level and event before the fields', async () => {
    const [line] = await linesOf({ level: 'info', format: 'text' }, (log) =>
      log.warn('pbx.link.down', { partner: 'mc-a', attempt: 2 }),
    );
    assert.match(line!, /^\d{4}-\d\d-\d\dT[\d:.]+Z WARN pbx\.link\.down partner=mc-a attempt=2$/);
  });

  it('keeps text from the network inside its own field', async () => {
    const lines = await linesOf({ level: 'info', format: 'text' }, (log) =>
      log.info('sip.refused', { from: 'x" code=ok\n2026 INFO forged' }),
    );
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /from="x\\" code=ok\\n2026 INFO forged"$/);
  });

  it('never prints the octets of a byte string, at any depth', async () => {
    const secret = new Uint8Array([0xde, 0xad, 0xbe, 0xef]);
    for (const format of ['text', 'json'] as const) {
      const [line] = await linesOf({ level: 'info', format }, (log) =>
        log.info('key.opened', { key: secret, nested: { deeper: [secret] } }),
      );
      assert.doesNotMatch(line!, /deadbeef|222,173|"0":222/);
      assert.match(line!, /4 octets/);
    }
  });

  it('cuts long values and keeps quiet below its level', async () => {
    const lines = await linesOf({ level: 'info', format: 'json', maxValueLength: 8 }, (log) => {
      log.debug('hidden');
      log.info('shown', { value: 'x'.repeat(100) });
    });
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /"value":"x{8}…"/);
  });

  it('writes nothing that a terminal obeys or a reader takes for the end of a line', async () => {
    const hostile = '\u009b31m \u001b[2J \u2028 \u2029 \u202e \u0085 \r\n\u007f';
    for (const format of ['text', 'json'] as const) {
      const [line, more] = await linesOf({ level: 'info', format }, (log) =>
        log.info('sip.refused', { from: hostile }),
      );
      assert.equal(more, undefined);
      assert.match(line!, /^[ -~]+$/, format);
    }
  });
});
