import { getEventListeners } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createStrand,
  StrandAbortError,
  StrandCapacityError,
  StrandClosedError,
  StrandError,
  StrandFencedError,
  type StrandView,
  StrandWriter,
} from '../../dist/index.js';
import {
  expectRejected,
  expectThrown,
  NUMBERED,
  numbered,
  numbersOf,
  open,
  openNumbered,
  turns,
} from './support/strands.js';

const PAYLOAD = [
  { name: 'n', type: 'u32' },
  { name: 'payload', type: 'bytes' },
] as const;

/** Everything that is readable, in order; acknowledges it. */
function drain(view: StrandView, onto: unknown[]): void {
  const cursor = view.allocateCursor();
  const from = onto.length;
  for (let seq = from; cursor.seek(seq); seq++) onto.push(cursor.get('n'));
  view.acknowledgeRead(onto.length);
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('a batch that the ring and half the heap hold', () => {
  test('becomes visible in one step, from any position of ring and heap', () => {
    const sizes = fc.oneof(
      fc.array(fc.nat({ max: 4 }), { maxLength: 8 }),
      fc.array(fc.nat({ max: 16 }), { maxLength: 2 }),
      fc.constant([32]),
    );
    fc.assert(
      fc.property(fc.array(sizes, { maxLength: 12 }), (batches) => {
        const { writer, view } = open(PAYLOAD, { indexCapacity: 8, heapCapacity: 64 });
        const read: unknown[] = [];
        for (const batch of batches) {
          const before = view.committedCount;
          const records = batch.map((bytes, i) => ({
            get n() {
              expect(view.committedCount).toBe(before);
              return before + i;
            },
            payload: new Uint8Array(bytes),
          }));
          writer.writeRecordBatch(records);
          expect(view.committedCount).toBe(before + records.length);
          drain(view, read);
        }
        expect(read).toEqual(range(read.length));
      }),
    );
  });

  test('becomes visible in one step where it has to wait for room', async () => {
    const batches = fc.array(fc.array(fc.nat({ max: 8 }), { minLength: 1, maxLength: 4 }), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(batches, async (sizes) => {
        const { writer, view, cursor } = open(PAYLOAD, { indexCapacity: 4, heapCapacity: 64 });
        const steps = new Set([0]);
        let count = 0;
        const written = sizes.map((batch) => {
          const records = batch.map((bytes, i) => ({ n: count + i, payload: new Uint8Array(bytes) }));
          count += batch.length;
          steps.add(count);
          return writer.writeRecordBatchAsync(records);
        });
        for (let seq = 0; seq < count; seq++) {
          expect(steps).toContain(await view.waitForCommit(seq));
          cursor.seek(seq);
          expect(cursor.getU32('n')).toBe(seq);
          view.acknowledgeRead(seq + 1);
        }
        await Promise.all(written);
      }),
      { numRuns: 50 },
    );
  });

  test('shows nothing after an error in any of its records', () => {
    const { writer, view } = openNumbered(8);
    for (let bad = 0; bad < 8; bad++) {
      const records: { n: number }[] = numbered(0, 8);
      records[bad] = { n: -1 };
      for (const write of ['writeRecordBatch', 'tryWriteRecordBatch'] as const) {
        const error = expectThrown(() => writer[write](records), RangeError, { field: 'n', record: bad });
        expect(error).not.toHaveProperty('recordsWritten');
      }
      expect(view.committedCount).toBe(0);
    }
    writer.writeRecordBatch(numbered(0, 8));
    expect(numbersOf({ view, cursor: view.allocateCursor() })).toEqual(range(8));
  });

  test('leaves nothing of a failed one in those that follow', () => {
    const { writer, view, cursor } = open(PAYLOAD, { heapCapacity: 64 });
    const payload = new Uint8Array(20).fill(9);
    expectThrown(
      () => writer.writeRecordBatch([{ n: 1, payload }, { n: 2, payload }, { n: 'x' as never }]),
      TypeError,
    );
    writer.writeRecordBatch([{ n: 3 }]);
    writer.finalize();
    expect(view.committedCount).toBe(1);
    cursor.seek(0);
    expect(cursor.toObject()).toEqual({ n: 3, payload: null });
  });
});

describe('a larger batch', () => {
  test.each([
    ['than the ring', 4, 1 << 16, 100, 4],
    ['than the heap', 64, 64, 40, 20],
    ['than a ring of one record', 1, 64, 20, 30],
    ['than a heap that holds one payload at a time', 8, 30, 20, 30],
  ])('%s passes through', async (_, indexCapacity, heapCapacity, count, bytes) => {
    const { writer, view } = open(PAYLOAD, { indexCapacity, heapCapacity });
    const read: unknown[] = [];
    const records = range(count).map((n) => ({ n, payload: new Uint8Array(bytes) }));
    const written = writer.writeRecordBatchAsync(records);
    while (read.length < count) {
      await view.waitForCommit(read.length);
      drain(view, read);
    }
    await written;
    expect(read).toEqual(range(count));
  });

  test('may become visible in steps, and its error says how many records were', async () => {
    const { writer, view } = openNumbered(4);
    const records = [...numbered(0, 10), { n: -1 }, ...numbered(11, 20)];
    const read: unknown[] = [];
    const written = expectRejected(writer.writeRecordBatchAsync(records), RangeError, {
      record: 10,
      recordsWritten: 10,
    });
    while (read.length < 8) {
      await view.waitForCommit(read.length);
      drain(view, read);
    }
    await written;
    drain(view, read);
    // What was complete before the error is whole; how much of it was handed over is the error's to say.
    expect(read).toEqual(range(read.length));
    expect(view.committedCount).toBe(10);
    writer.writeRecordBatch(numbered(10, 12));
    drain(view, read);
    expect(read).toEqual(range(12));
  });

  test('whose user code throws what takes no property fails with just that', async () => {
    const thrown = [
      Object.freeze(new Error('frozen')),
      'a string',
      undefined,
      new Proxy({}, { set: () => false, defineProperty: () => false }),
    ];
    for (const value of thrown) {
      const { writer, view } = openNumbered(2);
      const bad = {
        get n(): number {
          throw value;
        },
      };
      const failed = writer.writeRecordBatchAsync([...numbered(0, 5), bad]).then(
        () => expect.fail('it was written'),
        (error: unknown) => error,
      );
      const read: unknown[] = [];
      for (let i = 0; i < 10 && read.length < 4; i++) {
        drain(view, read);
        await turns();
      }
      drain(view, read);
      expect(await failed).toBe(value);
    }
  });
});

describe('writeRecordBatch', () => {
  test('takes no records at all', () => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch([]);
    expect(writer.tryWriteRecordBatch([])).toBe(0);
    expect(view.committedCount).toBe(0);
  });

  test.each([
    ['undefined', undefined],
    ['a record', { n: 1 }],
    ['what has a length', { length: 1, 0: { n: 1 } }],
    ['what can be iterated', new Set([{ n: 1 }])],
    ['a typed array', new Uint8Array(2)],
    ['a string', 'records'],
  ])('refuses %s', (_, records) => {
    const { writer, view } = openNumbered();
    const details = {
      code: 'ERR_STRAND_INVALID_ARGUMENT',
      message: expect.stringMatching(/array of records/),
    };
    expectThrown(() => writer.writeRecordBatch(records as never), TypeError, details);
    expectThrown(() => writer.tryWriteRecordBatch(records as never), TypeError, details);
    expect(view.committedCount).toBe(0);
    writer.writeRecordBatch([{ n: 1 }]);
  });

  test('refuses holes', () => {
    const { writer, view } = openNumbered();
    // biome-ignore lint/suspicious/noSparseArray: what is refused
    expectThrown(() => writer.writeRecordBatch([{ n: 1 }, , { n: 2 }] as never), TypeError, { record: 1 });
    expect(view.committedCount).toBe(0);
  });

  test('takes what proxies and frozen arrays show', () => {
    const { writer, view, cursor } = openNumbered();
    writer.writeRecordBatch(new Proxy(numbered(0, 2), {}));
    writer.writeRecordBatch(Object.freeze(numbered(2, 4)));
    writer.writeRecordBatch(numbered(4, 6).map((record) => new Proxy(record, {})));
    expect(numbersOf({ view, cursor })).toEqual(range(6));
  });

  test('blocks while the ring is full, until a consumer makes room', async () => {
    const { strand, writer, view } = openNumbered(4);
    const count = 1000;
    const index = new URL('../../dist/index.js', import.meta.url).href;
    const code = `
      const { parentPort, workerData: { strand, count } } = require('node:worker_threads');
      import(${JSON.stringify(index)}).then(({ StrandView }) => {
        const view = new StrandView(strand);
        const cursor = view.allocateCursor();
        const read = [];
        while (read.length < count) {
          const committed = view.waitForCommitSync(read.length);
          while (read.length < committed && cursor.seek(read.length)) read.push(cursor.getU32('n'));
          view.acknowledgeRead(committed);
        }
        parentPort.postMessage(read);
      });`;
    const worker = new Worker(code, { eval: true, workerData: { strand, count } });
    const read = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    writer.writeRecordBatch(numbered(0, 500));
    for (const record of numbered(500, 600)) writer.write(record);
    const slots = new DataView(strand.sab);
    const [{ byteOffset }] = strand.map.schema.fields;
    for (let n = 600; n < 700; n++) {
      const { seq, slotOffset } = writer.claimSlot();
      slots.setUint32(slotOffset + byteOffset, n, true);
      writer.commitSlot(seq);
    }
    for (let n = 700; n < count; n += 4) writer.writeRecordBatch(numbered(n, n + 4));
    expect(await read).toEqual(range(count));
    expect(writer.stats().stalls).toBeGreaterThan(0);
    expect(writer.stats().stallNanoseconds).toBeGreaterThan(0);
    expect(view.stats().producerStalls).toBe(writer.stats().stalls);
  });
});

describe('tryWriteRecordBatch', () => {
  test('writes what the ring has room for, and tells how many', () => {
    const { writer, view, cursor } = openNumbered(4);
    expect(writer.tryWriteRecordBatch(numbered(0, 3))).toBe(3);
    expect(writer.tryWriteRecordBatch(numbered(3, 10))).toBe(1);
    expect(writer.tryWriteRecordBatch(numbered(4, 10))).toBe(0);
    view.acknowledgeRead(2);
    expect(writer.tryWriteRecordBatch(numbered(4, 10))).toBe(2);
    expect(writer.stats().stalls).toBe(0);
    expect([2, 3, 4, 5].map((seq) => cursor.seek(seq) && cursor.getU32('n'))).toEqual([2, 3, 4, 5]);
  });

  test('writes what the heap has room for', () => {
    const { writer, view } = open(PAYLOAD, { heapCapacity: 64 });
    const record = { payload: new Uint8Array(20) };
    expect(writer.tryWriteRecordBatch(Array(8).fill(record))).toBe(3);
    expect(writer.tryWriteRecordBatch([record, { n: 1 }])).toBe(0);
    // A record without payloads needs no heap.
    expect(writer.tryWriteRecordBatch([{ n: 1 }])).toBe(1);
    view.acknowledgeRead(1);
    expect(writer.tryWriteRecordBatch(Array(8).fill(record))).toBe(1);
  });

  test('writes nothing where one of those that have room is refused', () => {
    const { writer, view } = openNumbered(4);
    expectThrown(() => writer.tryWriteRecordBatch([...numbered(0, 3), { n: -1 }]), RangeError, { record: 3 });
    expect(view.committedCount).toBe(0);
    expect(writer.tryWriteRecordBatch([...numbered(0, 4), { n: -1 }])).toBe(4);
  });
});

describe('writeRecordBatchAsync', () => {
  test('waits for room without blocking the event loop, in the order of the calls', async () => {
    const { writer, view, cursor } = openNumbered(4);
    const order: string[] = [];
    const first = writer.writeRecordBatchAsync(numbered(0, 6)).then(() => order.push('first'));
    const second = writer.writeRecordBatchAsync(numbered(6, 8)).then(() => order.push('second'));
    await turns();
    expect(order).toEqual([]);
    view.acknowledgeRead(view.committedCount);
    await first;
    expect(order).toEqual(['first']);
    view.acknowledgeRead(view.committedCount);
    await second;
    expect(order).toEqual(['first', 'second']);
    expect([4, 5, 6, 7].map((seq) => cursor.seek(seq) && cursor.getU32('n'))).toEqual([4, 5, 6, 7]);
    expect(writer.stats().stalls).toBeGreaterThan(0);
  });

  test('rejects with what writeRecordBatch throws, and lets those behind it go on', async () => {
    const { writer, view, cursor } = openNumbered(4);
    const refused = writer.writeRecordBatchAsync([{ n: 0 }, { n: -1 }]);
    const noArray = writer.writeRecordBatchAsync({} as never);
    const written = writer.writeRecordBatchAsync(numbered(0, 2));
    await expectRejected(refused, RangeError, { field: 'n', record: 1, code: 'ERR_STRAND_OUT_OF_RANGE' });
    await expectRejected(noArray, TypeError, { code: 'ERR_STRAND_INVALID_ARGUMENT' });
    await written;
    expect(numbersOf({ view, cursor })).toEqual([0, 1]);
  });

  test('takes no other write before the last one is through', async () => {
    const { writer, view, cursor } = openNumbered(2);
    const written = writer.writeRecordBatchAsync(numbered(0, 3));
    await turns();
    const busy = { code: 'ERR_STRAND_REENTRANT' };
    expectThrown(() => writer.write({ n: 9 }), StrandError, busy);
    expectThrown(() => writer.writeRecordBatch([]), StrandError, busy);
    expectThrown(() => writer.tryWriteRecordBatch([]), StrandError, busy);
    expectThrown(() => writer.claimSlot(), StrandError, busy);
    expectThrown(() => writer.finalize(), StrandError, busy);
    view.acknowledgeRead(view.committedCount);
    await written;
    writer.write({ n: 3 });
    expect([2, 3].map((seq) => cursor.seek(seq) && cursor.getU32('n'))).toEqual([2, 3]);
  });

  test('is ended by a signal before its turn, and then writes nothing', async () => {
    const { writer, view } = openNumbered(4);
    const reason = new Error('mine');
    const before = writer.writeRecordBatchAsync(numbered(0, 2), { signal: AbortSignal.abort(reason) });
    await expect(before).rejects.toBe(reason);
    expect(view.committedCount).toBe(0);
    await writer.writeRecordBatchAsync(numbered(0, 2), { signal: new AbortController().signal });
    expect(view.committedCount).toBe(2);
  });

  test('is ended by a signal while it waits; what is visible stays', async () => {
    const { writer, view, cursor } = openNumbered(4);
    const controller = new AbortController();
    const reason = new Error('mine');
    const written = writer.writeRecordBatchAsync(numbered(0, 10), controller);
    await turns();
    const visible = view.committedCount;
    controller.abort(reason);
    await expect(written).rejects.toBe(reason);
    expect(view.committedCount).toBe(visible);
    expect(reason).toMatchObject({ recordsWritten: visible });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    expect(numbersOf({ view, cursor })).toEqual(range(visible));
    view.acknowledgeRead(visible);
    writer.writeRecordBatch(numbered(visible, visible + 1));
    expect(numbersOf({ view, cursor }, visible)).toEqual([visible]);
  });

  test('leaves no listener on a signal that was not used', async () => {
    const { writer, view } = openNumbered(2);
    const { signal } = new AbortController();
    const written = writer.writeRecordBatchAsync(numbered(0, 4), { signal });
    await turns();
    view.acknowledgeRead(view.committedCount);
    await written;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test.each<
    [string, (ends: ReturnType<typeof openNumbered>) => void, new (...args: never[]) => Error, object]
  >([
    ['an abort', ({ view }) => view.signalAbort('enough'), StrandAbortError, { reason: 'enough' }],
    ['close()', ({ writer }) => writer.close(), StrandClosedError, { code: 'ERR_STRAND_CLOSED' }],
    [
      'a newer writer',
      ({ strand }) => new StrandWriter(strand),
      StrandFencedError,
      { code: 'ERR_STRAND_FENCED' },
    ],
  ])('is ended by %s while it waits, and so are those behind it', async (_, end, type, details) => {
    const ends = openNumbered(4);
    const first = ends.writer.writeRecordBatchAsync(numbered(0, 6));
    const second = ends.writer.writeRecordBatchAsync(numbered(6, 7));
    await turns();
    end(ends);
    await expectRejected(first, type, details);
    await expectRejected(second, type, details);
  });
});

/** Calls of a writer that are refused while it is in the middle of a batch. */
const CALLS: Readonly<Record<string, (writer: StrandWriter) => unknown>> = {
  write: (writer) => writer.write({}),
  writeRecordBatch: (writer) => writer.writeRecordBatch([]),
  tryWriteRecordBatch: (writer) => writer.tryWriteRecordBatch([{}]),
  claimSlot: (writer) => writer.claimSlot(),
  claimSlots: (writer) => writer.claimSlots(2),
  commitSlot: (writer) => writer.commitSlot(0),
  commitSlots: (writer) => writer.commitSlots(0, 1),
  claimHeapBytes: (writer) => writer.claimHeapBytes(4),
  commitHeap: (writer) => writer.commitHeap(),
  begin: (writer) => writer.begin(),
  finalize: (writer) => writer.finalize(),
  abort: (writer) => writer.abort('mine'),
  reset: (writer) => writer.reset(),
  close: (writer) => writer.close(),
};

const MIXED = [
  { name: 'n', type: 'u32' },
  { name: 'text', type: 'utf8' },
  { name: 'json', type: 'json' },
  { name: 'list', type: 'i32_array' },
] as const;

/** Places where a record's code runs. */
const PLACES: Readonly<Record<string, (code: () => void) => object>> = {
  'a getter': (code) => ({
    get n() {
      code();
      return 1;
    },
  }),
  'a getter behind payloads': (code) => ({
    text: 'a text that takes heap',
    get list() {
      code();
      return [1];
    },
  }),
  toJSON: (code) => ({
    json: {
      toJSON() {
        code();
        return 1;
      },
    },
  }),
  'the trap of a proxy': (code) =>
    new Proxy(
      {},
      {
        get(_, name) {
          if (name === 'text') code();
          return undefined;
        },
      },
    ),
  'an element of a list': (code) => ({
    list: new Proxy([1, 2], {
      get(target, name, receiver) {
        if (name === '1') code();
        return Reflect.get(target, name, receiver) as unknown;
      },
    }),
  }),
};

const WRITES: Readonly<Record<string, (writer: StrandWriter, record: object) => unknown>> = {
  write: (writer, record) => writer.write(record),
  writeRecordBatch: (writer, record) => writer.writeRecordBatch([{ n: 7 }, record, { n: 8 }]),
  tryWriteRecordBatch: (writer, record) => writer.tryWriteRecordBatch([{ n: 7 }, record, { n: 8 }]),
};

describe.each(Object.keys(PLACES))('user code in %s', (place) => {
  const at = PLACES[place] as (code: () => void) => object;

  describe.each(Object.keys(WRITES))('of a %s', (kind) => {
    const write = WRITES[kind] as (writer: StrandWriter, record: object) => unknown;

    test.each(Object.keys(CALLS))('may not call %s', (name) => {
      const { writer, view, cursor } = open(MIXED, { heapCapacity: 256 });
      const call = CALLS[name] as (writer: StrandWriter) => unknown;
      const loose = writer as unknown as StrandWriter;
      const record = at(() => call(loose));
      expectThrown(() => write(loose, record), StrandError, { code: 'ERR_STRAND_REENTRANT' });
      expect(view.committedCount).toBe(0);
      expect(view.status).toBe('initializing');

      // Who catches that harms nobody.
      const caught: unknown[] = [];
      write(
        loose,
        at(() => {
          try {
            call(loose);
          } catch (error) {
            caught.push(error);
          }
        }),
      );
      expect(caught).toMatchObject([{ code: 'ERR_STRAND_REENTRANT' }]);
      expect(view.committedCount).toBe(kind === 'write' ? 1 : 3);
      expect(cursor.seek(kind === 'write' ? 0 : 1)).toBe(true);
      writer.finalize();
    });

    test('may throw, and then nothing was written', () => {
      const { writer, view } = open(MIXED, { heapCapacity: 256 });
      const own = new Error('mine');
      const record = at(() => {
        throw own;
      });
      expect(expectThrown(() => write(writer as unknown as StrandWriter, record), Error)).toBe(own);
      expect(own).not.toHaveProperty('recordsWritten');
      expect(view.committedCount).toBe(0);
      writer.writeRecordBatch([{ n: 1 }]);
      expect(view.committedCount).toBe(1);
    });

    test('may use the view, other writers and statistics', () => {
      const { writer, view } = open(MIXED, { heapCapacity: 256 });
      const other = openNumbered();
      const record = at(() => {
        other.writer.writeRecordBatch(numbered(0, 3));
        view.acknowledgeRead(0);
        view.allocateCursor().seek(0);
        writer.stats();
      });
      write(writer as unknown as StrandWriter, record);
      expect(numbersOf(other)).toEqual([0, 1, 2]);
      expect(view.committedCount).toBe(kind === 'write' ? 1 : 3);
    });
  });
});

describe('what a batch reads of its records', () => {
  const payload = 'x'.repeat(30);

  /** A record that counts how often each of its properties is read, and changes its values with each. */
  function counting(reads: Map<PropertyKey, number>): object {
    return new Proxy(
      {},
      {
        get(_, name) {
          const times = (reads.get(name) ?? 0) + 1;
          reads.set(name, times);
          const values: Record<PropertyKey, unknown> = {
            n: times,
            text: `${payload}${times}`,
            json: { times },
            list: Array(times).fill(times),
          };
          return values[name];
        },
      },
    );
  }

  const expectOnce = (reads: ReadonlyMap<PropertyKey, number>) => {
    expect(Object.fromEntries(reads)).toEqual({ n: 1, text: 1, json: 1, list: 1 });
  };

  const FIRST = { n: 1, text: `${payload}1`, json: { times: 1 }, list: Int32Array.of(1) };

  test('is each property once, also where it does not fit the run of heap at hand', () => {
    for (let before = 0; before < 128; before++) {
      const { writer, view, cursor } = open(MIXED, { heapCapacity: 128 });
      writer.write({ text: 'y'.repeat(before) });
      view.acknowledgeRead(1);
      for (const [seq, write] of [
        [1, (record: object) => writer.write(record)],
        [2, (record: object) => writer.writeRecordBatch([record])],
        [4, (record: object) => writer.tryWriteRecordBatch([{ n: 0 }, record])],
      ] as const) {
        const reads = new Map<PropertyKey, number>();
        write(counting(reads));
        expectOnce(reads);
        cursor.seek(seq);
        expect(cursor.toObject()).toEqual(FIRST);
        view.acknowledgeRead(view.committedCount);
      }
    }
  });

  test('is each property once, also where it waits for room', async () => {
    const { writer, view, cursor } = open(MIXED, { indexCapacity: 2, heapCapacity: 64 });
    const reads = Array.from({ length: 6 }, () => new Map<PropertyKey, number>());
    const written = writer.writeRecordBatchAsync(reads.map(counting));
    for (let seq = 0; seq < 6; seq++) {
      await view.waitForCommit(seq);
      cursor.seek(seq);
      expect(cursor.toObject()).toEqual(FIRST);
      view.acknowledgeRead(seq + 1);
    }
    await written;
    reads.forEach(expectOnce);
  });

  test('is its length once', () => {
    let asked = 0;
    const records = new Proxy(numbered(0, 3), {
      get(target, name, receiver) {
        if (name === 'length') asked++;
        return Reflect.get(target, name, receiver) as unknown;
      },
    });
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(records);
    writer.tryWriteRecordBatch(records);
    expect(asked).toBe(2);
    expect(view.committedCount).toBe(6);
  });

  test('is as long as it was when the call began', () => {
    const { writer, view, cursor } = openNumbered(8);
    const growing: object[] = [
      {
        get n() {
          growing.push({ n: 99 }, { n: 99 });
          return 0;
        },
      },
      { n: 1 },
    ];
    writer.writeRecordBatch(growing);
    expect(numbersOf({ view, cursor })).toEqual([0, 1]);
    const shrinking: object[] = [
      {
        get n() {
          shrinking.length = 1;
          return 0;
        },
      },
      { n: 1 },
    ];
    expectThrown(() => writer.writeRecordBatch(shrinking), TypeError, { record: 1 });
    expect(view.committedCount).toBe(2);
  });

  test('is nothing where its length is none', () => {
    const { writer, view } = openNumbered();
    for (const length of [-5, Number.NaN, 'three', null, undefined]) {
      const records = new Proxy([], { get: (_, name) => (name === 'length' ? length : { n: 1 }) });
      writer.writeRecordBatch(records);
      expect(writer.tryWriteRecordBatch(records)).toBe(0);
    }
    expect(view.committedCount).toBe(0);
    const endless = new Proxy([], { get: (_, name) => (name === 'length' ? 2 ** 53 : undefined) });
    expectThrown(() => writer.writeRecordBatch(endless), Error);
    expect(view.committedCount).toBe(0);
    writer.writeRecordBatch([{ n: 1 }]);
  });
});

describe('typed arrays that user code changes in the middle of a record', () => {
  const fields = [
    { name: 'fixed', type: 'fixed_bytes', length: 8 },
    { name: 'bytes', type: 'bytes' },
    { name: 'wide', type: 'f64_array' },
    { name: 'last', type: 'u32' },
    { name: 'after', type: 'utf8' },
  ] as const;

  type Resizable = ArrayBuffer & { resize(length: number): void };
  const resizable = (bytes: number) =>
    new (ArrayBuffer as unknown as new (length: number, options: object) => Resizable)(bytes, {
      maxByteLength: 64,
    });

  const CHANGES: Readonly<Record<string, (buffer: Resizable) => void>> = {
    detached: (buffer) => void structuredClone(buffer, { transfer: [buffer] }),
    shrunk: (buffer) => buffer.resize(3),
    'shrunk to nothing': (buffer) => buffer.resize(0),
    grown: (buffer) => buffer.resize(64),
  };

  test.each(Object.keys(CHANGES))('and that are %s, take no more than there is', (name) => {
    const change = CHANGES[name] as (buffer: Resizable) => void;
    for (const track of [true, false]) {
      for (const kind of Object.keys(WRITES)) {
        const { writer, cursor } = open(fields, { heapCapacity: 256 });
        const buffer = resizable(8);
        new Uint8Array(buffer).fill(7);
        const record = {
          fixed: new Uint8Array(buffer, 0, 8),
          bytes: track ? new Uint8Array(buffer) : new Uint8Array(buffer, 0, 8),
          wide: track ? new Float64Array(buffer) : new Float64Array(buffer, 0, 1),
          get last() {
            change(buffer);
            return 5;
          },
          after: 'after',
        };
        WRITES[kind]?.(writer as unknown as StrandWriter, record);
        cursor.seek(kind === 'write' ? 0 : 1);
        expect(cursor.getU32('last')).toBe(5);
        expect(cursor.getString('after')).toBe('after');
        expect(cursor.getBytes('fixed')).toHaveLength(8);
        // A view that its buffer has left behind has no length.
        const { length } = record.bytes;
        expect(cursor.getBytes('bytes')).toEqual(Uint8Array.from({ length }, (_, i) => (i < 8 ? 7 : 0)));
        expect(cursor.getF64Array('wide')).toHaveLength(record.wide.length);
      }
    }
  });

  test('and that grow past the heap are refused', () => {
    const { writer, view } = open(fields, { heapCapacity: 40 });
    const buffer = resizable(8);
    const record = {
      bytes: new Uint8Array(buffer),
      get last() {
        buffer.resize(64);
        return 5;
      },
    };
    for (const write of Object.values(WRITES)) {
      expectThrown(() => write(writer as unknown as StrandWriter, record), StrandCapacityError, {
        field: 'bytes',
      });
      buffer.resize(8);
    }
    expect(view.committedCount).toBe(0);
  });

  test('and that were detached before, are refused or empty', () => {
    const { writer, cursor } = open(fields, { heapCapacity: 40 });
    const bytes = new Uint8Array(8);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    expectThrown(() => writer.write({ fixed: bytes }), RangeError, { field: 'fixed', record: 0 });
    writer.write({ bytes });
    cursor.seek(0);
    expect(cursor.getBytes('bytes')).toHaveLength(0);
  });

  test('by properties of their own tell nothing', () => {
    const { writer, cursor } = open(fields, { heapCapacity: 40 });
    const bytes = Object.defineProperties(new Uint8Array([1, 2, 3]), {
      length: { value: 1000 },
      byteLength: { value: 1000 },
      byteOffset: { value: -4 },
      [Symbol.toStringTag]: { value: 'Float64Array' },
      constructor: { value: Float64Array },
    });
    writer.write({ bytes });
    cursor.seek(0);
    expect(cursor.getBytes('bytes')).toEqual(new Uint8Array([1, 2, 3]));
  });
});

test('a list whose length lies is read as long as it says, or refused with its field', () => {
  const { writer, view, cursor } = open([{ name: 'list', type: 'i32_array' }], { heapCapacity: 64 });
  const lying = (length: unknown) =>
    new Proxy([1, 2, 3], {
      get: (target, name, receiver) =>
        name === 'length' ? length : (Reflect.get(target, name, receiver) as unknown),
    });
  writer.write({ list: lying(2) });
  cursor.seek(0);
  expect(cursor.getI32Array('list')).toEqual(Int32Array.of(1, 2));
  expectThrown(() => writer.write({ list: lying(4) }), TypeError, { field: 'list', record: 0 });
  for (const length of [-1, 2 ** 33, 1e300, Number.NaN, 1.5, '2', {}, null]) {
    expectThrown(() => writer.write({ list: lying(length) }), Error, { field: 'list', record: 0 });
  }
  expect(view.committedCount).toBe(1);
});

test('a second strand in the same thread has a batch of its own', () => {
  const outer = openNumbered();
  const inner = new StrandWriter(createStrand(NUMBERED, { indexCapacity: 2 }));
  outer.writer.writeRecordBatch([
    {
      get n() {
        return inner.tryWriteRecordBatch(numbered(0, 5));
      },
    },
    {
      get n() {
        return inner.tryWriteRecordBatch(numbered(0, 5));
      },
    },
  ]);
  expect(numbersOf(outer)).toEqual([2, 0]);
});
