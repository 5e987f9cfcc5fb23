import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { BATCH, hasText, sumText } from '../records.mjs';

/**
 * Arrays of records through a MessageChannel: writing is the structured clone's serialisation,
 * reading its deserialisation and the access to the objects.
 *
 * @type {(options: import('./lane.mjs').LaneOptions) => import('./lane.mjs').Lane}
 */
export function openPostMessageLane({ workload }) {
  const { port1, port2 } = new MessageChannel();
  const receive = () => receiveMessageOnPort(port2).message;

  function drainScalars(records) {
    let total = 0;
    for (let read = 0; read < records; read += BATCH) {
      for (const { id, x, y } of receive()) total += id + x + y;
    }
    return total;
  }

  function drainText(records) {
    let total = 0;
    for (let read = 0; read < records; read += BATCH) {
      for (const { id, x, y, label } of receive()) total += id + x + y + sumText(label);
    }
    return total;
  }

  /** Messages hold a batch or a single record, as they were written. */
  function receiveRecords(records) {
    const received = [];
    while (received.length < records) received.push(...[receive()].flat());
    return received;
  }

  return {
    write: (batch) => port1.postMessage(batch),
    writeOne: (record) => port1.postMessage(record),
    drain: hasText(workload) ? drainText : drainScalars,
    discard: receiveRecords,
    collect: receiveRecords,
    close() {
      port1.close();
    },
  };
}
