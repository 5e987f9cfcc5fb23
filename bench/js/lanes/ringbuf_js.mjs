import { RingBuffer } from 'ringbuf.js';
import { BATCH, hasText } from '../records.mjs';

const STRIDE = 16;

/**
 * ringbuf.js carries elements of one numeric type, so the records of three numbers go through it as
 * 16 bytes each: encoded by a DataView into a private buffer, pushed and popped as one run.
 *
 * @type {(options: import('./lane.mjs').LaneOptions) => import('./lane.mjs').Lane}
 */
export function openRingbufJsLane({ workload, slots }) {
  if (hasText(workload)) throw new Error('ringbuf.js carries numbers only');
  const ring = new RingBuffer(RingBuffer.getStorageForCapacity(slots * STRIDE, Uint8Array), Uint8Array);
  const outgoing = new Uint8Array(BATCH * STRIDE);
  const outgoingView = new DataView(outgoing.buffer);
  const incoming = new Uint8Array(BATCH * STRIDE);
  const incomingView = new DataView(incoming.buffer);

  function encode(record, offset) {
    outgoingView.setUint32(offset, record.id, true);
    outgoingView.setFloat32(offset + 4, record.x, true);
    outgoingView.setFloat64(offset + 8, record.y, true);
  }

  function push(bytes) {
    if (ring.push(outgoing, bytes) !== bytes) throw new Error('the ring is full');
  }

  function pop(bytes) {
    if (ring.pop(incoming, bytes) !== bytes) throw new Error('the ring is empty');
  }

  return {
    write(batch) {
      let offset = 0;
      for (const record of batch) {
        encode(record, offset);
        offset += STRIDE;
      }
      push(offset);
    },
    writeOne(record) {
      encode(record, 0);
      push(STRIDE);
    },
    drain(records) {
      let total = 0;
      for (let read = 0; read < records; read += BATCH) {
        pop(BATCH * STRIDE);
        for (let offset = 0; offset < BATCH * STRIDE; offset += STRIDE) {
          total +=
            incomingView.getUint32(offset, true) +
            incomingView.getFloat32(offset + 4, true) +
            incomingView.getFloat64(offset + 8, true);
        }
      }
      return total;
    },
    discard(records) {
      for (let read = 0; read < records; read += BATCH) pop(BATCH * STRIDE);
    },
    collect(records) {
      return Array.from({ length: records }, () => {
        pop(STRIDE);
        return {
          id: incomingView.getUint32(0, true),
          x: incomingView.getFloat32(4, true),
          y: incomingView.getFloat64(8, true),
        };
      });
    },
    close() {},
  };
}
