import type { Table } from './table.js';

interface Waiting {
  readonly thread: number;
  readonly resolve: () => void;
}

/** A wait for a thread. */
export interface ReadyWait {
  readonly done: Promise<void>;
  /** Gives it up: `done` resolves. */
  readonly end: () => void;
}

/** Who takes part besides this thread, and waits for threads that will. */
export class MemberList {
  readonly #table: Table;
  readonly #waiting = new Set<Waiting>();

  constructor(table: Table) {
    this.#table = table;
  }

  /** Serials of the other members: those that have received everything first, of these the oldest. */
  others(): number[] {
    return this.#table
      .members()
      .filter(({ serial }) => serial !== this.#table.serial)
      .sort((a, b) => Number(b.isReady) - Number(a.isReady) || a.serial - b.serial)
      .map(({ serial }) => serial);
  }

  /** Waits until a thread takes part and has received what there was. */
  ready(thread: number): ReadyWait {
    let end = (): void => {};
    const done = new Promise<void>((resolve) => {
      const waiting = { thread, resolve };
      this.#waiting.add(waiting);
      end = () => {
        this.#waiting.delete(waiting);
        resolve();
      };
    });
    this.changed();
    return { done, end };
  }

  /** To be called when a change among the members rings. */
  changed(): void {
    if (this.#waiting.size === 0) return;
    const ready = new Set(this.#table.members().flatMap(({ thread, isReady }) => (isReady ? [thread] : [])));
    for (const waiting of this.#waiting) {
      if (!ready.has(waiting.thread)) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }

  close(): void {
    for (const { resolve } of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
