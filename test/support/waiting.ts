/** Waiting in tests: always for something, always with an end. */

/** The end tells what never comes from what is late on a busy machine; nothing is asserted by it. */
const PATIENCE_MS = 30_000;

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until `condition` holds. @throws Error that names `what` when it does not in time */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  ms = PATIENCE_MS,
): Promise<void> {
  const giveUp = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > giveUp) throw new Error(`in ${ms} ms it did not come to this: ${what}`);
    await sleep(20);
  }
}

/** The least that `value` is at any time of the next 400 ms: what comes late on a busy machine is in none. */
export async function leastOf(value: () => number): Promise<number> {
  let least = value();
  for (let i = 0; i < 40; i += 1) {
    await sleep(10);
    least = Math.min(least, value());
  }
  return least;
}

/** `promise`, or an error that names `what` when it takes too long. */
export async function within<T>(what: string, promise: Promise<T>, ms = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`in ${ms} ms it did not come to this: ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
