// @ts-check

/** How programs say which signal ended them: 128 and its number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 };

/** Lets a run end in order at Ctrl-C. The second time ends the process as usual. */
export class Interruption {
  /**
   * What the process is to end with; undefined while nothing has happened.
   *
   * @type {number | undefined}
   */
  exitCode;
  #listener;

  /** @param {() => void} end called once, at the first signal */
  constructor(end) {
    this.#listener = (/** @type {keyof typeof EXIT_CODES} */ signal) => {
      this.stop();
      this.exitCode = EXIT_CODES[signal];
      end();
    };
    process.on('SIGINT', this.#listener);
    process.on('SIGTERM', this.#listener);
  }

  /** Leaves signals to the process again. */
  stop() {
    process.off('SIGINT', this.#listener);
    process.off('SIGTERM', this.#listener);
  }
}
