/**
 * A producer and a consumer written from docs/protocol.md alone, as one would in another language. For the schema of the
 * document's example: `id: u32` at 4, `t: f32` nullable at 8, `s: utf8` at 12.
 */

const HEADER_SIZE = 28;
const RECORD_STRIDE = 12;
const INDEX_CAPACITY = 16;
const HEAP_CAPACITY = 20;

const WRITE_SEQ = 0x080;
const HEAP_WRITE = 0x088;
const WINDOW_FLOOR = 0x090;
const HEAP_FLOOR = 0x098;
const COMMIT_SEQ = 0x100;
const HEAP_COMMIT = 0x108;
const STATUS = 0x110;
const OWNER = 0x180;
const FAST_OWNER = 0x188;
const FAST_BUSY = 0x18c;
const READ_CURSOR = 0x200;
const GATE = 0x208;
const ACTIVE = 0x210;
const DATA_EVENT = 0x280;
const SPACE_EVENT = 0x300;
const CONSUMER_SLOTS = 0x400;
const SLOT_BYTES = 64;
const SLOTS = 8;

const ABSENT = 0xffffffff;
const STREAMING = 1;
const HELD = 1n;
const TAKING = 2n;
const STATE_SHIFT = 32n;

export interface ForeignRecord {
  readonly id: number;
  readonly t: number | null;
  readonly s: string;
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** The regions and words of a strand; all of JavaScript's atomics are sequentially consistent. */
class ForeignStrand {
  readonly memory: DataView;
  readonly capacity: bigint;
  readonly heapCapacity: bigint;
  readonly heapStart: number;
  readonly #stride: number;
  readonly #header: number;
  readonly #heapBegin: number;
  readonly #u32: Uint32Array;
  readonly #u64: BigUint64Array;

  constructor(sab: SharedArrayBuffer) {
    this.memory = new DataView(sab);
    this.#u32 = new Uint32Array(sab, 0, Math.floor(sab.byteLength / 4));
    this.#u64 = new BigUint64Array(sab, 0, Math.floor(sab.byteLength / 8));
    this.#header = this.memory.getUint32(HEADER_SIZE, true);
    this.#stride = this.memory.getUint32(RECORD_STRIDE, true);
    const capacity = this.memory.getUint32(INDEX_CAPACITY, true);
    const heapCapacity = this.memory.getUint32(HEAP_CAPACITY, true);
    this.capacity = BigInt(capacity);
    this.heapCapacity = BigInt(heapCapacity);
    this.heapStart = this.#header + capacity * this.#stride;
    this.#heapBegin = Math.ceil((this.heapStart + heapCapacity) / 8) * 8;
  }

  load(offset: number): bigint {
    return Atomics.load(this.#u64, offset / 8);
  }

  store(offset: number, value: bigint): void {
    Atomics.store(this.#u64, offset / 8, value);
  }

  exchange(offset: number, expected: bigint, value: bigint): boolean {
    return Atomics.compareExchange(this.#u64, offset / 8, expected, value) === expected;
  }

  raise(offset: number, value: bigint): void {
    for (let seen = this.load(offset); seen < value; seen = this.load(offset)) {
      if (this.exchange(offset, seen, value)) return;
    }
  }

  load32(offset: number): number {
    return Atomics.load(this.#u32, offset / 4);
  }

  store32(offset: number, value: number): void {
    Atomics.store(this.#u32, offset / 4, value);
  }

  /** Wakes nobody: JavaScript has no futex. A sleeper of the package would have raised a flag. */
  notify(event: number): void {
    if (Atomics.exchange(this.#u32, event / 4 + 1, 0) !== 0)
      throw new Error('somebody waits, whom this cannot wake');
  }

  slotOffset(position: bigint): number {
    return this.#header + Number(position % this.capacity) * this.#stride;
  }

  heapBeginOffset(position: bigint): number {
    return this.#heapBegin + Number(position % this.capacity) * 8;
  }

  slowestConsumer(): bigint {
    const active = this.load32(ACTIVE);
    const cursors = Array.from({ length: SLOTS }, (_, slot) => slot)
      .filter((slot) => (active >> slot) & 1)
      .map((slot) => this.load(CONSUMER_SLOTS + slot * SLOT_BYTES));
    return cursors.length === 0 ? this.load(READ_CURSOR) : cursors.reduce(smaller);
  }

  refreshGate(): bigint {
    this.raise(GATE, this.slowestConsumer());
    return smaller(this.load(GATE), this.slowestConsumer());
  }
}

export class ForeignProducer {
  readonly #strand: ForeignStrand;
  readonly #fence: bigint;

  constructor(sab: SharedArrayBuffer) {
    const strand = new ForeignStrand(sab);
    this.#strand = strand;
    const older = strand.load(OWNER);
    this.#fence = (older + 1n) & 0xffffffffn;
    if (
      older >> STATE_SHIFT !== 0n ||
      !strand.exchange(OWNER, older, (TAKING << STATE_SHIFT) | this.#fence)
    ) {
      throw new Error('somebody is at work');
    }
    if (BigInt(strand.load32(FAST_OWNER)) === older && strand.load32(FAST_BUSY) !== 0) {
      strand.store(OWNER, older);
      throw new Error('the older writer is busy');
    }
    strand.store(OWNER, (HELD << STATE_SHIFT) | this.#fence);
    strand.raise(WINDOW_FLOOR, larger(strand.load(WRITE_SEQ) - strand.capacity, 0n));
    strand.raise(HEAP_FLOOR, larger(strand.load(HEAP_WRITE) - strand.heapCapacity, 0n));
    strand.store(WRITE_SEQ, strand.load(COMMIT_SEQ));
    strand.store(HEAP_WRITE, strand.load(HEAP_COMMIT));
    strand.store32(STATUS, STREAMING);
    strand.notify(DATA_EVENT);
    strand.store(OWNER, this.#fence);
  }

  /** → false where there is no room */
  write({ id, t, s }: ForeignRecord): boolean {
    const strand = this.#strand;
    const { memory, capacity, heapCapacity } = strand;
    const seq = strand.load(COMMIT_SEQ);
    const gate = strand.refreshGate();
    if (seq === gate + capacity) return false;

    const text = Buffer.from(s);
    const length = BigInt(text.length);
    const begin = strand.load(HEAP_COMMIT);
    const rest = heapCapacity - (begin % heapCapacity);
    const start = length <= rest ? begin : begin + rest;
    const free = gate < seq ? strand.load(strand.heapBeginOffset(gate)) + heapCapacity : start + heapCapacity;
    if (start + length > free) return false;

    if (!strand.exchange(OWNER, this.#fence, (HELD << STATE_SHIFT) | this.#fence)) throw new Error('fenced');
    strand.store(WRITE_SEQ, seq + 1n);
    strand.store(HEAP_WRITE, start + length);
    const slot = strand.slotOffset(seq);
    const offset = Number(start % heapCapacity);
    memory.setUint8(slot, t === null ? 0 : 1);
    memory.setUint32(slot + 4, id, true);
    memory.setFloat32(slot + 8, t ?? 0, true);
    memory.setUint32(slot + 12, offset, true);
    memory.setUint16(slot + 16, text.length, true);
    new Uint8Array(memory.buffer).set(text, strand.heapStart + offset);
    strand.store(strand.heapBeginOffset(seq), begin);
    strand.store(HEAP_COMMIT, start + length);
    strand.store(COMMIT_SEQ, seq + 1n);
    strand.store(OWNER, this.#fence);
    strand.notify(DATA_EVENT);
    return true;
  }
}

export class ForeignConsumer {
  readonly #strand: ForeignStrand;

  constructor(sab: SharedArrayBuffer) {
    this.#strand = new ForeignStrand(sab);
  }

  /** Reads and releases everything that is committed. */
  drain(): ForeignRecord[] {
    const strand = this.#strand;
    const committed = strand.load(COMMIT_SEQ);
    const records: ForeignRecord[] = [];
    for (let seq = strand.load(READ_CURSOR); seq < committed; seq++) records.push(this.#record(seq));
    strand.raise(READ_CURSOR, committed);
    strand.notify(SPACE_EVENT);
    return records;
  }

  #record(seq: bigint): ForeignRecord {
    const { memory, heapStart, heapCapacity } = this.#strand;
    const slot = this.#strand.slotOffset(seq);
    const offset = memory.getUint32(slot + 12, true);
    const length = memory.getUint16(slot + 16, true);
    const absent = offset === ABSENT || BigInt(offset + length) > heapCapacity;
    return {
      id: memory.getUint32(slot + 4, true),
      t: memory.getUint8(slot) & 1 ? memory.getFloat32(slot + 8, true) : null,
      s: absent
        ? ''
        : Buffer.copyBytesFrom(new Uint8Array(memory.buffer), heapStart + offset, length).toString(),
    };
  }
}
