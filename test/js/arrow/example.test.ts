import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { expect, test } from 'vitest';
import { recordBatchReader } from '../../../dist/arrow.js';
import { createStrand, FIELD_BYTE_WIDTHS, StrandView, StrandWriter } from '../../../dist/index.js';
import { loadBatches } from '../../../examples/arrow/load_batches.mjs';
import { everyType } from '../support/every_type.mjs';
import { freshFolder, root } from '../support/markdown.js';

const run = promisify(execFile);
const main = path.join(root, 'examples/arrow/main.mjs');
const data = fileURLToPath(new URL('../data/', import.meta.resolve('vega-datasets')));

test('DuckDB finds in the stream what stands in the file', async () => {
  const flights: { delay: number; time: number }[] = JSON.parse(
    readFileSync(path.join(data, 'flights-200k.json'), 'utf8'),
  );
  const hours = Array.from({ length: 24 }, (_, hour) => {
    const delays = flights.filter(({ time }) => Math.floor(time) === hour).map(({ delay }) => delay);
    return { hour, flights: delays.length, sum: delays.reduce((sum, delay) => sum + delay, 0) };
  });
  const query = `SELECT floor(time)::INTEGER AS hour, count(*)::INTEGER AS flights, sum(delay)::INTEGER AS sum
    FROM streamed GROUP BY hour ORDER BY hour`;
  const { stdout, stderr } = await run(process.execPath, [
    main,
    path.join(data, 'flights-200k.arrow'),
    query,
  ]);
  const [records, ...rows] = stdout.trimEnd().split('\n');
  expect(stderr).toBe('');
  expect(records).toBe('200000 records');
  expect(rows.map((row) => JSON.parse(row))).toStrictEqual(hours);
});

test('without arguments it tells of each hour', async () => {
  const { stdout } = await run(process.execPath, [main]);
  expect(stdout.split('\n')[1]).toBe('{"hour":0,"flights":697,"delay":41.9}');
});

test('texts and dictionaries arrive, and a file that is none ends it with an error', async () => {
  const folder = freshFolder('arrow-example');
  const file = path.join(folder, 'texts.arrow');
  const words = Array.from({ length: 20_000 }, (_, i) => `word ${i % 7}`);
  writeFileSync(file, tableToIPC(tableFromArrays({ word: words }), 'file'));
  const query = 'SELECT word, count(*)::INTEGER AS n FROM streamed GROUP BY word ORDER BY word LIMIT 1';
  const { stdout } = await run(process.execPath, [main, file, query]);
  expect(stdout.trimEnd().split('\n')).toStrictEqual(['20000 records', '{"word":"word 0","n":2858}']);
  await expect(run(process.execPath, [main, main, query])).rejects.toThrow();
});

test('every field type has a column in DuckDB, nulls among them', async () => {
  const fields = everyType.fields(FIELD_BYTE_WIDTHS);
  const strand = createStrand(fields, { indexCapacity: 64, heapCapacity: 1 << 16, internTable: ['a', 'b'] });
  const writer = new StrandWriter(strand);
  writer.writeRecordBatch(Array.from({ length: 60 }, (_, i) => everyType.record(i)));
  writer.finalize();
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  expect(await loadBatches(connection, 'every "type"', recordBatchReader(new StrandView(strand)))).toBe(60);
  const result = await connection.runAndReadAll(
    `SELECT "u64", "i64?", "utf8_ref", "utf8", "json"::JSON->>'$.n' AS n, octet_length("fixed_bytes") AS bytes,
       len("f64_array") AS elements FROM "every ""type""" WHERE "u8" IN (3, 4) ORDER BY "u8"`,
  );
  expect(result.getRowObjectsJson()).toStrictEqual([
    { u64: '3', 'i64?': null, utf8_ref: 'b', utf8: 'crêpe '.repeat(3), n: '3', bytes: '12', elements: '3' },
    { u64: '4', 'i64?': '-4', utf8_ref: 'a', utf8: 'crêpe '.repeat(4), n: '4', bytes: '12', elements: '4' },
  ]);
  for (const { name } of fields) {
    const counted = await connection.runAndReadAll(`SELECT count("${name}")::INTEGER FROM "every ""type"""`);
    expect(counted.getRowsJson(), name).toStrictEqual([[name.endsWith('?') ? 40 : 60]]);
  }
  connection.closeSync();
});
