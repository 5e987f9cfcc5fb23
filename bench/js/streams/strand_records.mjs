import { createStrand } from '@strand/core';
import { createReadStream, createWriteStream } from '@strand/core/streams';
import { sumFive } from '../records.mjs';
import { readSome, writeAll } from './drive.mjs';

/** @type {import('../channels/channel.mjs').ChannelModule['createChannel']} */
export function createChannel({ fields, internTable }, { slots, heapBytes }) {
  return {
    handle: createStrand(fields, { indexCapacity: slots, heapCapacity: heapBytes, internTable }),
  };
}

/** @type {import('../channels/channel.mjs').ChannelModule['openProducer']} */
export function openProducer(strand) {
  const stream = createWriteStream(strand, { batch: true });
  return {
    produce: (batches, count) => writeAll(stream, batches, count),
    close() {
      stream.end();
    },
  };
}

/** @type {import('../channels/channel.mjs').ChannelModule['openConsumer']} */
export function openConsumer(strand) {
  const stream = createReadStream(strand, { batch: true });
  return {
    async sum(records) {
      let total = 0;
      await readSome(stream, records, (batch) => {
        for (const { id, score, category, label, meta } of batch) {
          total += sumFive(id, score, category, label, meta);
        }
      });
      return total;
    },
    async collect(records) {
      const collected = [];
      await readSome(stream, records, (batch) => collected.push(...batch));
      return collected;
    },
    close() {
      stream.resume();
    },
  };
}
