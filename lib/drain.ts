import type { ReadWindow } from './codec/read_window.js';
import type { NativeView } from './native_types.js';
import { abortError, Status, statusError } from './status_error.js';
import type { StrandView } from './view.js';
import type { ViewWaits } from './view_waits.js';

/** Where a registered consumer starts: at the oldest record that nobody has released, behind the latest, or at a position. */
export type ConsumerStart = 'oldest' | 'latest' | number;

/** What a drain uses of its view. */
export interface DrainedView {
  readonly native: NativeView;
  readonly window: ReadWindow;
  readonly waits: ViewWaits;
  /** Releases without looking at what it comes to. → Status */
  readonly acknowledge: (upTo: number) => number;
}

/**
 * One consumer's way through a stream, from the oldest record that nobody has released to the end. Where other consumers
 * are registered it is registered, too.
 */
export class Drain {
  readonly #view: StrandView;
  readonly #native: NativeView;
  readonly #window: ReadWindow;
  readonly #waits: ViewWaits;
  readonly #acknowledge: (upTo: number) => number;
  #seq: number;
  #epoch: number;
  #token: number | undefined;
  /** Whether it has a position of its own in any case. */
  readonly #registers: boolean;

  /** Enters the present stream. @param from registers a consumer that starts there */
  constructor(view: StrandView, { native, window, waits, acknowledge }: DrainedView, from?: ConsumerStart) {
    this.#view = view;
    this.#acknowledge = acknowledge;
    this.#native = native;
    this.#window = window;
    this.#waits = waits;
    waits.look(0);
    this.#registers = from !== undefined;
    const start = from === 'latest' ? view.committedCount : from;
    if (start === undefined) this.#registerBesideOthers();
    else this.#token = view.registerConsumer({ from: start });
    this.#epoch = window.epoch;
    this.#seq = typeof start === 'number' ? start : view.effectiveReadCursor;
  }

  /** The oldest record that this consumer has not released. */
  get seq(): number {
    return this.#seq;
  }

  /**
   * One look past record `after`, which comes behind what was released.
   *
   * @returns the position behind the committed records; `after` itself at the end of the stream; undefined where nothing
   *   has come yet
   * @throws StrandAbortError the stream has ended with an error, and there is nothing more
   * @throws StrandResetError, StrandClosedError
   */
  look(after = this.#seq): number | undefined {
    const over = this.#waits.look(after);
    const window = this.#window;
    if (window.epoch !== this.#epoch) {
      // A look past 0 enters the stream that has begun meanwhile, which has voided the token.
      this.#epoch = window.epoch;
      this.#token = undefined;
      this.#registerBesideOthers();
      this.#seq = this.#view.effectiveReadCursor;
      return this.look();
    }
    if (window.committed > after) return window.committed;
    if (!over) return undefined;
    if (this.#view.status === 'error' && after === this.#view.committedCount) {
      throw abortError('the producer', this.#view.error ?? '');
    }
    return this.#view.status === 'eos' && after === this.#view.committedCount ? after : undefined;
  }

  /** The same, waiting until there is something. @param signal ends the wait with its reason */
  async next(after = this.#seq, signal?: AbortSignal): Promise<number> {
    const wait = signal === undefined ? {} : { signal };
    for (;;) {
      signal?.throwIfAborted();
      const found = this.look(after);
      if (found !== undefined) return found;
      await this.#view.waitForCommit(after, wait);
    }
  }

  /** Gives the room of the records below `upTo` back; registers where others have registered meanwhile. */
  release(upTo: number): void {
    this.#seq = upTo;
    if (this.#token === undefined) {
      const status = this.#acknowledge(upTo);
      if (status === Status.OK) return;
      if (status !== Status.TOKEN_REQUIRED) this.#view.acknowledgeRead(upTo);
      this.#token = this.#view.registerConsumer();
    }
    if (upTo >= this.#view.effectiveReadCursor) this.#view.acknowledgeRead(upTo, this.#token);
  }

  /** Ends the registration. */
  close(): void {
    if (this.#token === undefined) return;
    const status = this.#native.releaseConsumer(this.#token);
    this.#token = undefined;
    // A reset or the view's close() has released it already.
    const gone: readonly number[] = [Status.OK, Status.RESET, Status.GONE, Status.CLOSED, Status.BAD_TOKEN];
    if (!gone.includes(status)) throw statusError(status, () => '');
  }

  /** The same before the end of the stream: if nobody else is registered, the producer is stopped, too. */
  abandon(reason: string): void {
    // A stream that a reset has begun is none of this reader's.
    const wasReset = this.#native.refresh() !== Status.OK || this.#window.epoch !== this.#epoch;
    this.close();
    const { producerStatus } = this.#view;
    const isOver = producerStatus === 'eos' || producerStatus === 'error';
    if (!isOver && !wasReset && !this.#othersRegistered()) this.#view.signalAbort(reason);
  }

  #registerBesideOthers(): void {
    if (this.#token !== undefined || !(this.#registers || this.#othersRegistered())) return;
    this.#token = this.#view.registerConsumer();
  }

  #othersRegistered(): boolean {
    return this.#acknowledge(0) === Status.TOKEN_REQUIRED;
  }
}
