import assert from 'node:assert/strict';
import { readSubscriptionState } from '../../../src/edge/groups/subscription-state.js';

describe('edge: Subscription-State of a NOTIFY', () => {
  for (const [text, expected] of [
    ['active', { expires: null }],
    ['Active ; Expires = 90', { expires: 90 }],
    ['pending;expires=1e9', { expires: null }],
    ['', { expires: null }],
    ['terminated', { reason: '', waitMs: 2000 }],
    ['terminated;reason=deactivated', { reason: 'deactivated', waitMs: 500 }],
    ['terminated;reason=timeout', { reason: 'timeout', waitMs: 500 }],
    ['terminated;reason=probation', { reason: 'probation', waitMs: 60_000 }],
    ['terminated;reason=probation;retry-after=5', { reason: 'probation', waitMs: 5000 }],
    ['TERMINATED;retry-after=7;reason=giveup', { reason: 'giveup', waitMs: 7000 }],
    ['terminated;reason=rejected;retry-after=1', { reason: 'rejected', waitMs: 3_600_000 }],
    ['terminated;reason=noresource', { reason: 'noresource', waitMs: 3_600_000 }],
    ['terminated;reason=invariant', { reason: 'invariant', waitMs: 3_600_000 }],
    ['terminated;reason=constructor', { reason: 'constructor', waitMs: 2000 }],
  ] as const) {
    it(`reads "${text}"`, () => {
      assert.deepEqual(readSubscriptionState(text), expected);
    });
  }
});
