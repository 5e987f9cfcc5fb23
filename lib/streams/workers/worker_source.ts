import { END, NONE } from '../chunk_source.js';
import type { StrandSource } from '../strand_source.js';

/**
 * What a worker's function reads: an async iterable of records, or of `Buffer`s where the stream takes bytes. A record's
 * room in the ring is given back when the one behind its batch is asked for; the record itself belongs to the function.
 */
export class WorkerSource<T = unknown> implements AsyncIterable<T> {
  readonly #source: StrandSource<readonly T[] | T>;
  readonly #binary: boolean;
  readonly #cancel = new AbortController();
  #ended = false;

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
      if (chunk !== NONE) return chunk;
      this.#source.release(0);
      await this.#source.wait(this.#cancel.signal);
    }
  }

  /** The same records in arrays of those that are there together, which costs less; of bytes the same as iterating. */
  async *batches(): AsyncGenerator<readonly T[], void, undefined> {
    for (;;) {
      const chunk = await this.next();
      if (chunk === undefined) return;
      yield (this.#binary ? [chunk] : chunk) as readonly T[];
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    let batch: readonly T[] = [];
    let at = 0;
    const more = async (): Promise<IteratorResult<T, undefined>> => {
      const chunk = await this.next();
      if (chunk === undefined) return { done: true, value: undefined };
      batch = (this.#binary ? [chunk] : chunk) as readonly T[];
      at = 1;
      return { done: false, value: batch[0] as T };
    };
    return {
      // A promise that is fulfilled already costs half of an async function's.
      next: () => (at < batch.length ? Promise.resolve({ done: false, value: batch[at++] as T }) : more()),
      return: async () => ({ done: true, value: undefined }),
    };
  }
}
