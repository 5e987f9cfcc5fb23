/** A number of things that may be under way at once. */
export class Slots {
  #count: number;
  #free: number;
  #isClosed = false;
  readonly #waiting: ((isGranted: boolean) => void)[] = [];

  constructor(count: number) {
    this.#count = count;
    this.#free = count;
  }

  /** Changes their number. What is under way goes on, also where there are fewer slots now. */
  resize(count: number): void {
    this.#free += count - this.#count;
    this.#count = count;
    this.#admit();
  }

  /** Resolves with true when there is one, first come first served; with false when they are closed. */
  take(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#admit();
    });
  }

  give(): void {
    this.#free++;
    this.#admit();
  }

  /** Nobody gets one any more. */
  close(): void {
    this.#isClosed = true;
    this.#admit();
  }

  #admit(): void {
    while (this.#isClosed || this.#free > 0) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      if (!this.#isClosed) this.#free--;
      next(!this.#isClosed);
    }
  }
}
