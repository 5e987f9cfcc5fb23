/** What a promise resolves to; undefined as soon as a signal is aborted, whatever becomes of the promise then. */
export async function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
): Promise<{ readonly value: T } | undefined> {
  const settled = promise.then((value) => ({ value }));
  if (signal.aborted) {
    settled.catch(() => {});
    return undefined;
  }
  let onAbort = (): void => {};
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([settled, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
