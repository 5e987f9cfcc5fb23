/** A turn of the event loop gives way to others after this time. */
const TURN_MILLIS = 5;

/** Work that goes on as long as there is any, and gives its thread's other work a turn now and then. */
export class Turns {
  #ends = performance.now() + TURN_MILLIS;

  /** Begins a turn. */
  begin(): void {
    this.#ends = performance.now() + TURN_MILLIS;
  }

  /** Whether others are due. */
  get over(): boolean {
    return performance.now() >= this.#ends;
  }

  /** Lets others have their turn if they are due. */
  async give(): Promise<void> {
    if (!this.over) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.begin();
  }
}
