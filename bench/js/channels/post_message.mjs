import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { BATCH, sumFive, sumPayload } from '../records.mjs';

/**
 * Arrays of 1,000 records, one message each. postMessage has no backpressure of its own: the worker
 * keeps as many batches under way as a ring of `slots` records holds, and the main thread reports
 * what it has finished once every quarter of that.
 *
 * @type {import('./channel.mjs').ChannelModule['createChannel']}
 */
export function createChannel(_workload, { slots }) {
  const { port1, port2 } = new MessageChannel();
  const underWay = Math.floor(slots / BATCH);
  return {
    handle: { port: port2, underWay },
    transferList: [port2],
    mainSide: { port: port1, reportEvery: Math.max(1, Math.floor(underWay / 4)) },
  };
}

/** @type {import('./channel.mjs').ChannelModule['openProducer']} */
export function openProducer({ port, underWay }, post = (batch) => port.postMessage(batch)) {
  let credit = underWay;
  port.on('message', (finished) => {
    credit += finished;
  });
  return {
    async produce(batches, count) {
      for (let batch = 0; batch < count; batch++) {
        while (credit === 0) await once(port, 'message');
        credit--;
        post(batches[batch % batches.length]);
      }
    },
    close() {
      port.close();
    },
  };
}

/** @type {import('./channel.mjs').ChannelModule['openConsumer']} */
export function openConsumer({ port, reportEvery }, { fields, internTable }, decode = (batch) => batch) {
  function five(initial, records) {
    let total = initial;
    for (const { id, score, category, label, meta } of records) {
      total += sumFive(id, score, internTable[category], label, meta ?? null);
    }
    return total;
  }

  function payload(initial, records) {
    let total = initial;
    for (const record of records) total += sumPayload(record.id, record.payload);
    return total;
  }

  const add = fields.some(({ name }) => name === 'payload') ? payload : five;
  let unreported = 0;

  /** @type {(records: number, onBatch: (batch: object[]) => void) => Promise<void>} */
  function receive(records, onBatch) {
    let received = 0;
    return new Promise((resolve) => {
      port.on('message', function onMessage(message) {
        const batch = decode(message);
        onBatch(batch);
        if (++unreported === reportEvery) {
          port.postMessage(unreported);
          unreported = 0;
        }
        received += batch.length;
        if (received < records) return;
        port.off('message', onMessage);
        resolve();
      });
    });
  }

  return {
    async sum(records, onStretch) {
      let total = 0;
      await receive(records, (batch) => {
        total = add(total, batch);
        onStretch?.();
      });
      return total;
    },
    async collect(records) {
      const collected = [];
      await receive(records, (batch) => collected.push(...batch));
      if (internTable === undefined) return collected;
      return collected.map((record) => ({
        ...record,
        category: internTable[record.category],
        meta: record.meta ?? null,
      }));
    },
    close() {
      port.close();
    },
  };
}
