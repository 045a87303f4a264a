import assert from 'node:assert/strict';
import fc from 'fast-check';
import { toHex } from '../../src/base/bytes.js';
import { SegyError } from '../../src/base/errors.js';
import type { SlowCrypto } from '../../src/crypto/index.js';
import {
  type OpenContext,
  openIMessage,
  parseIMessage,
  serialiseIMessage,
  walkIMessage,
} from '../../src/mikey/index.js';
import { slow } from '../support/mikey-kit.js';
import { KEY, makeContext, makeMessage } from '../support/mikey-scene.js';
import { BROKEN } from './broken/index.js';

/** Slow crypto that counts decapsulations. */
function counted(): { slow: SlowCrypto; calls: () => number } {
  let calls = 0;
  return {
    slow: {
      ...slow,
      decapsulate: (request, options) => {
        calls += 1;
        return slow.decapsulate(request, options);
      },
    },
    calls: () => calls,
  };
}

const codeOf = (error: unknown): string =>
  error instanceof SegyError ? error.code : String(error);

const outcomeOf = (octets: Uint8Array, context: OpenContext): Promise<string> =>
  openIMessage(octets, context).then(() => 'opened', codeOf);

describe('the order of checks', () => {
  it('never decapsulates before the signature verified', async () => {
    const before = new Set(['SIGNATURE', 'SYNTAX', 'TRUNCATED', 'VERSION', 'UNSUPPORTED', 'WINDOW',
      'MISSING_PAYLOAD', 'KMS_UNKNOWN', 'KMS_NOT_ALLOWED', 'NOT_ADDRESSEE', 'INITIATOR', 'PERIOD',
      'REPLAYED', 'POLICY']); // prettier-ignore
    const early = BROKEN.filter(({ code, name }) => before.has(code) && !name.startsWith('an SPI'));
    assert.ok(early.length > 80);
    for (const { message, context } of early) {
      const { slow: counting, calls } = counted();
      const surroundings = { ...(await (context ?? makeContext)()), slow: counting };
      await openIMessage(await message(), surroundings).catch(codeOf);
      assert.equal(calls(), 0);
    }
  });

  it('asks the replay record before the signature and enters only what verified', async () => {
    const seen: string[] = [];
    const entered: string[] = [];
    const replay = {
      seen: (id: string) => {
        seen.push(id);
        return 'new' as const;
      },
      enter: (id: string) => void entered.push(id),
    };
    const octets = await makeMessage();
    const context = await makeContext({ replay });
    const bad = octets.with(-100, (octets.at(-100) ?? 0) ^ 1);
    assert.equal(await openIMessage(bad, context).catch(codeOf), 'SEGY_E_MIKEY_SIGNATURE');
    assert.deepEqual([seen.length, entered.length], [1, 0]);
    const opened = await openIMessage(octets, context);
    assert.deepEqual(entered, [opened.replayId]);
    assert.deepEqual(seen, [opened.replayId, opened.replayId]);
  });

  it('enters nothing for the same message in the same dialog', async () => {
    const entered: string[] = [];
    const replay = {
      seen: () => 'same-dialog' as const,
      enter: (id: string) => void entered.push(id),
    };
    await openIMessage(await makeMessage(), await makeContext({ replay }));
    assert.deepEqual(entered, []);
  });

  it('hands out no key when the audit record cannot be written, and wipes it', async () => {
    let key: Uint8Array | undefined;
    const keeping: SlowCrypto = {
      ...slow,
      decapsulate: async (request) => (key = await slow.decapsulate(request)),
    };
    const context = await makeContext({
      slow: keeping,
      beforeKeyUse: () => Promise.reject(new SegyError('SEGY_E_AUDIT', 'disk full')),
    });
    const outcome = await openIMessage(await makeMessage(), context).catch(codeOf);
    assert.equal(outcome, 'SEGY_E_AUDIT');
    assert.equal(toHex(key ?? KEY), '00'.repeat(16));
  });

  it('tells the audit who, whom and which key, and no key octet', async () => {
    let told = '';
    const context = await makeContext({
      beforeKeyUse: (facts) => {
        told = JSON.stringify(facts, (_, value: unknown) =>
          value instanceof Uint8Array ? toHex(value) : value,
        );
        return Promise.resolve();
      },
    });
    await openIMessage(await makeMessage(), context);
    assert.match(told, /sip:alice@mc-a\.example.*sip:radio\.1@segy\.example/);
    assert.ok(!told.includes(toHex(KEY)));
  });
});

describe('an I_MESSAGE that was tampered with', () => {
  it('is refused when cut at any octet', async () => {
    const octets = await makeMessage({ type: 'GMK' });
    const context = await makeContext();
    for (let length = 0; length < octets.length; length++) {
      const outcome = await outcomeOf(octets.subarray(0, length), context);
      assert.match(outcome, /^SEGY_E_MIKEY_/, `cut at ${length}`);
    }
  });

  it('is refused when any octet is changed', async () => {
    const octets = await makeMessage({ type: 'GMK' });
    const context = await makeContext();
    for (let at = 0; at < octets.length; at++) {
      const flipped = octets.with(at, (octets[at] ?? 0) ^ (1 << (at % 8)));
      const outcome = await outcomeOf(flipped, context);
      assert.match(outcome, /^SEGY_E_MIKEY_/, `octet ${at}`);
    }
  });

  it('is answered with a code however it is garbled', async () => {
    const octets = await makeMessage();
    const context = await makeContext();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(octets.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        fc.nat(octets.length),
        fc.uint8Array({ maxLength: 12 }),
        async (changes, cut, inserted) => {
          const garbled = new Uint8Array(octets);
          for (const [at, value] of changes) garbled[at] = value;
          const whole = new Uint8Array([
            ...garbled.subarray(0, cut),
            ...inserted,
            ...garbled.subarray(cut),
          ]);
          if (toHex(whole) === toHex(octets)) return;
          const outcome = await outcomeOf(whole, context);
          assert.match(outcome, /^SEGY_E_MIKEY_/);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('is parsed to what serialises to the same octets, or refused', () => {
    const header = Buffer.from('011a050112345678', 'hex');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (rest) => {
        const octets = new Uint8Array([...header, ...rest]);
        try {
          assert.equal(toHex(serialiseIMessage(parseIMessage(octets))), toHex(octets));
          walkIMessage(octets);
        } catch (error) {
          assert.match(codeOf(error), /^SEGY_E_MIKEY_(?:TRUNCATED|UNSUPPORTED|SYNTAX)$/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
