/** Ends of waits by signals: one listener a signal, since Node.js warns of more than ten. */
export class Aborts {
  readonly #waits = new Map<AbortSignal, Set<() => void>>();

  /** Has `end` called when the signal aborts, until it is removed. */
  add(signal: AbortSignal, end: () => void): void {
    let ends = this.#waits.get(signal);
    if (ends === undefined) {
      ends = new Set();
      this.#waits.set(signal, ends);
      signal.addEventListener('abort', this.#onAbort, { once: true });
    }
    ends.add(end);
  }

  remove(signal: AbortSignal, end: () => void): void {
    const ends = this.#waits.get(signal);
    if (ends === undefined) return;
    ends.delete(end);
    if (ends.size > 0) return;
    this.#waits.delete(signal);
    signal.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = ({ target }: Event): void => {
    for (const end of [...(this.#waits.get(target as AbortSignal) ?? [])]) end();
  };
}
