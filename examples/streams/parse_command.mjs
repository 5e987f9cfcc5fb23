// @ts-check

/** @import { ParseArgsConfig } from 'node:util' */

import { parseArgs } from 'node:util';
import { usageError } from './example_error.mjs';

/**
 * What `parseArgs` makes of the command line. A mistake in it is an error for its user.
 *
 * @template {NonNullable<ParseArgsConfig['options']>} const O
 * @param {O} options
 * @param {number} most positional arguments
 */
export function parseCommand(options, most) {
  const { values, positionals } = parse(options);
  if (positionals.length > most) {
    throw usageError(`${most} names at most, got ${positionals.length}: quote a name with spaces`);
  }
  return { values, positionals };
}

/**
 * @template {NonNullable<ParseArgsConfig['options']>} const O
 * @param {O} options
 */
function parse(options) {
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    // Only the first sentence is about what was typed.
    const [message = ''] = /** @type {Error} */ (error).message.split(/\. |\n/);
    throw usageError(message);
  }
}

/**
 * A whole number of an option.
 *
 * @param {string} option
 * @param {string} text
 */
export function wholeNumber(option, text) {
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (!Number.isSafeInteger(value) || value < 1) {
    throw usageError(`${option} takes a whole number from 1, got '${text}'`);
  }
  return value;
}
