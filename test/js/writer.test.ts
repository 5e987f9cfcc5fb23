import { describe, expect, test } from 'vitest';
import {
  buildSchema,
  CTRL_BASE,
  CTRL_COMMIT_SEQ,
  CTRL_GATE,
  CTRL_HEAP_COMMIT,
  CTRL_HEAP_WRITE,
  CTRL_READ_CURSOR,
  CTRL_WRITE_SEQ,
  computeStrandMap,
  createStrand,
  initStrandHeader,
  MAX_POSITION,
  MAX_REASON_BYTES,
  StrandAbortError,
  StrandBusyError,
  StrandCapacityError,
  StrandClosedError,
  StrandError,
  StrandFencedError,
  StrandHeaderError,
  StrandView,
  StrandWriter,
} from '../../dist/index.js';
import {
  ControlWords,
  expectRejected,
  expectThrown,
  NUMBERED,
  numbered,
  numbersOf,
  open,
  openNumbered,
} from './support/strands.js';

const TEXT = [
  { name: 'n', type: 'u32' },
  { name: 'text', type: 'utf8' },
] as const;

/** Every call that changes a strand. */
const CALLS: Readonly<Record<string, (writer: StrandWriter<never> | StrandWriter) => unknown>> = {
  begin: (writer) => writer.begin(),
  write: (writer) => writer.write({} as never),
  writeRecordBatch: (writer) => writer.writeRecordBatch([{} as never]),
  'writeRecordBatch of nothing': (writer) => writer.writeRecordBatch([]),
  tryWriteRecordBatch: (writer) => writer.tryWriteRecordBatch([{} as never]),
  claimSlot: (writer) => writer.claimSlot(),
  claimSlots: (writer) => writer.claimSlots(2),
  commitSlot: (writer) => writer.commitSlot(0),
  claimHeapBytes: (writer) => writer.claimHeapBytes(1),
  commitHeap: (writer) => writer.commitHeap(),
  finalize: (writer) => writer.finalize(),
  abort: (writer) => writer.abort('late'),
  reset: (writer) => writer.reset(),
};
const WRITES = [
  'write',
  'writeRecordBatch',
  'writeRecordBatch of nothing',
  'tryWriteRecordBatch',
  'claimSlot',
  'claimSlots',
  'claimHeapBytes',
];

const call = (name: string, writer: unknown) => CALLS[name]?.(writer as StrandWriter);

describe('attaching', () => {
  test('changes nothing where it is refused', () => {
    const { strand, writer, view } = openNumbered();
    writer.begin();
    writer.write({ n: 1 });
    const fields = [{ name: 'n', type: 'f64' }] as const;
    expectThrown(
      () => new StrandWriter(strand as never, { schema: buildSchema(fields) as never }),
      StrandHeaderError,
      {},
    );
    expectThrown(() => new StrandWriter(strand, null as never), TypeError, {
      code: 'ERR_STRAND_INVALID_ARGUMENT',
    });
    writer.write({ n: 2 });
    expect([view.committedCount, view.status]).toEqual([2, 'streaming']);
  });

  test('changes nothing where the metadata is refused, which no checksum covers', () => {
    const schema = buildSchema([{ name: 'n', type: 'u32' }]);
    const query = { chrom: 'chr1', start: 100, end: 200 };
    const map = computeStrandMap({ schema, index_capacity: 8, heap_capacity: 0, query: query as never });
    const sab = new SharedArrayBuffer(map.total_bytes);
    initStrandHeader(sab, map);
    const writer = new StrandWriter(sab);
    const view = new StrandView(sab);
    writer.begin();
    const bytes = Buffer.from(sab);
    const at = bytes.indexOf('"end":200');
    expect(at).toBeGreaterThan(0);
    bytes.write('"end":  2', at);
    expectThrown(() => new StrandWriter(sab), StrandHeaderError, {});
    writer.write({ n: 1 } as never);
    expect([view.committedCount, view.status]).toEqual([1, 'streaming']);
  });

  test('takes a strand as well as its memory', () => {
    const strand = createStrand(NUMBERED, { indexCapacity: 8 });
    for (const memory of [strand, strand.sab, { ...strand }]) {
      using writer = new StrandWriter(memory);
      expect(writer.map).toEqual(strand.map);
    }
  });

  test.each([
    ['nothing', undefined],
    ['an ArrayBuffer', new ArrayBuffer(8192)],
    ['a typed array', new Uint8Array(new SharedArrayBuffer(8192))],
  ])('refuses %s', (_, memory) => {
    expectThrown(() => new StrandWriter(memory as never), TypeError, { code: 'ERR_STRAND_INVALID_ARGUMENT' });
  });

  test('refuses memory that holds no strand', () => {
    const details = { code: 'ERR_STRAND_HEADER' };
    expectThrown(() => new StrandWriter(new SharedArrayBuffer(8192)), StrandHeaderError, details);
    expectThrown(() => new StrandWriter(new SharedArrayBuffer(0)), StrandHeaderError, details);
  });

  test('refuses another schema than it was told to expect, and changes nothing', () => {
    const { strand, writer, view } = open(TEXT, { heapCapacity: 64 });
    writer.begin();
    const schemas = {
      'another name': buildSchema([{ name: 'm', type: 'u32' }, TEXT[1]]),
      'another type': buildSchema([{ name: 'n', type: 'i32' }, TEXT[1]]),
      'another flag': buildSchema([{ ...TEXT[0], sorted: 'asc' }, TEXT[1]]),
      'a field less': buildSchema([TEXT[0]]),
      'a field more': buildSchema([...TEXT, { name: 'x', type: 'u8' }]),
      'another order': buildSchema([TEXT[1], TEXT[0]]),
    };
    for (const [difference, schema] of Object.entries(schemas)) {
      const attach = () => new StrandWriter(strand.sab, { schema });
      expect(expectThrown(attach, StrandHeaderError).message, difference).toMatch(/another schema/);
    }
    expect(view.status).toBe('streaming');
    writer.write({ n: 1 });
    using newer = new StrandWriter(strand.sab, { schema: buildSchema(TEXT) });
    newer.write({ n: 2, text: 'typed by its schema' });
    expect(view.committedCount).toBe(2);
  });

  test('sets the status initializing and keeps all positions, read or unread', () => {
    const { strand, writer, view, cursor } = openNumbered(8);
    writer.begin();
    writer.writeRecordBatch(numbered(0, 5));
    view.acknowledgeRead(2);
    using newer = new StrandWriter(strand);
    expect(view.status).toBe('initializing');
    expect(view.committedCount).toBe(5);
    expect(view.effectiveReadCursor).toBe(2);
    newer.begin();
    newer.writeRecordBatch(numbered(5, 10));
    expect(numbersOf({ view, cursor }, 2)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    expect(newer.tryWriteRecordBatch(numbered(10, 11))).toBe(0);
  });

  test('keeps the end of a stream out of the next one', () => {
    const { strand, writer, view } = openNumbered();
    writer.write({ n: 0 });
    writer.finalize();
    using newer = new StrandWriter(strand);
    expect(view.producerStatus).toBe('initializing');
    newer.write({ n: 1 });
    newer.finalize();
    expect(view.committedCount).toBe(2);
    expect(view.producerStatus).toBe('eos');
  });

  test('rolls back what was claimed and not committed, slots and heap', () => {
    const { strand, writer, view, cursor } = open(TEXT, { heapCapacity: 64 });
    writer.writeRecordBatch([{ n: 0, text: 'kept' }]);
    writer.close();
    // As a producer leaves them that died with claims.
    const control = new ControlWords(strand);
    control.set(CTRL_WRITE_SEQ, control.get(CTRL_COMMIT_SEQ) + 5);
    control.set(CTRL_HEAP_WRITE, control.get(CTRL_HEAP_COMMIT) + 50);
    using newer = new StrandWriter(strand);
    expect(control.get(CTRL_WRITE_SEQ)).toBe(1);
    expect(control.get(CTRL_HEAP_WRITE)).toBe(4);
    newer.writeRecordBatch([{ n: 1, text: 'x'.repeat(60) }]);
    const read = [0, 1].map((seq) => cursor.seek(seq) && cursor.toObject());
    expect(read).toEqual([
      { n: 0, text: 'kept' },
      { n: 1, text: 'x'.repeat(60) },
    ]);
    expect(view.committedCount).toBe(2);
  });

  test('rolls back a batch of the older writer that waits for room', async () => {
    const { strand, writer, view, cursor } = openNumbered(4);
    writer.writeRecordBatch(numbered(0, 2));
    const waiting = writer.writeRecordBatchAsync(numbered(2, 6));
    const fenced = expectRejected(waiting, StrandFencedError);
    await Promise.resolve();
    using newer = new StrandWriter(strand);
    await fenced;
    newer.writeRecordBatch(numbered(10, 12));
    expect(numbersOf({ view, cursor })).toEqual([0, 1, 10, 11]);
  });
});

describe('an older writer', () => {
  test.each(Object.keys(CALLS))('is fenced: its next call is refused (%s), and changes nothing', (name) => {
    const { strand, writer, view } = open(TEXT, { heapCapacity: 64 });
    writer.write({ n: 0 });
    using newer = new StrandWriter(strand);
    newer.begin();
    const error = expectThrown(() => call(name, writer), StrandFencedError, { code: 'ERR_STRAND_FENCED' });
    expect(error).toBeInstanceOf(StrandError);
    expect(view.status).toBe('streaming');
    expect(view.committedCount).toBe(1);
    newer.write({ n: 1 });
    expect(view.committedCount).toBe(2);
  });

  test('is fenced also where it writes asynchronously', async () => {
    const { strand, writer } = openNumbered();
    using _newer = new StrandWriter(strand);
    await expectRejected(writer.writeRecordBatchAsync([]), StrandFencedError);
  });

  test('changes nothing by its end', () => {
    const { strand, writer, view } = openNumbered();
    writer.begin();
    using newer = new StrandWriter(strand);
    newer.begin();
    writer.close();
    expect(view.status).toBe('streaming');
    expect(view.error).toBeNull();
    newer.write({ n: 1 });
    newer.finalize();
    expect(view.producerStatus).toBe('eos');
  });

  test('that is in the middle of filling slots is waited for a second, and then nothing has changed', () => {
    const { strand, writer, view, cursor } = open(TEXT, { heapCapacity: 64 });
    const attempt = () =>
      expectThrown(() => new StrandWriter(strand), StrandBusyError, { code: 'ERR_STRAND_BUSY' });
    writer.begin();
    const { seq } = writer.claimSlot();
    const start = performance.now();
    attempt();
    // It was given the time that it may need.
    expect(performance.now() - start).toBeGreaterThan(900);
    writer.commitSlot(seq);
    expect(view.status).toBe('streaming');
    // A batch whose user code wants to take the strand over from it.
    writer.writeRecordBatch([
      {
        get n() {
          attempt();
          return 1;
        },
      },
    ]);
    expect(view.committedCount).toBe(2);
    cursor.seek(1);
    expect(cursor.getU32('n')).toBe(1);
    using newer = new StrandWriter(strand);
    newer.write({ n: 2 });
    expectThrown(() => writer.write({ n: 3 }), StrandFencedError);
  });
});

describe('begin()', () => {
  test('sets the status streaming, and may be called again', () => {
    const { writer, view } = openNumbered();
    expect(view.status).toBe('initializing');
    writer.begin();
    writer.begin();
    expect(view.status).toBe('streaming');
  });

  test('is not needed', () => {
    const { writer, view } = openNumbered();
    writer.write({ n: 1 });
    expect(view.status).toBe('initializing');
    expect(view.committedCount).toBe(1);
  });
});

describe('finalize()', () => {
  test('ends the stream, also without begin(), and may be called again', () => {
    for (const begin of [true, false]) {
      const { writer, view } = openNumbered();
      if (begin) writer.begin();
      writer.write({ n: 1 });
      writer.finalize();
      writer.finalize();
      expect(view.producerStatus).toBe('eos');
    }
  });

  test('never turns an error into a clean end', () => {
    const { writer, view } = openNumbered();
    writer.abort('broken');
    writer.finalize();
    expect(view.status).toBe('error');
    expect(view.error).toBe('broken');
  });

  test('is refused while claims are open', () => {
    const { writer, view } = open(TEXT, { heapCapacity: 64 });
    const { seq } = writer.claimSlot();
    const refused = { code: 'ERR_STRAND_CLAIMS_OPEN' };
    expectThrown(() => writer.finalize(), StrandError, refused);
    writer.commitSlot(seq);
    writer.claimHeapBytes(4);
    expectThrown(() => writer.finalize(), StrandError, refused);
    expect(view.producerStatus).toBe('initializing');
  });

  test('leaves the writer without writes, until reset()', () => {
    const { writer, view } = open(TEXT, { heapCapacity: 64 });
    writer.finalize();
    for (const name of [...WRITES, 'begin']) {
      const error = expectThrown(() => call(name, writer), StrandClosedError, { code: 'ERR_STRAND_CLOSED' });
      expect(error.message).toMatch(/stream has ended: reset\(\)/);
    }
    expect(view.producerStatus).toBe('eos');
    expect(view.committedCount).toBe(0);
    writer.reset();
    writer.write({ n: 1 });
    expect(view.committedCount).toBe(1);
  });

  test('leaves what was written', () => {
    const { writer, view, cursor } = openNumbered();
    writer.writeRecordBatch(numbered(0, 3));
    writer.finalize();
    writer.close();
    expect(numbersOf({ view, cursor })).toEqual([0, 1, 2]);
    expect(view.producerStatus).toBe('eos');
  });
});

describe('abort()', () => {
  test('sets the status error, with its reason', () => {
    const { strand, writer, view } = openNumbered();
    writer.begin();
    writer.write({ n: 1 });
    writer.abort('no more');
    for (const one of [view, new StrandView(strand)]) {
      expect(one.status).toBe('error');
      expect(one.producerStatus).toBe('error');
      expect(one.error).toBe('no more');
    }
    expect(view.committedCount).toBe(1);
  });

  test('needs no reason', () => {
    const { writer, view } = openNumbered();
    writer.abort();
    expect(view.status).toBe('error');
    expect(view.error).toBeNull();
    expectThrown(() => writer.abort(new Error('no text') as never), TypeError, {
      code: 'ERR_STRAND_INVALID_ARGUMENT',
    });
  });

  test('turns also an end into an error', () => {
    const { writer, view } = openNumbered();
    writer.finalize();
    writer.abort('late');
    expect(view.status).toBe('error');
    expect(view.error).toBe('late');
  });

  test('cuts a reason that is too long between characters', () => {
    for (const [unit, bytes] of [
      ['x', 1],
      ['é', 2],
      ['€', 3],
      ['😀', 4],
    ] as const) {
      for (const before of ['', 'a', 'ab', 'abc']) {
        const { writer, view } = openNumbered();
        const reason = before + unit.repeat(200);
        writer.abort(reason);
        const units = Math.floor((MAX_REASON_BYTES - before.length) / bytes);
        expect(view.error).toBe(before + unit.repeat(units));
      }
    }
  });

  test('of a newer writer has a reason of its own', () => {
    const { strand, writer, view } = openNumbered();
    writer.abort('first');
    writer.abort('again');
    expect(view.error).toBe('first');
    const newer = new StrandWriter(strand);
    expect(view.error).toBeNull();
    newer.abort('second');
    expect(view.error).toBe('second');
    new StrandWriter(strand).abort();
    expect(view.error).toBeNull();
  });

  test('drops open claims', () => {
    const { strand, writer, view } = open(TEXT, { heapCapacity: 64 });
    writer.claimSlots(3);
    writer.claimHeapBytes(10);
    writer.abort();
    expect(view.committedCount).toBe(0);
    // The strand is not busy any more.
    using newer = new StrandWriter(strand);
    newer.write({ n: 1 });
  });

  test('leaves the writer without writes', () => {
    const { writer } = open(TEXT, { heapCapacity: 64 });
    writer.abort();
    for (const name of WRITES)
      expectThrown(() => call(name, writer), StrandClosedError, { code: 'ERR_STRAND_CLOSED' });
  });
});

describe('an abort by a consumer', () => {
  test.each(WRITES)('is seen by the next write, also one that is not stalled: %s', (name) => {
    const { writer, view } = open(TEXT, { heapCapacity: 64 });
    writer.write({ n: 1 });
    view.signalAbort('seen enough');
    const details = { code: 'ERR_STRAND_ABORTED', reason: 'seen enough' };
    const error = expectThrown(() => call(name, writer), StrandAbortError, details);
    expect(error.message).toMatch(/seen enough/);
    expect(view.committedCount).toBe(1);
  });

  test('needs no reason', async () => {
    const { writer, view } = openNumbered();
    view.signalAbort();
    const error = expectThrown(() => writer.write({ n: 1 }), StrandAbortError);
    expect(error).not.toHaveProperty('reason');
    await expectRejected(writer.writeRecordBatchAsync([]), StrandAbortError);
    expectThrown(() => view.signalAbort(1 as never), TypeError, { code: 'ERR_STRAND_INVALID_ARGUMENT' });
  });

  test('is seen in the middle of a batch that goes in steps', () => {
    const { writer, view } = openNumbered(4);
    const records = Array.from({ length: 10 }, (_, n) => ({
      get n() {
        if (n === 2) view.signalAbort('stop');
        return n;
      },
    }));
    const error = expectThrown(() => writer.writeRecordBatch(records), StrandAbortError, { reason: 'stop' });
    expect((error as StrandAbortError).recordsWritten ?? 0).toBe(view.committedCount);
    expect(view.committedCount).toBeLessThan(4);
  });

  test('stays until reset(), also for a newer writer', () => {
    const { strand, writer, view } = openNumbered();
    view.signalAbort();
    expectThrown(() => writer.write({ n: 1 }), StrandAbortError);
    using newer = new StrandWriter(strand);
    expectThrown(() => newer.write({ n: 1 }), StrandAbortError);
    newer.reset();
    newer.write({ n: 1 });
    expect(view.committedCount).toBe(1);
  });

  test('lets the producer commit what it has claimed, and makes its end an error with the reason', () => {
    const { strand, writer, view } = openNumbered();
    const { seq } = writer.claimSlot();
    view.signalAbort('seen enough');
    writer.commitSlot(seq);
    writer.finalize();
    expect(view.committedCount).toBe(1);
    // Other consumers must not take what there is for all.
    const other = new StrandView(strand);
    expect([other.producerStatus, other.status, other.error]).toEqual(['error', 'error', 'seen enough']);
  });

  test('bears the reason that was given first, cut between characters where it is too long', () => {
    for (const [given, shown] of [
      ['ü€😀', 'ü€😀'],
      ['a\0b', 'a\0b'],
      ['€'.repeat(60), '€'.repeat(Math.floor(MAX_REASON_BYTES / 3))],
      ['\ud800', '\ufffd'],
    ] as const) {
      const { writer, view } = openNumbered();
      view.signalAbort(given);
      view.signalAbort('another');
      expectThrown(() => writer.write({ n: 1 }), StrandAbortError, { reason: shown });
    }
  });
});

describe('close()', () => {
  test.each([true, false])('turns an unfinished stream into an error (begun: %s)', (begin) => {
    const { writer, view } = openNumbered();
    if (begin) writer.begin();
    writer.write({ n: 1 });
    writer.close();
    expect(view.status).toBe('error');
    expect(view.committedCount).toBe(1);
  });

  test('leaves a finished stream and an error as they are', () => {
    const { writer, view } = openNumbered();
    writer.finalize();
    writer.close();
    expect(view.producerStatus).toBe('eos');
    const other = openNumbered();
    other.writer.abort('mine');
    other.writer.close();
    expect(other.view.error).toBe('mine');
  });

  test('may be called again, and by `using`', () => {
    const strand = createStrand(NUMBERED, { indexCapacity: 4 });
    const view = new StrandView(strand);
    {
      using writer = new StrandWriter(strand);
      writer.close();
      writer.close();
    }
    expect(view.status).toBe('error');
  });

  test('drops open claims', () => {
    const { strand, writer, view } = openNumbered();
    writer.claimSlots(2);
    writer.close();
    using newer = new StrandWriter(strand);
    newer.write({ n: 7 });
    expect(numbersOf({ view, cursor: view.allocateCursor() })).toEqual([7]);
  });

  test.each(Object.keys(CALLS))('leaves the writer without %s', (name) => {
    const { writer } = open(TEXT, { heapCapacity: 64 });
    writer.close();
    expectThrown(() => call(name, writer), StrandClosedError, { code: 'ERR_STRAND_CLOSED' });
  });

  test('leaves it without asynchronous writes, but with its statistics', async () => {
    const { writer } = openNumbered();
    writer.write({ n: 1 });
    writer.close();
    await expectRejected(writer.writeRecordBatchAsync([{ n: 1 }]), StrandClosedError);
    expect(writer.stats().recordsProduced).toBe(1);
  });
});

describe('stats()', () => {
  test('counts records, bytes and what is queued', () => {
    const { strand, writer, view } = open(TEXT, { heapCapacity: 64 });
    const none = {
      recordsProduced: 0,
      bytesProduced: 0,
      stalls: 0,
      stallNanoseconds: 0,
      consumerWaits: 0,
      queueDepth: 0,
    };
    expect(writer.stats()).toEqual(none);
    writer.write({ n: 1, text: 'x'.repeat(10) });
    writer.writeRecordBatch([{ n: 2, text: 'x'.repeat(20) }, { n: 3 }]);
    const bytesProduced = 3 * strand.map.record_stride + 30;
    expect(writer.stats()).toEqual({ ...none, recordsProduced: 3, bytesProduced, queueDepth: 3 });
    view.acknowledgeRead(2);
    expect(writer.stats()).toEqual({ ...none, recordsProduced: 3, bytesProduced, queueDepth: 1 });
    expect(view.stats()).toEqual({
      recordsProduced: 3,
      bytesProduced,
      producerStalls: 0,
      producerStallNanoseconds: 0,
      consumerWaits: 0,
      queueDepth: 1,
    });
  });

  test('goes on with a newer writer and a new stream', () => {
    const { strand, writer } = openNumbered();
    writer.write({ n: 1 });
    using newer = new StrandWriter(strand);
    newer.write({ n: 2 });
    newer.reset();
    newer.write({ n: 3 });
    expect(newer.stats()).toMatchObject({ recordsProduced: 3, queueDepth: 1 });
  });
});

describe('positions', () => {
  const WIDE = [
    { name: 'n', type: 'u32' },
    { name: 'text', type: 'utf8' },
    { name: 'list', type: 'i64_array' },
  ] as const;

  /** A strand whose stream has come to `position`, and whose heap has come to `heap`. */
  function openAt(position: number, heap: number, base = 0) {
    const strand = createStrand(WIDE, { indexCapacity: 8, heapCapacity: 128 });
    const control = new ControlWords(strand);
    control.set(CTRL_BASE, base);
    for (const index of [CTRL_WRITE_SEQ, CTRL_COMMIT_SEQ, CTRL_READ_CURSOR, CTRL_GATE])
      control.set(index, base + position);
    for (const index of [CTRL_HEAP_WRITE, CTRL_HEAP_COMMIT]) control.set(index, heap);
    const writer = new StrandWriter(strand);
    const view = new StrandView(strand);
    return { strand, writer, view, cursor: view.allocateCursor() };
  }

  const record = (n: number) => ({ n, text: `text ${n}`, list: [BigInt(n)] });

  test.each([
    ['2^31', 2 ** 31],
    ['2^32', 2 ** 32],
    ['2^33', 2 ** 33],
    ['2^40', 2 ** 40],
    ['2^52', 2 ** 52],
  ])('go on past %s, of records and of heap', async (_, limit) => {
    for (const base of [0, 2 ** 32, 2 ** 44]) {
      const { strand, writer, view, cursor } = openAt(limit - 20, limit - 200, base);
      let next = limit - 20;
      expect(view.committedCount).toBe(next);
      expect(view.effectiveReadCursor).toBe(next);
      const writes = [
        (records: object[]) => writer.writeRecordBatch(records),
        (records: object[]) => expect(writer.tryWriteRecordBatch(records)).toBe(records.length),
        (records: object[]) => {
          for (const one of records) writer.write(one);
        },
      ];
      for (let round = 0; round < 15; round++) {
        const numbers = [0, 1, 2].map((i) => (next + i) % 1000);
        writes[round % writes.length]?.(numbers.map(record));
        expect(await view.waitForCommit(next)).toBe(next + 3);
        for (const [i, n] of numbers.entries()) {
          expect(cursor.seek(next + i)).toBe(true);
          expect(cursor.seq).toBe(next + i);
          expect(cursor.toObject()).toEqual({ n, text: `text ${n}`, list: BigInt64Array.of(BigInt(n)) });
        }
        expect(cursor.seek(next + 3)).toBe(false);
        const token = view.registerConsumer();
        view.acknowledgeRead(next + 3, token);
        view.releaseConsumer(token);
        expect(cursor.seek(next + 1)).toBe(true);
        expect(cursor.toObject().text).toBe(`text ${numbers[1]}`);
        const { seq, slotOffset } = writer.claimSlot();
        expect(seq).toBe(next + 3);
        new DataView(strand.sab).setUint32(slotOffset, 77, true);
        writer.commitSlot(seq);
        view.acknowledgeRead(next + 4);
        next += 4;
      }
    }
  });

  test('count from zero after a reset, wherever they stood', () => {
    const { writer, view, cursor } = openAt(2 ** 32 - 3, 2 ** 32 - 5);
    writer.reset();
    view.waitForCommitSync(0, 0);
    expect(view.committedCount).toBe(0);
    writer.writeRecordBatch([1, 2, 3].map(record));
    cursor.seek(2);
    expect(cursor.toObject()).toEqual({ n: 3, text: 'text 3', list: BigInt64Array.of(3n) });
  });

  test('end before 2^53, where numbers end', async () => {
    const { writer, view, cursor } = openAt(MAX_POSITION - 5, 2 ** 40);
    expect(MAX_POSITION).toBe(2 ** 53);
    writer.writeRecordBatch([1, 2].map(record));
    const over = {
      code: 'ERR_STRAND_CAPACITY',
      message: expect.stringMatching(/2\^53.*create a new strand/),
    };
    expectThrown(() => writer.writeRecordBatch([1, 2, 3, 4].map(record)), StrandCapacityError, over);
    expectThrown(() => writer.claimSlots(4), StrandCapacityError, over);
    writer.writeRecordBatch([3, 4, 5].map(record));
    expect(view.committedCount).toBe(MAX_POSITION);
    cursor.seek(MAX_POSITION - 1);
    expect(cursor.getU32('n')).toBe(5);
    view.acknowledgeRead(MAX_POSITION - 1);
    for (const name of ['write', 'writeRecordBatch', 'tryWriteRecordBatch', 'claimSlot']) {
      expectThrown(() => call(name, writer), StrandCapacityError, over);
    }
    await expectRejected(writer.writeRecordBatchAsync([{}]), StrandCapacityError, over);
    expectThrown(() => writer.reset(), StrandCapacityError, over);
    expect(view.committedCount).toBe(MAX_POSITION);
    writer.finalize();
    expect(view.producerStatus).toBe('eos');
  });
});

describe('growable shared memory', () => {
  type Growable = SharedArrayBuffer & { grow(length: number): void };

  test('works like any other, also after it has grown', async () => {
    const schema = buildSchema(TEXT);
    const map = computeStrandMap({ schema, index_capacity: 4, heap_capacity: 64 });
    const Memory = SharedArrayBuffer as unknown as new (bytes: number, options: object) => Growable;
    const sab = new Memory(map.total_bytes, { maxByteLength: map.total_bytes + 4096 });
    initStrandHeader(sab, map);
    const writer = new StrandWriter(sab);
    const view = new StrandView(sab, { schema });
    const cursor = view.allocateCursor();
    for (let n = 0; n < 20; n++) {
      if (n === 10) sab.grow(map.total_bytes + 4096);
      writer.writeRecordBatch([{ n, text: `text ${n}` }]);
      expect(await view.waitForCommit(n)).toBe(n + 1);
      cursor.seek(n);
      expect(cursor.toObject()).toEqual({ n, text: `text ${n}` });
      view.acknowledgeRead(n + 1);
    }
    writer.close();
    const later = new StrandView(sab);
    expect(later.map.total_bytes).toBe(map.total_bytes);
    expect(later.status).toBe('error');
  });
});
