import type { StrandView } from '../../view.js';

/** Waits for whatever comes first of several views and of this thread itself; none is begun twice. */
export class LaneWaits {
  readonly #pending = new Map<StrandView, Promise<unknown>>();
  #poke: (() => void) | undefined;

  /** Ends a wait. */
  poke(): void {
    this.#poke?.();
  }

  /** Settles when one of the views has got past its position, was ended or closed, or on `poke`. */
  async first(views: Iterable<readonly [StrandView, number]>, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const waits: Promise<unknown>[] = [
      new Promise<void>((resolve) => {
        this.#poke = resolve;
      }),
    ];
    for (const [view, after] of views) {
      const wait =
        this.#pending.get(view) ??
        view.waitForCommit(after, { signal }).finally(() => {
          this.#pending.delete(view);
        });
      // Of several that are raced the others may fail unheard: whoever looks next sees why.
      wait.catch(() => {});
      this.#pending.set(view, wait);
      waits.push(wait);
    }
    await Promise.race(waits);
  }
}
