// @ts-check

/** @import { MalformedLog } from './malformed_log.mjs' */

const NEWLINE = 10;
const QUOTE = 34;

/** Records that are tried together, so that the good neighbours of a malformed one cost little. */
const GROUP = 64;

const NOT_CLOSED = 'a quoted field is not closed';

/**
 * Whether a line opens a quoted field that it does not close, or closes one that it does not open.
 *
 * @param {string} line
 */
function hasOddQuotes(line) {
  let odd = false;
  for (let at = 0; at < line.length; at++) if (line.charCodeAt(at) === QUOTE) odd = !odd;
  return odd;
}

/** @param {string} text @returns {string[]} lines with their ends */
function linesOf(text) {
  const lines = [];
  for (let from = 0; from < text.length; ) {
    const to = text.indexOf('\n', from);
    const end = to === -1 ? text.length : to + 1;
    lines.push(text.slice(from, end));
    from = end;
  }
  return lines;
}

/** @param {string} text */
export function countLines(text) {
  let count = 0;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) === NEWLINE) count += 1;
  return count;
}

/**
 * Reads text in which some record is malformed, line by line, so that the malformed one takes no other with it. A stray
 * quote joins lines up to the next quote into one record, which then is no valid one: its first line is refused, and
 * the others are read afresh.
 */
export class CsvRecovery {
  #parse;
  #columns;
  #malformed;

  /**
   * @param {(text: string) => string[][] | string} parse
   * @param {number} columns fields that a record has
   * @param {MalformedLog} malformed
   */
  constructor(parse, columns, malformed) {
    this.#parse = parse;
    this.#columns = columns;
    this.#malformed = malformed;
  }

  /**
   * @param {string} text
   * @param {number} firstLine number of the text's first line
   * @param {{ isLast: boolean, refuseFirst: boolean }} ends whether nothing follows the text; whether a quote that the
   *   first line leaves open counts as not closed
   * @returns {{ records: string[][], rest: string }} `rest` may be the beginning of a record that goes on
   */
  read(text, firstLine, { isLast, refuseFirst }) {
    const lines = linesOf(text);
    const odd = lines.map(hasOddQuotes);
    /** @type {string[][]} */
    const records = [];
    let from = 0;
    while (from < lines.length) {
      const { starts, open } = segment(odd, from);
      from = this.#readSegments(lines, starts, open, firstLine, records);
      if (from < open || open === lines.length) continue;
      if (!isLast && !(refuseFirst && open === 0)) return { records, rest: lines.slice(open).join('') };
      this.#malformed.add(firstLine + open, NOT_CLOSED);
      from = open + 1;
    }
    return { records, rest: '' };
  }

  /**
   * @param {readonly string[]} lines
   * @param {readonly number[]} starts first lines of the records
   * @param {number} end line behind the last record
   * @param {number} firstLine
   * @param {string[][]} records
   * @returns {number} the line to go on from: `end`, or an earlier one behind a line that was refused
   */
  #readSegments(lines, starts, end, firstLine, records) {
    const boundaries = [...starts, end];
    const text = (/** @type {number} */ from, /** @type {number} */ to) => lines.slice(from, to).join('');
    for (let group = 0; group < starts.length; group += GROUP) {
      const last = Math.min(group + GROUP, starts.length);
      const together = this.#accept(text(boundaries[group] ?? 0, boundaries[last] ?? 0));
      if (typeof together !== 'string') {
        records.push(...together);
        continue;
      }
      for (let at = group; at < last; at++) {
        const start = boundaries[at] ?? 0;
        const next = boundaries[at + 1] ?? 0;
        const alone = this.#accept(text(start, next));
        if (typeof alone !== 'string') {
          records.push(...alone);
          continue;
        }
        const isJoined = next - start > 1 && this.#hidesRecords(lines.slice(start, next));
        this.#malformed.add(firstLine + start, isJoined ? NOT_CLOSED : alone);
        if (isJoined) return start + 1;
      }
    }
    return end;
  }

  /** @param {string} text @returns {string[][] | string} */
  #accept(text) {
    const records = this.#parse(text);
    if (typeof records === 'string') return records;
    const wrong = records.find((fields) => fields.length !== this.#columns);
    return wrong === undefined
      ? records
      : `${this.#columns} fields are expected, as in the header, and there are ${wrong.length}`;
  }

  /**
   * Whether a refused record of several lines is a line with a stray quote that others were joined to, rather than a
   * record whose fields contain line breaks.
   *
   * @param {readonly string[]} lines
   */
  #hidesRecords([first = '', ...others]) {
    if (typeof this.#parse([first, ...others].join('')) === 'string') return true;
    return others.some((line) => line.trim() !== '' && typeof this.#accept(line) !== 'string');
  }
}

/**
 * Divides lines into records: each ends where the number of quotes is even.
 *
 * @param {readonly boolean[]} odd
 * @param {number} from
 */
function segment(odd, from) {
  const starts = [];
  let start = from;
  let isOpen = false;
  for (let line = from; line < odd.length; line++) {
    if (odd[line]) isOpen = !isOpen;
    if (isOpen) continue;
    starts.push(start);
    start = line + 1;
  }
  return { starts, open: start };
}
