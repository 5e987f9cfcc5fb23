import { createStrand, StrandView, StrandWriter } from '@strand/core';
import { BATCH, hasText, sumText } from '../records.mjs';

/** @type {(options: import('./lane.mjs').LaneOptions) => import('./lane.mjs').Lane} */
export function openStrandLane({ workload, slots, heapBytes, readBy }) {
  const strand = createStrand(workload.fields, { indexCapacity: slots, heapCapacity: heapBytes });
  const writer = new StrandWriter(strand);
  const view = new StrandView(strand);
  const cursor = view.allocateCursor();
  const row = cursor.row;
  writer.begin();
  let next = 0;

  function drainScalarsByAccessor(records) {
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

  function drainScalarsByProperty(records) {
    let total = 0;
    for (const last = next + records; next < last; next += BATCH) {
      for (let seq = next; seq < next + BATCH; seq++) {
        cursor.seek(seq);
        total += row.id + row.x + row.y;
      }
      view.acknowledgeRead(next + BATCH);
    }
    return total;
  }

  function drainTextByAccessor(records) {
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

  function drainTextByProperty(records) {
    let total = 0;
    for (const last = next + records; next < last; next += BATCH) {
      for (let seq = next; seq < next + BATCH; seq++) {
        cursor.seek(seq);
        total += row.id + row.x + row.y + sumText(row.label);
      }
      view.acknowledgeRead(next + BATCH);
    }
    return total;
  }

  const byProperty = readBy === 'property';
  const drainScalars = byProperty ? drainScalarsByProperty : drainScalarsByAccessor;
  const drainText = byProperty ? drainTextByProperty : drainTextByAccessor;

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
        const read = (name) => (byProperty ? row[name] : cursor.get(name));
        collected.push(Object.fromEntries(workload.fields.map(({ name }) => [name, read(name)])));
      }
      view.acknowledgeRead(next);
      return collected;
    },
    close() {
      writer.finalize();
      view.close();
      writer.close();
    },
  };
}
