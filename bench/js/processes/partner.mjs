/** The other side: a worker thread or a process, whichever it was started as. Gets one job, and ends with it. */

import { isMainThread, parentPort } from 'node:worker_threads';
import { StrandView, StrandWriter } from '@strand/core';
import { openProducer } from '../channels/strand.mjs';
import { fiveFieldWorkload, SCALAR_FIELDS } from '../records.mjs';

const port = isMainThread ? process : parentPort;
const say = isMainThread ? (message) => process.send(message) : (message) => parentPort.postMessage(message);

/** Writes as many batches as each message says. */
function produce({ strand, workloadOptions }) {
  const producer = openProducer(strand);
  const { batches } = fiveFieldWorkload(workloadOptions);
  port.on('message', ({ count }) => {
    if (count > 0) producer.produce(batches, count);
    else leave(producer);
  });
}

/** Sends each record back. */
function echo({ inbound, outbound, trips }) {
  const writer = new StrandWriter(outbound);
  writer.begin();
  const view = new StrandView(inbound);
  const cursor = view.allocateCursor();
  const record = Object.fromEntries(SCALAR_FIELDS.map(({ name }) => [name, 0]));
  for (let seq = 0; seq < trips; seq++) {
    view.waitForCommitSync(seq);
    cursor.seek(seq);
    record.id = cursor.getU32('id');
    record.x = cursor.getF32('x');
    record.y = cursor.getF64('y');
    view.acknowledgeRead(seq + 1);
    writer.write(record);
  }
  leave(writer);
}

function leave(writer) {
  writer.close();
  if (isMainThread) process.disconnect();
  else parentPort.close();
}

port.once('message', (job) => {
  say('begun');
  (job.role === 'produce' ? produce : echo)(job);
});
