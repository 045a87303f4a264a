/**
 * Skips a test, or from a `before` hook all tests of its suite, with a reason that `npm test` prints.
 */
import type { Context } from 'mocha';

export function skipBecause(context: Context, reason: string): never {
  const runnable: object & { type?: string; parent?: object | undefined } = context.test ?? {};
  Object.assign((runnable.type === 'hook' ? runnable.parent : runnable) ?? {}, {
    skipReason: reason,
  });
  context.skip();
}
