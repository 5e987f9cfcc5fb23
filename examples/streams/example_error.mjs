// @ts-check

/** Something that the user can mend. Its message is the whole output: no stack goes with it. */
export class ExampleError extends Error {
  /** @override */
  name = 'ExampleError';

  /**
   * @param {string} message
   * @param {{ exitCode?: number, cause?: unknown }} [options]
   */
  constructor(message, { exitCode = 1, cause } = {}) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

/** How shells and other programs are told of a wrong command line. */
const USAGE = 2;

/** @param {string} message */
export function usageError(message) {
  return new ExampleError(`${message}\ntry: --help`, { exitCode: USAGE });
}

/**
 * Runs a program, and says in one line what its user can mend.
 *
 * @param {() => Promise<string>} program gives what is printed
 */
export async function report(program) {
  // A reader that has seen enough, such as head, is no error.
  process.stdout.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  try {
    process.stdout.write(await program());
  } catch (error) {
    if (!(error instanceof ExampleError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}
