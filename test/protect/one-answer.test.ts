/** What does not decrypt gets one answer, whatever was wrong with it, in words and in time. */
import assert from 'node:assert/strict';
import { utf8 } from '../../src/base/bytes.js';
import { SegyError } from '../../src/base/errors.js';
import { decryptDocument, encryptDocument } from '../../src/protect/index.js';
import { INFO_XML, opening, SEALING, spk, textOf } from './support.js';

const ROUNDS = 400;
/** medians farther apart than this tell one failure from another */
const LIMIT = 1.5;
const TRIES = 5;

const sealed = textOf(encryptDocument(utf8(INFO_XML), SEALING));

/** The first CipherValue with the octet at `at` changed. */
function changedAt(at: number): Uint8Array {
  const text = sealed.replace(/<CipherValue>([^<]+)/, (_, value: string) => {
    const octets = Buffer.from(value, 'base64');
    const index = (at + octets.length) % octets.length;
    octets[index] = octets[index]! ^ 1;
    return `<CipherValue>${octets.toString('base64')}`;
  });
  return utf8(text);
}

const right = opening();
const FAILURES: readonly [string, Uint8Array, ReturnType<typeof opening>][] = [
  ['another IV', changedAt(0), right],
  ['the first octet of the text', changedAt(12), right],
  ['the last octet of the text', changedAt(-17), right],
  ['the first octet of the tag', changedAt(-16), right],
  ['the last octet of the tag', changedAt(-1), right],
  ['another key', utf8(sealed), opening(spk({ key: new Uint8Array(16) }))],
  ['another identity', utf8(sealed), { ...right, p0: 'sip:mallory@mc-a.example' }],
];

function failureOf(octets: Uint8Array, keys: ReturnType<typeof opening>): SegyError {
  try {
    decryptDocument(octets, keys, true);
  } catch (error) {
    if (error instanceof SegyError) return error;
    throw error;
  }
  throw new Error('it was decrypted');
}

/** Median nanoseconds of each failure; they take turns. */
function medians(): number[] {
  const times = FAILURES.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, [, octets, keys]] of FAILURES.entries()) {
      const start = process.hrtime.bigint();
      failureOf(octets, keys);
      times[index]!.push(Number(process.hrtime.bigint() - start));
    }
  }
  return times.map((all) => all.toSorted((a, b) => a - b)[ROUNDS / 2]!);
}

describe('protect: what does not decrypt', () => {
  it('is refused with one code and one text', () => {
    const answers = FAILURES.map(([, octets, keys]) => {
      const { code, message } = failureOf(octets, keys);
      return `${code} ${message}`;
    });
    assert.equal(new Set(answers).size, 1, answers.join('\n'));
    assert.match(answers[0]!, /^SEGY_E_XML_DECRYPT /);
  });

  it('is refused in one time, whichever octet, key or identity was wrong', function () {
    this.timeout(60_000);
    let apart = Infinity;
    let seen = '';
    for (let tries = 0; apart >= LIMIT && tries < TRIES; tries += 1) {
      const all = medians();
      apart = Math.min(apart, Math.max(...all) / Math.min(...all));
      seen = FAILURES.map(([name], index) => `${name}: ${all[index]} ns`).join('\n');
    }
    assert.ok(apart < LIMIT, `${apart}\n${seen}`);
  });
});
