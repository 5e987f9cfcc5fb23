// @ts-check

/** @import { DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api' */
/** @import { DataType, RecordBatch, Vector } from 'apache-arrow' */

import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DOUBLE,
  DuckDBBlobValue,
  DuckDBDataChunk,
  DuckDBListValue,
  FLOAT,
  INTEGER,
  LIST,
  SMALLINT,
  TINYINT,
  UBIGINT,
  UINTEGER,
  USMALLINT,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api';
import { DataType as Is } from 'apache-arrow';

/** Rows of a chunk at most: the length of DuckDB's vectors. */
const CHUNK_ROWS = 2048;

/** @type {Readonly<Record<string, DuckDBType>>} */
const NUMBERS = {
  Int8: TINYINT,
  Int16: SMALLINT,
  Int32: INTEGER,
  Int64: BIGINT,
  Uint8: UTINYINT,
  Uint16: USMALLINT,
  Uint32: UINTEGER,
  Uint64: UBIGINT,
  Float32: FLOAT,
  Float64: DOUBLE,
};

/**
 * Appends record batches to a new table, as they come. DuckDB's Node.js client has no call that takes Arrow memory or an
 * IPC stream, and the extension that reads those is downloaded; data chunks are the columns that it takes.
 *
 * @param {DuckDBConnection} connection
 * @param {string} name of the table
 * @param {AsyncIterable<RecordBatch>} batches of one schema
 * @returns {Promise<number>} rows
 */
export async function loadBatches(connection, name, batches) {
  let rows = 0;
  let appender;
  /** @type {DuckDBType[]} */
  let types = [];
  for await (const batch of batches) {
    if (appender === undefined) {
      types = batch.schema.fields.map((field) => duckdbType(field.type));
      const columns = batch.schema.fields.map((field, i) => `${quoted(field.name)} ${types[i]}`);
      await connection.run(`CREATE TABLE ${quoted(name)} (${columns.join(', ')})`);
      appender = await connection.createAppender(name);
    }
    for (let from = 0; from < batch.numRows; from += CHUNK_ROWS) {
      const part = batch.slice(from, from + CHUNK_ROWS);
      const chunk = DuckDBDataChunk.create(types);
      chunk.setColumns(
        part.schema.fields.map((_, i) => valuesOf(/** @type {Vector} */ (part.getChildAt(i)))),
      );
      appender.appendDataChunk(chunk);
    }
    rows += batch.numRows;
  }
  appender?.closeSync();
  return rows;
}

/** @param {string} name */
function quoted(name) {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * @param {DataType} type
 * @returns {DuckDBType}
 */
function duckdbType(type) {
  if (Is.isUtf8(type)) return VARCHAR;
  if (Is.isDictionary(type)) return duckdbType(type.dictionary);
  if (Is.isBool(type)) return BOOLEAN;
  if (Is.isBinary(type) || Is.isFixedSizeBinary(type)) return BLOB;
  if (Is.isList(type)) return LIST(duckdbType(type.valueType));
  const number = NUMBERS[String(type)];
  if (number === undefined) throw new TypeError(`no DuckDB type is known for ${type}`);
  return number;
}

/**
 * @param {Vector} column
 * @returns {DuckDBValue[]}
 */
function valuesOf(column) {
  const { type } = column;
  if (Is.isBinary(type) || Is.isFixedSizeBinary(type)) {
    return Array.from(column, (bytes) => bytes && new DuckDBBlobValue(bytes));
  }
  if (Is.isList(type)) return Array.from(column, (list) => list && new DuckDBListValue([...list]));
  return [...column];
}
