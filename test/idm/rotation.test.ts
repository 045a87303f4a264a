import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeProtectedHeader } from 'jose';
import type { AccessTokens, AccessTokenKeys } from '../../src/idm/index.js';
import { accessTokens, ALICE, directoryOf, keyRoom, openKeys, partner } from './idm-scene.js';
import type { KeyRoom } from './idm-scene.js';
import { SEED } from '../support/seed.js';

const LIFE_MS = 600_000;
const GRACE_MS = 30_000;
const a = partner('a');
const grant = {
  partner: a,
  clientId: 'client-a',
  subject: 'alice',
  serviceIds: { MCPTT: ALICE },
  scopes: ['3gpp:mc:ptt_group_management_service'],
};

interface Issued {
  readonly token: string;
  readonly kid: string;
  readonly expiresAt: number;
}

/** The IdM's tokens and keys through a life of rotations, restarts and time that passes. */
class Life {
  readonly issued: Issued[] = [];
  ended = new Set<string>();
  room!: KeyRoom;
  keys!: AccessTokenKeys;
  tokens!: AccessTokens;

  async begin(): Promise<this> {
    this.room = await keyRoom();
    await this.#open();
    return this;
  }

  async restart(): Promise<void> {
    this.keys.close();
    await this.#open();
  }

  async #open(): Promise<void> {
    this.keys = await openKeys(this.room, { longestTokenMs: LIFE_MS });
    this.tokens = accessTokens(this.room, this.keys, directoryOf([a]));
  }

  async issue(): Promise<void> {
    const { token, lifeSeconds } = await this.tokens.issue(grant);
    const kid = decodeProtectedHeader(token).kid ?? '';
    // a token's times are whole seconds
    const issuedAt = Math.floor(this.room.timers.now / 1000) * 1000;
    this.issued.push({ token, kid, expiresAt: issuedAt + lifeSeconds * 1000 });
  }

  async rotate(endOld: boolean): Promise<void> {
    const before = this.keys.jwks().keys.map(({ kid }) => kid ?? '');
    await this.keys.rotate({ endOld }).catch((error: unknown) => {
      assert.equal((error as { code?: string }).code, 'SEGY_E_BUSY');
      endOld = false;
    });
    if (endOld) for (const kid of before) this.ended.add(kid);
  }

  /** Every token that lives opens, and its key is published; every other one opens nothing. */
  async check(): Promise<void> {
    const now = this.room.timers.now;
    const published = new Set(this.keys.jwks().keys.map(({ kid }) => kid));
    assert.equal(this.keys.list().filter(({ state }) => state === 'signing').length, 1);
    for (const { token, kid, expiresAt } of this.issued) {
      const lives = now < expiresAt && !this.ended.has(kid);
      const opens = await this.tokens.verify(token).then(
        () => true,
        () => false,
      );
      assert.equal(opens, lives, `${kid} at ${now}, end ${expiresAt}`);
      if (lives) assert.ok(published.has(kid));
      if (this.ended.has(kid)) assert.ok(!published.has(kid));
    }
    for (const { kid, until } of this.keys.list()) {
      assert.ok(until === null || until <= now + LIFE_MS + GRACE_MS, kid);
    }
  }
}

describe(`Rotation of the IdM's keys (seed ${SEED})`, () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant({ does: 'issue' } as const) },
    {
      weight: 3,
      arbitrary: fc.record({ does: fc.constant('pass' as const), ms: fc.nat(900_000) }),
    },
    { weight: 2, arbitrary: fc.constant({ does: 'rotate' } as const) },
    { weight: 1, arbitrary: fc.constant({ does: 'end' } as const) },
    { weight: 2, arbitrary: fc.constant({ does: 'restart' } as const) },
  );

  it('keeps every living token good and no dead one, whatever happens in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 20 }), async (steps) => {
        const life = await new Life().begin();
        for (const each of steps) {
          if (each.does === 'issue') await life.issue();
          else if (each.does === 'pass') life.room.timers.now += each.ms;
          else if (each.does === 'restart') await life.restart();
          else await life.rotate(each.does === 'end');
          await life.check();
        }
        life.keys.close();
      }),
      {
        numRuns: 120,
        examples: [
          // a token made between two seconds is dead a part of a second before its life is over
          [[{ does: 'pass', ms: 122 }, { does: 'issue' }, { does: 'pass', ms: 599_878 }]],
        ],
      },
    );
  });
});
