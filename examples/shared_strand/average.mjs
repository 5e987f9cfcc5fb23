// A worker thread that averages the readings, sensor by sensor.

import { parentPort, workerData } from 'node:worker_threads';
import { StrandView } from '@strand/core';
import { readings, SENSORS } from './readings.mjs';

const view = new StrandView(workerData, { schema: readings });
parentPort.postMessage('ready');

const counts = new Array(SENSORS).fill(0);
const sums = new Array(SENSORS).fill(0);
for await (const batch of view) {
  for (const cursor of batch) {
    const sensor = cursor.getU32('sensor');
    counts[sensor] += 1;
    sums[sensor] += cursor.getF32('celsius');
  }
}
parentPort.postMessage(counts.map((count, sensor) => ({ sensor, count, celsius: sums[sensor] / count })));
