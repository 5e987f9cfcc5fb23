// Another process and a worker thread on one strand: the process writes, the worker reads.
//
//   node examples/shared_strand/main.mjs

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { openSharedStrand } from '@strand/core/log';
import { readings } from './readings.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'strand-shared-'));
const strand = openSharedStrand(path.join(folder, 'readings'), { schema: readings });

// A path and a description: it travels by workerData as by the command line.
const average = new Worker(new URL('average.mjs', import.meta.url), { workerData: strand });
await once(average, 'message');

const station = fileURLToPath(new URL('station.mjs', import.meta.url));
spawn(process.execPath, [station, strand.path], { stdio: 'inherit' });

const [result] = await once(average, 'message');
for (const { sensor, count, celsius } of result) {
  console.log(`sensor ${sensor}: ${count} readings, ${celsius.toFixed(1)} °C`);
}
rmSync(folder, { recursive: true });
