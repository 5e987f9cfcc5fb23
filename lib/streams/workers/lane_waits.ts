import type { StrandView } from '../../view.js';
import { FirstOf } from './first_of.js';

/** Waits for whatever comes first of several views and of this thread itself. */
export class LaneWaits {
  readonly #first = new FirstOf<StrandView>();

  /** Ends a wait. */
  poke(): void {
    this.#first.poke();
  }

  /** Settles when one of the views has got past its position, was ended or closed, or on `poke`. */
  async first(views: Iterable<readonly [StrandView, number]>, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const positions = new Map(views);
    await this.#first.wait(positions.keys(), (view) =>
      view.waitForCommit(positions.get(view) ?? 0, { signal }),
    );
    signal.throwIfAborted();
  }
}
