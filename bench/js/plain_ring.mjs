/**
 * The yardstick: a ring of records over a SharedArrayBuffer as one writes it in an afternoon. Field
 * names are looked up in a Map, slots are read and written through a DataView, text goes through
 * TextEncoder and TextDecoder, and a batch becomes visible by one Atomics.store and one notify.
 * It keeps the promises that the comparison rests on (a full ring or heap blocks the producer, every
 * value comes back as written) and no others: one consumer, at most 2^31 records, no end of stream, no
 * recovery, no validation.
 */

const WRITE_SEQ = 0;
const READ_SEQ = 1;
const CONTROL_BYTES = 64;

const NO_VALUE = 0xffffffff;

/** Slot widths in bytes; heap-backed types store `[offset u32][length u16]`. */
const WIDTHS = { u32: 4, f32: 4, f64: 8, utf8_ref: 4, utf8: 6, json: 6, bytes: 6 };

/**
 * @typedef {{ name: string, type: keyof typeof WIDTHS }} FieldInit
 * @typedef {FieldInit & { byteOffset: number }} Field
 * @typedef {{ sab: SharedArrayBuffer, fields: Field[], stride: number, slots: number,
 *   heapBytes: number, internTable: string[] }} PlainRing
 */

/**
 * @param {FieldInit[]} fields
 * @param {{ slots: number, heapBytes?: number, internTable?: string[] }} options both sizes are powers of two
 * @returns {PlainRing} a plain object that survives postMessage
 */
export function createPlainRing(fields, { slots, heapBytes = 0, internTable = [] }) {
  let stride = 0;
  const placed = fields.map((field) => {
    const byteOffset = align(stride, 4);
    stride = byteOffset + WIDTHS[field.type];
    return { ...field, byteOffset };
  });
  stride = align(stride, 4);
  const sab = new SharedArrayBuffer(CONTROL_BYTES + slots * stride + heapBytes);
  return { sab, fields: placed, stride, slots, heapBytes, internTable };
}

/** The memory of a ring as both sides look at it. */
class RingMemory {
  /** @param {PlainRing} ring */
  constructor(ring) {
    this.control = new Int32Array(ring.sab, 0, CONTROL_BYTES / 4);
    this.view = new DataView(ring.sab);
    this.heapStart = CONTROL_BYTES + ring.slots * ring.stride;
    this.heap = new Uint8Array(ring.sab, this.heapStart, ring.heapBytes);
    this.fields = ring.fields;
    this.stride = ring.stride;
    this.slots = ring.slots;
    this.heapBytes = ring.heapBytes;
  }

  /** @param {number} seq */
  slotOffset(seq) {
    return CONTROL_BYTES + (seq % this.slots) * this.stride;
  }
}

export class PlainWriter {
  /** @param {PlainRing} ring */
  constructor(ring) {
    this.memory = new RingMemory(ring);
    this.encoder = new TextEncoder();
    this.seq = Atomics.load(this.memory.control, WRITE_SEQ);
    this.heapHead = 0;
    /** Where the heap stood behind each slot's record: what acknowledging that record gives back. */
    this.heapEnds = new Float64Array(ring.slots);
  }

  /** @param {Record<string, unknown>[]} records */
  writeRecordBatch(records) {
    for (const record of records) {
      this.waitForSlot();
      this.writeRecord(record);
      this.heapEnds[this.seq % this.memory.slots] = this.heapHead;
      this.seq++;
    }
    this.commit();
  }

  /** @param {Record<string, unknown>} record */
  write(record) {
    this.writeRecordBatch([record]);
  }

  /** @param {Record<string, unknown>} record */
  writeRecord(record) {
    const { view, fields } = this.memory;
    const slot = this.memory.slotOffset(this.seq);
    for (const field of fields) {
      const value = record[field.name];
      const offset = slot + field.byteOffset;
      switch (field.type) {
        case 'u32':
        case 'utf8_ref':
          view.setUint32(offset, Number(value ?? 0), true);
          break;
        case 'f32':
          view.setFloat32(offset, Number(value ?? 0), true);
          break;
        case 'f64':
          view.setFloat64(offset, Number(value ?? 0), true);
          break;
        case 'utf8':
          this.writePayload(offset, this.encoder.encode(String(value ?? '')));
          break;
        case 'json':
          this.writePayload(offset, value == null ? null : this.encoder.encode(JSON.stringify(value)));
          break;
        case 'bytes':
          this.writePayload(offset, /** @type {Uint8Array | null} */ (value ?? null));
          break;
      }
    }
  }

  /**
   * @param {number} offset
   * @param {Uint8Array | null} bytes
   */
  writePayload(offset, bytes) {
    const { view, heap } = this.memory;
    if (bytes === null) {
      view.setUint32(offset, NO_VALUE, true);
      view.setUint16(offset + 4, 0, true);
      return;
    }
    const heapOffset = this.claimHeap(bytes.length);
    heap.set(bytes, heapOffset);
    view.setUint32(offset, heapOffset, true);
    view.setUint16(offset + 4, bytes.length, true);
  }

  /** @param {number} length */
  claimHeap(length) {
    const { heapBytes } = this.memory;
    let position = this.heapHead;
    const room = heapBytes - (position % heapBytes);
    // A payload lies in one piece: what does not fit before the heap's end goes to its start.
    if (length > room) position += room;
    this.waitUntil((read) => position + length - this.heapTail(read) <= heapBytes);
    this.heapHead = position + length;
    return position % heapBytes;
  }

  /** @param {number} read */
  heapTail(read) {
    return read === 0 ? 0 : this.heapEnds[(read - 1) % this.memory.slots];
  }

  waitForSlot() {
    this.waitUntil((read) => this.seq - read < this.memory.slots);
  }

  /** @param {(read: number) => boolean} hasRoom tells whether there is room once `read` records are released */
  waitUntil(hasRoom) {
    const { control } = this.memory;
    for (;;) {
      const read = Atomics.load(control, READ_SEQ);
      if (hasRoom(read)) return;
      if (read === this.seq)
        throw new RangeError(`record ${this.seq} does not fit the heap of ${this.memory.heapBytes} bytes`);
      // What is complete must be visible, or the consumer has nothing to release.
      this.commit();
      Atomics.wait(control, READ_SEQ, read);
    }
  }

  commit() {
    Atomics.store(this.memory.control, WRITE_SEQ, this.seq);
    Atomics.notify(this.memory.control, WRITE_SEQ);
  }
}

export class PlainView {
  /** @param {PlainRing} ring */
  constructor(ring) {
    this.memory = new RingMemory(ring);
    this.internTable = ring.internTable;
  }

  allocateCursor() {
    return new PlainCursor(this);
  }

  get committedCount() {
    return Atomics.load(this.memory.control, WRITE_SEQ);
  }

  /** @param {number} after */
  async waitForCommit(after) {
    const { control } = this.memory;
    while (Atomics.load(control, WRITE_SEQ) <= after) {
      const waited = Atomics.waitAsync(control, WRITE_SEQ, after);
      if (waited.async) await waited.value;
    }
    return this.committedCount;
  }

  /** @param {number} after */
  waitForCommitSync(after) {
    const { control } = this.memory;
    while (Atomics.load(control, WRITE_SEQ) <= after) {
      Atomics.wait(control, WRITE_SEQ, after);
    }
    return this.committedCount;
  }

  /** @param {number} upTo */
  acknowledgeRead(upTo) {
    Atomics.store(this.memory.control, READ_SEQ, upTo);
    Atomics.notify(this.memory.control, READ_SEQ);
  }
}

export class PlainCursor {
  /** @param {PlainView} owner */
  constructor(owner) {
    this.owner = owner;
    this.memory = owner.memory;
    this.view = owner.memory.view;
    this.decoder = new TextDecoder();
    /** @type {Map<string, Field>} */
    this.fieldsByName = new Map(owner.memory.fields.map((field) => [field.name, field]));
    this.seq = -1;
    this.slot = 0;
    /** @type {Map<string, unknown>} */
    this.decoded = new Map();
  }

  /** @param {number} seq */
  seek(seq) {
    if (seq < 0 || seq >= this.owner.committedCount) return false;
    this.seq = seq;
    this.slot = this.memory.slotOffset(seq);
    if (this.decoded.size > 0) this.decoded.clear();
    return true;
  }

  /** @param {string} name */
  getU32(name) {
    const field = this.fieldsByName.get(name);
    if (field === undefined || field.type !== 'u32') return null;
    return this.view.getUint32(this.slot + field.byteOffset, true);
  }

  /** @param {string} name */
  getF32(name) {
    const field = this.fieldsByName.get(name);
    if (field === undefined || field.type !== 'f32') return null;
    return this.view.getFloat32(this.slot + field.byteOffset, true);
  }

  /** @param {string} name */
  getF64(name) {
    const field = this.fieldsByName.get(name);
    if (field === undefined || field.type !== 'f64') return null;
    return this.view.getFloat64(this.slot + field.byteOffset, true);
  }

  /** @param {string} name */
  getRef(name) {
    const field = this.fieldsByName.get(name);
    if (field === undefined || field.type !== 'utf8_ref') return null;
    const handle = this.view.getUint32(this.slot + field.byteOffset, true);
    return this.owner.internTable[handle] ?? null;
  }

  /** @param {string} name */
  getString(name) {
    const field = this.fieldsByName.get(name);
    if (field === undefined || field.type !== 'utf8') return null;
    let text = /** @type {string | undefined} */ (this.decoded.get(name));
    if (text === undefined) {
      const bytes = this.payload(field);
      text = bytes === null ? '' : this.decoder.decode(bytes);
      this.decoded.set(name, text);
    }
    return text;
  }

  /** @param {string} name */
  getJson(name) {
    const field = this.fieldsByName.get(name);
    if (field === undefined || field.type !== 'json') return null;
    let value = this.decoded.get(name);
    if (value === undefined) {
      const bytes = this.payload(field);
      value = bytes === null ? null : JSON.parse(this.decoder.decode(bytes));
      this.decoded.set(name, value);
    }
    return value;
  }

  /** @param {string} name */
  getBytes(name) {
    const field = this.fieldsByName.get(name);
    if (field === undefined || field.type !== 'bytes') return null;
    return this.payload(field);
  }

  /** @param {Field} field */
  payload(field) {
    const at = this.slot + field.byteOffset;
    const offset = this.view.getUint32(at, true);
    if (offset === NO_VALUE) return null;
    const length = this.view.getUint16(at + 4, true);
    return this.memory.heap.subarray(offset, offset + length);
  }
}

/**
 * @param {number} offset
 * @param {number} alignment
 */
function align(offset, alignment) {
  return Math.ceil(offset / alignment) * alignment;
}
