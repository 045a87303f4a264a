/**
 * What lets somebody in: the token of a file, or one that `segy console token` gave out, which is good
 * once and for a few minutes. Both are compared as SHA-256, all of them each time, in constant time.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Environment } from '../base/environment.js';
import { TokenBucket } from '../base/token-bucket.js';
import type { ConsoleLimits } from './limits.js';

const TOKEN_OCTETS = 32;
/** Shortest and longest token, in characters. */
export const MIN_TOKEN = 32;
const MAX_TOKEN = 256;

export interface LoginTokensOptions {
  /** the token of the file as it is now; undefined where there is none */
  readonly fileToken: () => string | undefined;
  readonly env: Pick<Environment, 'clock' | 'random'>;
  readonly limits: Pick<
    ConsoleLimits,
    'logInBurst' | 'logInEveryMs' | 'oneTimeMs' | 'oneTimeTokens'
  >;
}

export type LogIn = 'file' | 'one-time' | 'wrong' | 'too many';

export class LoginTokens {
  readonly #options: LoginTokensOptions;
  readonly #bucket: TokenBucket;
  #oneTime: { readonly hash: Buffer; readonly endsAt: number }[] = [];

  constructor(options: LoginTokensOptions) {
    this.#options = options;
    const { logInBurst, logInEveryMs } = options.limits;
    this.#bucket = new TokenBucket(options.env.clock, 1000 / logInEveryMs, logInBurst);
  }

  /** A new one-time token of 256 random bits; of too many the oldest is good no more. */
  issue(): { readonly token: string; readonly seconds: number } {
    const { env, limits } = this.#options;
    const token = Buffer.from(env.random(TOKEN_OCTETS)).toString('base64url');
    const endsAt = env.clock.now() + limits.oneTimeMs;
    this.#oneTime = [...this.#oneTime, { hash: hashOf(token), endsAt }].slice(
      -limits.oneTimeTokens,
    );
    return { token, seconds: limits.oneTimeMs / 1000 };
  }

  check(given: string): LogIn {
    if (!this.#bucket.take()) return 'too many';
    if (given.length < MIN_TOKEN || given.length > MAX_TOKEN) return 'wrong';
    const hash = hashOf(given);
    const now = this.#options.env.clock.now();
    const good = this.#oneTime.filter(({ endsAt }) => now < endsAt);
    const rest = good.filter((each) => !timingSafeEqual(each.hash, hash));
    this.#oneTime = rest;
    const fileToken = this.#options.fileToken();
    const isFile = fileToken !== undefined && timingSafeEqual(hashOf(fileToken), hash);
    if (isFile) return 'file';
    return rest.length < good.length ? 'one-time' : 'wrong';
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
