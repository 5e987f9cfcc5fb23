// A list of integers in shared memory, as long as it has to be. Word 0 counts; the integers follow.

/** The registry's key of the list. */
export const LIST = 1;

export const emptyList = (capacity) => new Int32Array(new SharedArrayBuffer(4 * (1 + capacity)));

/**
 * Adds integers. The section has the list for itself; what it returns, a larger one, takes the list's place for
 * everybody. Where there is room nothing is replaced: all threads have the same memory.
 */
export function append(registry, integers) {
  return registry.lock(LIST, (list) => {
    const count = list[0] + integers.length;
    const isFull = count >= list.length;
    const target = isFull ? emptyList(2 * count) : list;
    if (isFull) target.set(list);
    target.set(integers, 1 + list[0]);
    target[0] = count;
    return isFull ? target : undefined;
  });
}
