// @ts-check

// DuckDB queries what a worker streams:
//
//   worker:       Arrow file → writeRecordBatch → strand
//   main thread:  strand → recordBatchReader → DuckDB → rows
//
// node examples/arrow/main.mjs [ARROW FILE] [QUERY]

import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { DuckDBInstance } from '@duckdb/node-api';
import { StrandView } from '@strand/core';
import { recordBatchReader } from '@strand/core/arrow';
import { loadBatches } from './load_batches.mjs';

const FLIGHTS = fileURLToPath(new URL('../data/flights-200k.arrow', import.meta.resolve('vega-datasets')));
const BY_HOUR = `
  SELECT floor(time)::INTEGER AS hour, count(*)::INTEGER AS flights, round(avg(delay), 1) AS delay
  FROM streamed GROUP BY hour ORDER BY hour`;

const [file = FLIGHTS, query = BY_HOUR] = process.argv.slice(2);
const worker = new Worker(new URL('./worker.mjs', import.meta.url), { workerData: { file } });
const [strand] = await once(worker, 'message');

const connection = await (await DuckDBInstance.create(':memory:')).connect();
const reader = recordBatchReader(new StrandView(strand), { maxRecords: 16_384 });
const rows = await loadBatches(connection, 'streamed', reader);
console.log(`${rows} records`);
const result = await connection.runAndReadAll(query);
for (const row of result.getRowObjectsJson()) console.log(JSON.stringify(row));
connection.closeSync();
