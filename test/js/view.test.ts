import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  buildSchema,
  createStrand,
  type FieldDescriptor,
  type RecordCursor,
  StrandClosedError,
  StrandHeaderError,
  StrandView,
  StrandWriter,
} from '../../dist/index.js';
import { limitsOf } from './support/records.js';
import {
  expectRejected,
  expectThrown,
  NUMBERED,
  numbered,
  numbersOf,
  open,
  openNumbered,
} from './support/strands.js';

const OUT_OF_RANGE = { code: 'ERR_STRAND_OUT_OF_RANGE' };
const INVALID = { code: 'ERR_STRAND_INVALID_ARGUMENT' };

describe('attaching', () => {
  test('takes a strand as well as its memory, before and behind the writer', () => {
    const strand = createStrand(NUMBERED, {
      indexCapacity: 4,
      estimatedRecords: 50,
      meta: { source: 'test' },
    });
    const before = new StrandView(strand);
    const writer = new StrandWriter(strand);
    writer.writeRecordBatch(numbered(0, 2));
    for (const view of [before, new StrandView(strand.sab), new StrandView({ ...strand })]) {
      expect(view.map).toEqual(strand.map);
      expect(view.map.estimated_records).toBe(50);
      expect(view.map.meta).toEqual({ source: 'test' });
      expect(numbersOf({ view, cursor: view.allocateCursor() as RecordCursor<never> })).toEqual([0, 1]);
    }
  });

  test('believes the memory and not the map beside it', () => {
    const { strand } = openNumbered();
    const lie = {
      ...strand.map,
      index_capacity: 1024,
      total_bytes: 10,
      schema: buildSchema([{ name: 'x', type: 'f64' }]),
    };
    expect(new StrandView({ sab: strand.sab, map: lie }).map).toEqual(strand.map);
  });

  test('changes nothing', () => {
    const { strand, writer } = openNumbered();
    writer.writeRecordBatch(numbered(0, 3));
    writer.finalize();
    const before = new Uint8Array(strand.sab).slice();
    const view = new StrandView(strand);
    view.allocateCursor().seek(1);
    expect(view.producerStatus).toBe('eos');
    expect(Buffer.compare(before, new Uint8Array(strand.sab).slice())).toBe(0);
  });

  test('refuses what is no strand, and options that are none', () => {
    const { strand } = openNumbered();
    expectThrown(() => new StrandView(new SharedArrayBuffer(5000)), StrandHeaderError, {
      code: 'ERR_STRAND_HEADER',
    });
    expectThrown(() => new StrandView(undefined as never), TypeError, INVALID);
    for (const options of [1, 'table', null, () => []]) {
      expectThrown(() => new StrandView(strand, options as never), TypeError, INVALID);
    }
    expectThrown(() => new StrandView(strand, { internTable: 'abc' as never }), TypeError, INVALID);
  });

  test('refuses another schema than it was told to expect', () => {
    const { strand } = openNumbered();
    const other = buildSchema([{ name: 'n', type: 'i32' }]);
    const details = { code: 'ERR_STRAND_HEADER', field: 'n' };
    const error = expectThrown(
      () => new StrandView(strand.sab, { schema: other }),
      StrandHeaderError,
      details,
    );
    expect(error.message).toMatch(/field 0 is "n" u32 at byte 0 with flags 0, expected was "n" i32/);
    expect(new StrandView(strand.sab, { schema: buildSchema(NUMBERED) }).map).toEqual(strand.map);
  });
});

describe('the intern table', () => {
  const fields = [{ name: 'ref', type: 'utf8_ref' }] as const;

  test("is the one given, or else that of the header's meta", () => {
    const { strand, writer, cursor } = open(fields, { internTable: ['meta 0', 'meta 1'] });
    writer.write({ ref: 1 });
    const read = (view: StrandView<(typeof strand)['map']['schema']>) => {
      const own = view.allocateCursor();
      own.seek(0);
      return [own.getRef('ref'), own.get('ref'), own.row.ref, own.toObject().ref];
    };
    cursor.seek(0);
    expect(cursor.getRef('ref')).toBe('meta 1');
    expect(read(new StrandView(strand, ['given 0', 'given 1']))).toEqual(Array(4).fill('given 1'));
    expect(read(new StrandView(strand, { internTable: ['option 0', 'option 1'] }))).toEqual(
      Array(4).fill('option 1'),
    );
    expect(read(new StrandView(strand, []))).toEqual(Array(4).fill(null));
  });

  test('is replaced for all cursors of a view, allocated before or behind', () => {
    const { strand, writer, view, cursor } = open(fields);
    writer.writeRecordBatch([{ ref: 0 }, { ref: 1 }]);
    cursor.seek(1);
    expect(cursor.getRef('ref')).toBeNull();
    view.updateInternTable(['a', 'b']);
    const later = view.allocateCursor();
    later.seek(0);
    expect([cursor.getRef('ref'), later.getRef('ref')]).toEqual(['b', 'a']);
    view.updateInternTable(['x']);
    expect([cursor.getRef('ref'), later.getRef('ref')]).toEqual([null, 'x']);
    const other = new StrandView(strand).allocateCursor();
    other.seek(0);
    expect(other.getRef('ref')).toBeNull();
    for (const table of [undefined, 'abc', new Map(), { 0: 'a', length: 1 }]) {
      expectThrown(() => view.updateInternTable(table as never), TypeError, INVALID);
    }
  });
});

describe('acknowledgeRead()', () => {
  test('frees space, up to the position given', () => {
    const { writer, view } = openNumbered(4);
    writer.writeRecordBatch(numbered(0, 4));
    expect(writer.tryWriteRecordBatch(numbered(4, 8))).toBe(0);
    view.acknowledgeRead(1);
    expect(view.effectiveReadCursor).toBe(1);
    expect(writer.tryWriteRecordBatch(numbered(4, 8))).toBe(1);
    view.acknowledgeRead(5);
    expect(writer.tryWriteRecordBatch(numbered(5, 9))).toBe(4);
  });

  test('may be repeated', () => {
    const { writer, view } = openNumbered();
    view.acknowledgeRead(0);
    writer.writeRecordBatch(numbered(0, 3));
    view.acknowledgeRead(2);
    view.acknowledgeRead(2);
    expect(view.effectiveReadCursor).toBe(2);
  });

  test('refuses what is past the committed count, and below what the view acknowledged before', () => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 3));
    const past = expectThrown(() => view.acknowledgeRead(4), RangeError, OUT_OF_RANGE);
    expect(past.message).toMatch(/3 records are committed/);
    writer.claimSlots(2);
    expectThrown(() => view.acknowledgeRead(4), RangeError, OUT_OF_RANGE);
    view.acknowledgeRead(2);
    expectThrown(() => view.acknowledgeRead(1), RangeError, OUT_OF_RANGE);
    expect(view.effectiveReadCursor).toBe(2);
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1', 1n, undefined, null])(
    'refuses what is no position: %s',
    (upTo) => {
      const { writer, view } = openNumbered();
      writer.writeRecordBatch(numbered(0, 3));
      expectThrown(() => view.acknowledgeRead(upTo as number), RangeError, OUT_OF_RANGE);
      expect(view.effectiveReadCursor).toBe(0);
    },
  );

  test('never moves the common position back', () => {
    const { strand, writer, view } = openNumbered();
    const other = new StrandView(strand);
    writer.writeRecordBatch(numbered(0, 5));
    view.acknowledgeRead(4);
    // This view has acknowledged nothing yet.
    other.acknowledgeRead(1);
    expect(view.effectiveReadCursor).toBe(4);
    expect(other.effectiveReadCursor).toBe(4);
  });
});

describe('positions', () => {
  test('tell what is committed, what is released and which slots are intact', () => {
    const { writer, view } = openNumbered(4);
    const positions = () => [view.windowStart, view.effectiveReadCursor, view.committedCount];
    expect(positions()).toEqual([0, 0, 0]);
    writer.writeRecordBatch(numbered(0, 4));
    expect(positions()).toEqual([0, 0, 4]);
    view.acknowledgeRead(3);
    expect(positions()).toEqual([0, 3, 4]);
    writer.writeRecordBatch(numbered(4, 6));
    expect(positions()).toEqual([2, 3, 6]);
    view.acknowledgeRead(6);
    // A claimed slot is not intact, whether it is committed or not.
    const { seq } = writer.claimSlot();
    expect(positions()).toEqual([3, 6, 6]);
    writer.commitSlot(seq);
    expect(positions()).toEqual([3, 6, 7]);
  });

  test('of the window do not move back where claims are dropped', () => {
    const { strand, writer, view, cursor } = openNumbered(4);
    writer.writeRecordBatch(numbered(0, 4));
    view.acknowledgeRead(4);
    writer.claimSlots(2);
    writer.close();
    expect(view.windowStart).toBe(2);
    using newer = new StrandWriter(strand);
    expect(view.windowStart).toBe(2);
    expectThrown(() => cursor.seek(1), RangeError, OUT_OF_RANGE);
    expect(cursor.seek(2)).toBe(true);
    newer.writeRecordBatch(numbered(4, 6));
    expect(view.windowStart).toBe(2);
  });
});

describe('status', () => {
  test('shows what the producer sets', () => {
    const { writer, view } = openNumbered();
    expect([view.status, view.producerStatus, view.error]).toEqual(['initializing', 'initializing', null]);
    writer.begin();
    expect([view.status, view.producerStatus, view.error]).toEqual(['streaming', 'streaming', null]);
    writer.abort('broken');
    expect([view.status, view.producerStatus, view.error]).toEqual(['error', 'error', 'broken']);
  });

  test("is 'eos' only once the view has acknowledged the final count", () => {
    const { strand, writer, view } = openNumbered();
    const other = new StrandView(strand);
    writer.writeRecordBatch(numbered(0, 3));
    writer.finalize();
    expect([view.status, view.producerStatus]).toEqual(['streaming', 'eos']);
    view.acknowledgeRead(2);
    expect(view.status).toBe('streaming');
    view.acknowledgeRead(3);
    expect(view.status).toBe('eos');
    // It was released, but not by this one, which has not seen it.
    expect(other.status).toBe('streaming');
  });

  test("is 'eos' only once a wait of the view has returned the final count", async () => {
    const { strand, writer, view } = openNumbered();
    const other = new StrandView(strand);
    writer.writeRecordBatch(numbered(0, 3));
    expect(await view.waitForCommit(0)).toBe(3);
    writer.finalize();
    expect(view.status).toBe('streaming');
    expect(await view.waitForCommit(3)).toBe(3);
    expect([view.status, other.status]).toEqual(['eos', 'streaming']);
    expect(other.waitForCommitSync(0)).toBe(3);
    expect(other.status).toBe('eos');
  });

  test("is 'eos' at once where nothing was written", () => {
    const { writer, view } = openNumbered();
    writer.finalize();
    expect(view.status).toBe('eos');
  });

  test('never ends the documented loop before its tail', async () => {
    // What the producer does between the steps of the loop: at any of them it may write and end.
    const schedule = fc.array(fc.nat({ max: 3 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(schedule, fc.boolean(), async (writes, sync) => {
        const { writer, view, cursor } = openNumbered(64);
        let written = 0;
        let ended = false;
        const produce = () => {
          const count = writes.shift();
          if (count !== undefined) {
            writer.writeRecordBatch(numbered(written, written + count));
            written += count;
          } else if (!ended) {
            ended = true;
            writer.finalize();
          }
        };
        const read: unknown[] = [];
        let seq = 0;
        for (;;) {
          const waiting = sync ? undefined : view.waitForCommit(seq);
          produce();
          if (sync) while (view.committedCount <= seq && !ended) produce();
          const n = sync
            ? view.waitForCommitSync(seq)
            : await settledAfter(waiting as Promise<number>, produce);
          produce();
          for (; seq < n; seq++) {
            expect(cursor.seek(seq)).toBe(true);
            read.push(cursor.getU32('n'));
          }
          produce();
          view.acknowledgeRead(n);
          produce();
          if (view.status === 'eos') break;
        }
        expect(read).toEqual(Array.from({ length: written }, (_, i) => i));
        expect(ended).toBe(true);
      }),
    );
  });
});

/** The result of a wait that the producer must do something for. */
async function settledAfter(waiting: Promise<number>, produce: () => void): Promise<number> {
  for (;;) {
    const turn = new Promise<undefined>((resolve) => setImmediate(resolve, undefined));
    const settled = await Promise.race([waiting, turn]);
    if (settled !== undefined) return settled;
    produce();
  }
}

const ORDERABLE = ['u8', 'u16', 'u32', 'u64', 'i8', 'i16', 'i32', 'i64', 'f32', 'f64'] as const;

describe('findFirst()', () => {
  type Key = number | bigint;
  const compare = (a: Key, b: Key) => (a < b ? -1 : a > b ? 1 : 0);

  /** Lower bound by looking at every record. */
  function lowerBound(values: readonly Key[], from: number, key: Key, descending: boolean): number {
    const found = values.findIndex((value, i) => i >= from && (descending ? value <= key : value >= key));
    return found;
  }

  describe.each(ORDERABLE)('in a sorted field of type %s', (type) => {
    const isFloat = type.startsWith('f');
    const value: fc.Arbitrary<Key> = isFloat
      ? fc.double({ noNaN: true }).map((v) => (type === 'f32' ? Math.fround(v) : v))
      : fc.oneof(
          fc.bigInt(...(limitsOf(type) as [bigint, bigint])),
          fc.constantFrom(...limitsOf(type)),
          fc.bigInt(0n, 9n),
        );
    const wide = type.endsWith('64');
    // Of integers past 64 bits a field of doubles is not asked.
    const bits = type === 'f64' ? 63n : 65n;
    const key: fc.Arbitrary<Key> = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.constantFrom<Key>(
        -0,
        0.5,
        2 ** 63,
        2 ** 64,
        -(2 ** 63),
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
        Number.NaN,
      ),
      ...(wide ? [fc.bigInt(-(2n ** bits), 2n ** bits), fc.constantFrom(2n ** 63n, 2n ** 64n - 1n)] : []),
      ...(wide && bits > 64n ? [fc.constantFrom(1n << 200n, -(1n << 200n))] : []),
    );

    test.each(['asc', 'desc'] as const)(
      'finds the lower bound (%s), also in a window that has moved',
      (sorted) => {
        const property = fc.property(
          fc.array(value, { maxLength: 40 }),
          fc.array(key, { minLength: 1, maxLength: 10 }),
          (unsorted, keys) => {
            const values = unsorted.toSorted(compare);
            if (sorted === 'desc') values.reverse();
            const { writer, view } = open([{ name: 'value', type, sorted }], { indexCapacity: 16 });
            for (let from = 0; from < values.length; from += 4) {
              writer.writeRecordBatch(
                values.slice(from, from + 4).map((v) => ({ value: isFloat ? Number(v) : v })) as object[],
              );
              view.acknowledgeRead(view.committedCount);
            }
            const stored = isFloat ? values.map(Number) : values;
            const some = stored.filter((v) => wide || typeof v === 'number').slice(0, 20);
            for (const wanted of [...keys, ...some]) {
              const found = view.findFirst('value', wanted);
              expect(found, `${wanted}`).toBe(
                lowerBound(stored, view.windowStart, wanted, sorted === 'desc'),
              );
            }
          },
        );
        fc.assert(property, { numRuns: 40 });
      },
    );
  });

  test('takes a null as less than every number, and never finds it', () => {
    for (const [sorted, values, key, found] of [
      ['asc', [null, null, 1, 3], 0, 2],
      ['asc', [null, null], 0, -1],
      ['desc', [3, 1, null, null], 2, 1],
      ['desc', [3, 1, null, null], 0, -1],
    ] as const) {
      const { writer, view } = open([{ name: 'value', type: 'i32', sorted, nullable: true }]);
      writer.writeRecordBatch(values.map((value) => ({ value })));
      expect(view.findFirst('value', key)).toBe(found);
    }
  });

  test('finds nothing in an empty strand', () => {
    const { view } = open([{ name: 'value', type: 'u8', sorted: 'asc' }]);
    expect(view.findFirst('value', 0)).toBe(-1);
  });

  test('refuses fields that are unknown, not sorted or without an order, and keys of another kind', () => {
    const fields: readonly FieldDescriptor[] = [
      { name: 'plain', type: 'u32' },
      { name: 'narrow', type: 'u32', sorted: 'asc' },
      { name: 'real', type: 'f64', sorted: 'asc' },
      { name: 'text', type: 'utf8', sorted: 'asc' },
      { name: 'flag', type: 'bool8', sorted: 'asc' },
      { name: 'ref', type: 'utf8_ref', sorted: 'desc' },
      { name: 'uuid', type: 'fixed_bytes', length: 8, sorted: 'desc' },
      { name: 'list', type: 'f64_array', sorted: 'asc' },
    ];
    const { writer, view } = open(fields, { heapCapacity: 64 });
    writer.write({ uuid: new Uint8Array(8) });
    for (const name of [
      'unknown',
      '',
      '__proto__',
      'plain',
      'text',
      'flag',
      'ref',
      'uuid',
      'list',
      undefined,
      0,
    ]) {
      expectThrown(() => view.findFirst(name as never, 1), TypeError, INVALID);
    }
    for (const key of ['1', null, undefined, {}, true, 1n]) {
      expectThrown(() => view.findFirst('narrow' as never, key as number), TypeError, INVALID);
    }
    expect(view.findFirst('narrow' as never, 0)).toBe(0);
    expect(view.findFirst('real' as never, 0n)).toBe(0);
    for (const key of [2n ** 64n, -(2n ** 63n) - 1n]) {
      expectThrown(() => view.findFirst('real' as never, key), RangeError, OUT_OF_RANGE);
    }
  });
});

describe('close()', () => {
  test('ends the waits of the view and releases its tokens, not those of others', async () => {
    const { strand, writer, view } = openNumbered(4);
    const other = new StrandView(strand);
    const kept = other.registerConsumer();
    view.registerConsumer();
    view.registerConsumer();
    writer.writeRecordBatch(numbered(0, 4));
    other.acknowledgeRead(4, kept);
    const waits = [view.waitForCommit(4), view.waitForCommit(10, 60_000)];
    const others = other.waitForCommit(4);
    expect(writer.tryWriteRecordBatch(numbered(4, 5))).toBe(0);
    view.close();
    for (const wait of waits) await expectRejected(wait, StrandClosedError, { code: 'ERR_STRAND_CLOSED' });
    expect(writer.tryWriteRecordBatch(numbered(4, 5))).toBe(1);
    expect(await others).toBe(5);
  });

  test('may be called again, and by `using`', () => {
    const { strand, writer, view } = openNumbered(4);
    {
      using own = new StrandView(strand);
      own.registerConsumer();
      own.close();
      own.close();
    }
    writer.writeRecordBatch(numbered(0, 4));
    view.acknowledgeRead(4);
    expect(view.effectiveReadCursor).toBe(4);
  });

  test('leaves a view that refuses waits, acknowledgements, registrations and searches', async () => {
    const { writer, view } = open([{ name: 'n', type: 'u32', sorted: 'asc' }]);
    writer.write({ n: 1 });
    const token = view.registerConsumer();
    view.close();
    const closed = { code: 'ERR_STRAND_CLOSED' };
    await expectRejected(view.waitForCommit(0), StrandClosedError, closed);
    await expectRejected(view.waitForCommit(0, 0), StrandClosedError, closed);
    expectThrown(() => view.waitForCommitSync(0), StrandClosedError, closed);
    expectThrown(() => view.acknowledgeRead(1), StrandClosedError, closed);
    expectThrown(() => view.acknowledgeRead(1, token), StrandClosedError, closed);
    expectThrown(() => view.registerConsumer(), StrandClosedError, closed);
    expectThrown(() => view.releaseConsumer(token), StrandClosedError, closed);
    expectThrown(() => view.findFirst('n', 1), StrandClosedError, closed);
    await expectRejected(view[Symbol.asyncIterator]().next(), StrandClosedError, closed);
    writer.write({ n: 2 });
    expect([view.committedCount, view.producerStatus]).toEqual([2, 'initializing']);
  });
});
