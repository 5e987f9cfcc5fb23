import { createPlainRing, PlainView, PlainWriter } from '../plain_ring.mjs';
import { BATCH, hasText, sumText } from '../records.mjs';

/** @type {(options: import('./lane.mjs').LaneOptions) => import('./lane.mjs').Lane} */
export function openPlainRingLane({ workload, slots, heapBytes }) {
  const ring = createPlainRing(workload.fields, { slots, heapBytes });
  const writer = new PlainWriter(ring);
  const view = new PlainView(ring);
  const cursor = view.allocateCursor();
  let next = 0;

  function drainScalars(records) {
    let total = 0;
    for (const last = next + records; next < last; next += BATCH) {
      for (let seq = next; seq < next + BATCH; seq++) {
        cursor.seek(seq);
        total += cursor.getU32('id') + cursor.getF32('x') + cursor.getF64('y');
      }
      view.acknowledgeRead(next + BATCH);
    }
    return total;
  }

  function drainText(records) {
    let total = 0;
    for (const last = next + records; next < last; next += BATCH) {
      for (let seq = next; seq < next + BATCH; seq++) {
        cursor.seek(seq);
        total +=
          cursor.getU32('id') + cursor.getF32('x') + cursor.getF64('y') + sumText(cursor.getString('label'));
      }
      view.acknowledgeRead(next + BATCH);
    }
    return total;
  }

  return {
    write: (batch) => writer.writeRecordBatch(batch),
    writeOne: (record) => writer.write(record),
    drain: hasText(workload) ? drainText : drainScalars,
    discard(records) {
      next += records;
      view.acknowledgeRead(next);
    },
    collect(records) {
      const collected = [];
      for (const last = next + records; next < last; next++) {
        cursor.seek(next);
        const record = { id: cursor.getU32('id'), x: cursor.getF32('x'), y: cursor.getF64('y') };
        if (hasText(workload)) record.label = cursor.getString('label');
        collected.push(record);
      }
      view.acknowledgeRead(next);
      return collected;
    },
    close() {},
  };
}
