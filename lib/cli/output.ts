import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Lines of text for a stream that may be slow, or gone. */
export class Output {
  readonly #stream: Writable;
  #error: Error | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error) => {
      this.#error = error;
    });
  }

  /** Settles when more can be written. */
  async line(text: string): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    if (!this.#stream.write(`${text}\n`)) await once(this.#stream, 'drain');
  }
}
