import { END, NONE } from '../chunk_source.js';
import type { StrandSource } from '../strand_source.js';
import { Turns } from '../turns.js';

/** The ring's end, by an abort, is what ends a wait. */
const NEVER = new AbortController().signal;

/**
 * What a worker's function reads: an async iterable of records, or of `Buffer`s where the stream takes bytes. A record's
 * room in the ring is given back when the one behind its batch is asked for; the record itself belongs to the function.
 */
export class WorkerSource<T = unknown> implements AsyncIterable<T> {
  readonly #source: StrandSource<readonly T[] | T>;
  readonly #binary: boolean;
  readonly #turns = new Turns();
  #ended = false;
  /** Records that were taken together and not given out: whoever iterates next, in whatever way, is given them first. */
  #batch: readonly T[] = [];
  #at = 0;
  /** Askers that wait for records, one behind the other. */
  #asking = 0;
  #turn: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(source: StrandSource<readonly T[] | T>, binary: boolean) {
    this.#source = source;
    this.#binary = binary;
  }

  /** @internal Whether all was read. */
  get ended(): boolean {
    return this.#ended;
  }

  /** @internal The records, or bytes, that are there together; undefined at the end. */
  async next(): Promise<readonly T[] | T | undefined> {
    for (;;) {
      this.#source.releasePart(0);
      const chunk = this.#source.take();
      if (chunk === END) {
        this.#ended = true;
        this.#source.release(0);
        return undefined;
      }
      if (chunk !== NONE) {
        // All of it may go on in microtasks: timers and messages of the worker's file are to be heard as well.
        await this.#turns.give();
        return chunk;
      }
      this.#source.release(0);
      await this.#source.wait(NEVER);
      this.#turns.begin();
    }
  }

  /** The same records in arrays of those that are there together, which costs less; of bytes the same as iterating. */
  async *batches(): AsyncGenerator<readonly T[], void, undefined> {
    for (;;) {
      const batch = await this.#inTurn(async () => ((await this.#fill()) ? this.#takeBatch() : undefined));
      if (batch === undefined) return;
      yield batch;
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    const more = async (): Promise<IteratorResult<T, undefined>> =>
      (await this.#fill())
        ? { done: false, value: this.#batch[this.#at++] as T }
        : { done: true, value: undefined };
    return {
      // A promise that is fulfilled already costs half of an async function's.
      next: () =>
        this.#asking === 0 && this.#at < this.#batch.length
          ? Promise.resolve({ done: false, value: this.#batch[this.#at++] as T })
          : this.#inTurn(more),
      return: async () => ({ done: true, value: undefined }),
    };
  }

  /** Makes sure that there is a record to give out. → whether there is; false at the end */
  async #fill(): Promise<boolean> {
    if (this.#at < this.#batch.length) return true;
    const chunk = await this.next();
    if (chunk === undefined) return false;
    this.#batch = (this.#binary ? [chunk] : chunk) as readonly T[];
    this.#at = 0;
    return true;
  }

  #takeBatch(): readonly T[] {
    const batch = this.#at === 0 ? this.#batch : this.#batch.slice(this.#at);
    this.#batch = [];
    this.#at = 0;
    return batch;
  }

  #inTurn<R>(ask: () => Promise<R>): Promise<R> {
    this.#asking++;
    const answer = this.#turn.then(ask).finally(() => {
      this.#asking--;
    });
    this.#turn = answer.catch(() => {});
    return answer;
  }
}
