/** Waits of a check that end in time. */

/** for one thing that is asked of another program, in milliseconds */
export const PATIENCE_MS = 3000;

/** Gives `work` a signal that ends it in time. Its timer keeps the process alive, unlike AbortSignal.timeout. */
export async function patiently<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      controller.abort();
      reject(new Error('no answer in time'));
    }, PATIENCE_MS);
  });
  try {
    return await Promise.race([work(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
