import { createPlainRing, PlainView, PlainWriter } from '../plain_ring.mjs';
import { sumFive, sumPayload } from '../records.mjs';

/** @type {import('./channel.mjs').ChannelModule['createChannel']} */
export function createChannel({ fields, internTable }, { slots, heapBytes }) {
  return { handle: createPlainRing(fields, { slots, heapBytes, internTable }) };
}

/** @type {import('./channel.mjs').ChannelModule['openProducer']} */
export function openProducer(ring) {
  const writer = new PlainWriter(ring);
  return {
    produce(batches, count) {
      for (let batch = 0; batch < count; batch++) {
        writer.writeRecordBatch(batches[batch % batches.length]);
      }
    },
    close() {},
  };
}

/** @type {import('./channel.mjs').ChannelModule['openConsumer']} */
export function openConsumer(ring, { fields }) {
  const view = new PlainView(ring);
  const cursor = view.allocateCursor();
  let next = 0;

  function five(initial, from, to) {
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

  function payload(initial, from, to) {
    let total = initial;
    for (let seq = from; seq < to; seq++) {
      cursor.seek(seq);
      total += sumPayload(cursor.getU32('id'), cursor.getBytes('payload'));
    }
    return total;
  }

  const hasPayload = fields.some(({ name }) => name === 'payload');
  const add = hasPayload ? payload : five;

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
          collected.push(
            hasPayload
              ? { id: cursor.getU32('id'), payload: cursor.getBytes('payload').slice() }
              : {
                  id: cursor.getU32('id'),
                  score: cursor.getF32('score'),
                  category: cursor.getRef('category'),
                  label: cursor.getString('label'),
                  meta: cursor.getJson('meta'),
                },
          );
        }
      });
      return collected;
    },
    close() {},
  };
}
