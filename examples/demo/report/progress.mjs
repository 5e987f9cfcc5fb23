// @ts-check

import cliProgress from 'cli-progress';
import { formatCount } from './format.mjs';

/** What stands beside the bar, at most. */
const TEXT_COLUMNS = 42;
const NARROW_TEXT_COLUMNS = 6;
const SHORTEST_BAR = 8;
const LONGEST_BAR = 40;

/** A progress bar on the standard error stream, if that is a terminal. */
export class Progress {
  #bar;
  #total;
  #started = performance.now();

  /**
   * @param {number | undefined} estimated records; undefined where nobody knows
   * @param {NodeJS.WriteStream} stream
   */
  constructor(estimated, stream) {
    this.#total = estimated;
    this.#bar = new cliProgress.SingleBar({
      stream,
      hideCursor: true,
      format: formatFor(estimated !== undefined, stream.columns ?? 80),
      barsize: Math.min(LONGEST_BAR, Math.max(SHORTEST_BAR, (stream.columns ?? 80) - TEXT_COLUMNS)),
      barCompleteChar: '█',
      barIncompleteChar: '░',
      clearOnComplete: true,
      linewrap: true,
    });
    this.#bar.start(estimated ?? 0, 0, this.#payload(0));
  }

  /** @param {number} records read so far */
  update(records) {
    this.#bar.update(records, this.#payload(records));
  }

  /** Removes the bar. */
  stop() {
    this.#bar.stop();
  }

  /** @param {number} records */
  #payload(records) {
    const seconds = (performance.now() - this.#started) / 1000;
    // The estimate may fall short.
    if (this.#total !== undefined && records > this.#total) this.#bar.setTotal(records);
    return { records: formatCount(records), rate: formatCount(seconds > 0 ? records / seconds : 0) };
  }
}

/**
 * @param {boolean} hasTotal
 * @param {number} columns of the terminal
 */
function formatFor(hasTotal, columns) {
  if (!hasTotal) return '{records} records, {rate}/s';
  if (columns >= TEXT_COLUMNS + SHORTEST_BAR) return '{bar} {percentage}%  {records} records, {rate}/s';
  return columns >= NARROW_TEXT_COLUMNS + SHORTEST_BAR ? '{bar} {percentage}%' : '{percentage}%';
}
