// @ts-check

/** @import { Row, RowParser } from '../parse/row.mjs' */
/** @import { MalformedLog } from '../parse/malformed_log.mjs' */
/** @import { Format } from './detect_format.mjs' */
/** @import { Source } from './open_source.mjs' */

import { DemoError } from '../demo_error.mjs';
import { CsvParser } from '../parse/csv_parser.mjs';
import { JsonParser } from '../parse/json_parser.mjs';
import { NdjsonParser } from '../parse/ndjson_parser.mjs';
import { detectFormat, refuseBinary } from './detect_format.mjs';
import { Utf8Decoder } from './utf8_decoder.mjs';

/** @type {Readonly<Record<Format, new (malformed: MalformedLog) => RowParser>>} */
const PARSERS = { csv: CsvParser, json: JsonParser, ndjson: NdjsonParser };

/** The rows of a source, as they arrive. */
export class RowReader {
  /** Bytes read so far. */
  bytes = 0;
  /**
   * Known with the first rows.
   *
   * @type {Format | undefined}
   */
  format;
  #source;
  #malformed;
  #decoder = new Utf8Decoder();
  /** @type {RowParser | undefined} */
  #parser;

  /**
   * @param {Source} source
   * @param {Format | undefined} format unless given, detected
   * @param {MalformedLog} malformed
   */
  constructor(source, format, malformed) {
    this.#source = source;
    this.format = format;
    this.#malformed = malformed;
  }

  /** Columns in the source's order, where it states one; known with the first rows. */
  get columns() {
    return this.#parser?.columns ?? [];
  }

  /** Position of the first byte that was no UTF-8. */
  get invalidAt() {
    return this.#decoder.invalidAt;
  }

  /**
   * Reads the source once.
   *
   * @returns {AsyncGenerator<Row[], void, undefined>} rows of each chunk; may be none
   */
  async *read() {
    for await (const chunk of this.#source.chunks) {
      if (this.bytes === 0) refuseBinary(this.#source.name, chunk);
      this.bytes += chunk.length;
      const text = this.#decoder.decode(chunk);
      this.#parser ??= this.#parserFor(text);
      yield this.#parser.push(text);
    }
    if (this.#parser === undefined) throw new DemoError(`${this.#source.name} is empty`);
    yield this.#parser.push(this.#decoder.end());
    yield this.#parser.end();
  }

  /** @param {string} head */
  #parserFor(head) {
    this.format ??= detectFormat(this.#source.name, head);
    return new PARSERS[this.format](this.#malformed);
  }
}
