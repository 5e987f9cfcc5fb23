#!/usr/bin/env node
import process from 'node:process';
import { StrandError } from '../errors.js';
import { LOG_USAGE, runLog } from './log_command.js';
import { Output } from './output.js';
import { UsageError } from './usage_error.js';

const USAGE = `usage: strand log COMMAND FILE

${LOG_USAGE}`;

/** → exit code: 0, 1 where the file is damaged or cannot be read, 2 where the arguments make no sense */
async function main(args: readonly string[]): Promise<number> {
  const [topic, ...rest] = args;
  const output = new Output(process.stdout);
  try {
    if (topic === '--help' || topic === '-h') {
      await output.line(USAGE);
      return 0;
    }
    if (topic !== 'log')
      throw new UsageError(topic === undefined ? 'a command is missing' : `no command '${topic}'`);
    return await runLog(rest, output);
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`strand: ${error.message}\n\n${USAGE}`);
      return 2;
    }
    // Whoever reads the output has gone: `strand log dump FILE | head`.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return 0;
    if (!(error instanceof StrandError || error instanceof RangeError)) throw error;
    console.error(`strand: ${error.message}`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
