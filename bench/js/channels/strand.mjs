import { createStrand, StrandView, StrandWriter } from '@strand/core';
import { sumFive, sumPayload } from '../records.mjs';

/** @type {import('./channel.mjs').ChannelModule['createChannel']} */
export function createChannel({ fields, internTable }, { slots, heapBytes }) {
  return {
    handle: createStrand(fields, { indexCapacity: slots, heapCapacity: heapBytes, internTable }),
  };
}

/** @type {import('./channel.mjs').ChannelModule['openProducer']} */
export function openProducer(strand) {
  const writer = new StrandWriter(strand);
  writer.begin();
  return {
    produce(batches, count) {
      for (let batch = 0; batch < count; batch++) {
        writer.writeRecordBatch(batches[batch % batches.length]);
      }
    },
    close() {
      writer.finalize();
      writer.close();
    },
  };
}

/** @type {import('./channel.mjs').ChannelModule['openConsumer']} */
export function openConsumer(strand, { fields }, readBy) {
  const view = new StrandView(strand);
  const cursor = view.allocateCursor();
  const row = cursor.row;
  let next = 0;

  function fiveByAccessor(initial, from, to) {
    let total = initial;
    for (let seq = from; seq < to; seq++) {
      cursor.seek(seq);
      total += sumFive(
        cursor.getU32('id'),
        cursor.getF32('score'),
        cursor.getRef('category'),
        cursor.getString('label'),
        cursor.getJson('meta'),
      );
    }
    return total;
  }

  function fiveByProperty(initial, from, to) {
    let total = initial;
    for (let seq = from; seq < to; seq++) {
      cursor.seek(seq);
      total += sumFive(row.id, row.score, row.category, row.label, row.meta);
    }
    return total;
  }

  function payload(initial, from, to) {
    let total = initial;
    for (let seq = from; seq < to; seq++) {
      cursor.seek(seq);
      total += sumPayload(cursor.getU32('id'), cursor.getBytes('payload'));
    }
    return total;
  }

  const five = readBy === 'property' ? fiveByProperty : fiveByAccessor;
  const add = fields.some(({ name }) => name === 'payload') ? payload : five;

  /** The drain loop of the quick start, over a known number of records. */
  async function drain(records, onStretch) {
    const last = next + records;
    while (next < last) {
      const committed = await view.waitForCommit(next);
      onStretch(next, committed);
      view.acknowledgeRead(committed);
      next = committed;
    }
  }

  return {
    async sum(records, onStretch) {
      let total = 0;
      await drain(records, (from, to) => {
        total = add(total, from, to);
        onStretch?.();
      });
      return total;
    },
    async collect(records) {
      const collected = [];
      await drain(records, (from, to) => {
        for (let seq = from; seq < to; seq++) {
          cursor.seek(seq);
          const record = {};
          for (const { name } of fields) {
            const value = readBy === 'property' ? row[name] : cursor.get(name);
            record[name] = value instanceof Uint8Array ? value.slice() : value;
          }
          collected.push(record);
        }
      });
      return collected;
    },
    close() {
      view.close();
    },
  };
}
