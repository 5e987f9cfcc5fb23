// @ts-check

import { DemoError } from './demo_error.mjs';
import { HELP, parseOptions } from './options.mjs';
import { printable } from './report/format.mjs';
import { run } from './run.mjs';

// A reader that has seen enough, such as head, is no error.
process.stdout.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

try {
  const options = parseOptions(process.argv.slice(2));
  const lines = options === 'help' ? [HELP] : await run(options, process);
  process.stdout.write(`${lines.join('\n')}\n`);
} catch (error) {
  if (!(error instanceof DemoError)) throw error;
  const message = error.message.split('\n').map(printable).join('\n');
  process.stderr.write(`error: ${message}\n`);
  process.exitCode = error.exitCode;
}
