/** Waits for it no longer than that, in milliseconds; what it does goes on. A request that waits keeps the process alive, what goes on behind it (`isBackground`) does not. */
export async function within<T>(patience: number, work: () => Promise<T>, isBackground = false): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    // Once more round: if this process stood still the answer may lie in its socket, which is read after timers.
    timer = setTimeout(() => setImmediate(() => reject(new Late(`No answer within ${patience / 1_000} s.`))), patience);
    if (isBackground) timer.unref();
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** There was no answer in time. */
export class Late extends Error {}
