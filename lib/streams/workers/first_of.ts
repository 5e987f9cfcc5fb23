/**
 * Waits for whatever comes first of several things and of this thread itself. No wait is begun again while it is pending,
 * and a pending one is left with a single handler however often others come first.
 */
export class FirstOf<K> {
  readonly #pending = new Set<K>();
  #wake: (() => void) | undefined;

  /** Ends a wait. */
  poke(): void {
    this.#wake?.();
  }

  /** Settles once something has come, or has failed: whoever looks next sees what. @param begin begins the wait for one */
  async wait(all: Iterable<K>, begin: (key: K) => Promise<unknown>): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    for (const key of all) {
      if (this.#pending.has(key)) continue;
      this.#pending.add(key);
      const over = (): void => {
        this.#pending.delete(key);
        this.#wake?.();
      };
      begin(key).then(over, over);
    }
    await woken;
  }
}
