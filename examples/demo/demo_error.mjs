// @ts-check

/** Something that the user can mend. Its message is the whole output: no stack goes with it. */
export class DemoError extends Error {
  /** @override */
  name = 'DemoError';

  /**
   * @param {string} message
   * @param {{ exitCode?: number | undefined }} [options]
   */
  constructor(message, { exitCode = 1 } = {}) {
    super(message);
    this.exitCode = exitCode;
  }
}
