import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_CONSUMERS, StrandCapacityError, StrandView } from '../../dist/index.js';
import { expectThrown, numbered, openNumbered } from './support/strands.js';

const OUT_OF_RANGE = { code: 'ERR_STRAND_OUT_OF_RANGE' };
const INVALID = { code: 'ERR_STRAND_INVALID_ARGUMENT' };

describe('the last token to go', () => {
  test('leaves its own position as the common one, whatever other tokens had acknowledged', () => {
    const { writer, view } = openNumbered(8);
    const [fast, slow] = [view.registerConsumer(), view.registerConsumer()];
    writer.writeRecordBatch(numbered(0, 5));
    view.acknowledgeRead(4, fast);
    view.acknowledgeRead(1, slow);
    view.releaseConsumer(fast);
    view.releaseConsumer(slow);
    expect(view.effectiveReadCursor).toBe(1);
    view.acknowledgeRead(2);
    expect(view.effectiveReadCursor).toBe(2);
  });
});

describe('registerConsumer()', () => {
  test.each(['latest', null, 5, true])('refuses options that are no object: %s', (options) => {
    const { view } = openNumbered();
    expectThrown(() => view.registerConsumer(options as never), TypeError, INVALID);
  });
});

describe('a registered consumer', () => {
  test('holds the producer back until it has acknowledged, as does each other', () => {
    const { writer, view } = openNumbered(4);
    const [fast, slow] = [view.registerConsumer(), view.registerConsumer()];
    expect(typeof fast).toBe('number');
    expect(fast).not.toBe(slow);
    writer.writeRecordBatch(numbered(0, 4));
    view.acknowledgeRead(4, fast);
    expect(view.effectiveReadCursor).toBe(0);
    expect(writer.tryWriteRecordBatch(numbered(4, 8))).toBe(0);
    view.acknowledgeRead(1, slow);
    expect(view.effectiveReadCursor).toBe(1);
    expect(writer.tryWriteRecordBatch(numbered(4, 8))).toBe(1);
    view.acknowledgeRead(5, slow);
    expect(view.effectiveReadCursor).toBe(4);
    expect(writer.stats().queueDepth).toBe(1);
  });

  test.each([
    ['unless told otherwise', undefined],
    ['by default', {}],
    ["'oldest'", { from: 'oldest' }],
  ] as const)('starts at the oldest record that nobody has released (%s)', (_, options) => {
    const { writer, view } = openNumbered(8);
    writer.writeRecordBatch(numbered(0, 5));
    view.acknowledgeRead(2);
    const token = view.registerConsumer(options);
    expect(view.effectiveReadCursor).toBe(2);
    expectThrown(() => view.acknowledgeRead(1, token), RangeError, OUT_OF_RANGE);
    view.acknowledgeRead(3, token);
    const later = view.registerConsumer(options);
    expectThrown(() => view.acknowledgeRead(2, later), RangeError, OUT_OF_RANGE);
    view.acknowledgeRead(3, later);
    expect(view.effectiveReadCursor).toBe(3);
  });

  test("starts behind the latest record ('latest')", () => {
    const { writer, view } = openNumbered(8);
    writer.writeRecordBatch(numbered(0, 5));
    const token = view.registerConsumer({ from: 'latest' });
    expect(view.effectiveReadCursor).toBe(5);
    expectThrown(() => view.acknowledgeRead(4, token), RangeError, OUT_OF_RANGE);
    expect(writer.tryWriteRecordBatch(numbered(5, 20))).toBe(8);
  });

  test('starts at a position from what nobody has released to what is committed', () => {
    const { writer, view } = openNumbered(8);
    writer.writeRecordBatch(numbered(0, 5));
    view.acknowledgeRead(2);
    for (const from of [0, 1, 6, 100, 2 ** 53 - 1]) {
      expectThrown(() => view.registerConsumer({ from }), RangeError, OUT_OF_RANGE);
    }
    for (const from of [2, 3, 5]) {
      const token = view.registerConsumer({ from });
      if (from > 2) expectThrown(() => view.acknowledgeRead(from - 1, token), RangeError, OUT_OF_RANGE);
      view.acknowledgeRead(from, token);
    }
    expect(view.effectiveReadCursor).toBe(2);
  });

  test('that cannot start leaves no registration behind', () => {
    const { writer, view } = openNumbered(4);
    writer.writeRecordBatch(numbered(0, 4));
    for (let i = 0; i < 2 * MAX_CONSUMERS; i++) {
      expectThrown(() => view.registerConsumer({ from: 5 }), RangeError, OUT_OF_RANGE);
    }
    view.acknowledgeRead(4);
    expect(view.effectiveReadCursor).toBe(4);
  });

  test.each(['newest', '', -1, 0.5, Number.NaN, 1n, {}, true])('starts nowhere else: %s', (from) => {
    const { view } = openNumbered();
    expectThrown(() => view.registerConsumer({ from: from as never }), TypeError, INVALID);
  });

  test('refuses positions past the committed count, and that are none', () => {
    const { writer, view } = openNumbered();
    const token = view.registerConsumer();
    writer.writeRecordBatch(numbered(0, 3));
    for (const upTo of [4, -1, 0.5, Number.NaN, '1']) {
      expectThrown(() => view.acknowledgeRead(upTo as number, token), RangeError, OUT_OF_RANGE);
    }
    expect(view.effectiveReadCursor).toBe(0);
  });
});

describe('eight consumers', () => {
  test('are the most there can be, over all views', () => {
    const { strand, writer, view } = openNumbered(4);
    const views = [view, new StrandView(strand), new StrandView(strand)];
    const tokens = Array.from({ length: MAX_CONSUMERS }, (_, i) =>
      (views[i % 3] as StrandView).registerConsumer(),
    );
    expect(new Set(tokens).size).toBe(8);
    const details = {
      code: 'ERR_STRAND_CAPACITY',
      message: expect.stringMatching(/^8 consumers .*release one/),
    };
    for (const one of views) expectThrown(() => one.registerConsumer(), StrandCapacityError, details);
    writer.writeRecordBatch(numbered(0, 4));
    tokens.forEach((token, i) => {
      expect(view.effectiveReadCursor).toBe(0);
      (views[i % 3] as StrandView).acknowledgeRead(4, token);
    });
    expect(view.effectiveReadCursor).toBe(4);
    view.releaseConsumer(tokens[0] as number);
    expect(views[1]?.registerConsumer()).not.toBe(tokens[0]);
    expectThrown(() => view.registerConsumer(), StrandCapacityError, details);
  });
});

describe('releaseConsumer()', () => {
  test('lets the producer go on', () => {
    const { writer, view } = openNumbered(4);
    const [one, two] = [view.registerConsumer(), view.registerConsumer()];
    writer.writeRecordBatch(numbered(0, 4));
    view.acknowledgeRead(3, two);
    view.releaseConsumer(one);
    expect(view.effectiveReadCursor).toBe(3);
    expect(writer.tryWriteRecordBatch(numbered(4, 8))).toBe(3);
  });

  test('leaves a token that is refused, also where its place is taken again', () => {
    const { writer, view } = openNumbered(4);
    writer.writeRecordBatch(numbered(0, 4));
    const seen = new Set<number>();
    for (let i = 0; i < 50; i++) {
      const token = view.registerConsumer();
      expect(seen.has(token)).toBe(false);
      seen.add(token);
      view.releaseConsumer(token);
      expectThrown(() => view.releaseConsumer(token), RangeError, OUT_OF_RANGE);
      expectThrown(() => view.acknowledgeRead(4, token), RangeError, OUT_OF_RANGE);
    }
    const live = view.registerConsumer();
    for (const token of seen) expectThrown(() => view.acknowledgeRead(4, token), RangeError, OUT_OF_RANGE);
    expect(view.effectiveReadCursor).toBe(0);
    view.acknowledgeRead(4, live);
  });

  test('leaves the position of the last one as the common one', () => {
    const { strand, writer, view } = openNumbered(4);
    writer.writeRecordBatch(numbered(0, 4));
    const [ahead, behind] = [view.registerConsumer(), view.registerConsumer()];
    view.acknowledgeRead(4, ahead);
    view.acknowledgeRead(2, behind);
    view.releaseConsumer(ahead);
    view.releaseConsumer(behind);
    expect(view.effectiveReadCursor).toBe(2);
    expect(writer.tryWriteRecordBatch(numbered(4, 8))).toBe(2);
    new StrandView(strand).acknowledgeRead(3);
    expect(view.effectiveReadCursor).toBe(3);
  });

  test('leaves the common position where the last one was behind it', () => {
    const { writer, view } = openNumbered(4);
    writer.writeRecordBatch(numbered(0, 4));
    view.acknowledgeRead(3);
    view.releaseConsumer(view.registerConsumer());
    expect(view.effectiveReadCursor).toBe(3);
  });
});

describe('a token', () => {
  test('that is none is refused, and reaches nothing', () => {
    const { strand, writer, view } = openNumbered(4);
    writer.writeRecordBatch(numbered(0, 4));
    const live = view.registerConsumer();
    const released = view.registerConsumer();
    view.releaseConsumer(released);
    const before = new Uint8Array(strand.sab).slice();
    const tokens = fc.oneof(
      fc.maxSafeNat(),
      fc.nat(200),
      fc.integer({ min: -100, max: 100 }).map((near) => live + near),
      fc.integer({ min: 0, max: 52 }).map((bit) => live + 2 ** bit),
      fc.integer({ min: 0, max: 52 }).map((bit) => released + 2 ** bit),
      fc.constantFrom(
        -1,
        -(2 ** 31),
        0.5,
        2 ** 53,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        '0',
        null,
        0n,
        {},
        true,
      ),
    );
    fc.assert(
      fc.property(
        tokens.filter((token) => token !== live),
        (token) => {
          expectThrown(() => view.acknowledgeRead(4, token as number), RangeError, OUT_OF_RANGE);
          expectThrown(() => view.releaseConsumer(token as number), RangeError, OUT_OF_RANGE);
        },
      ),
      { numRuns: 300 },
    );
    expect(Buffer.compare(before, new Uint8Array(strand.sab).slice())).toBe(0);
    view.acknowledgeRead(4, live);
  });

  test('is needed while anybody is registered', () => {
    const { strand, writer, view } = openNumbered(4);
    const other = new StrandView(strand);
    writer.writeRecordBatch(numbered(0, 4));
    const token = other.registerConsumer();
    for (const one of [view, other]) {
      const error = expectThrown(() => one.acknowledgeRead(2), RangeError, OUT_OF_RANGE);
      expect(error.message).toMatch(/acknowledge with the token/);
    }
    expect(view.effectiveReadCursor).toBe(0);
    other.acknowledgeRead(1, token);
    other.releaseConsumer(token);
    view.acknowledgeRead(2);
    expect(view.effectiveReadCursor).toBe(2);
  });

  test('goes with its view', () => {
    const { strand, writer, view } = openNumbered(4);
    writer.writeRecordBatch(numbered(0, 4));
    const other = new StrandView(strand);
    const token = other.registerConsumer();
    other.close();
    view.acknowledgeRead(2);
    expectThrown(() => view.acknowledgeRead(3, token), RangeError, OUT_OF_RANGE);
  });
});

describe('a view without a token, beside registered consumers,', () => {
  test('holds nothing: it reads what is still there, and is told what may not be', () => {
    const { strand, writer, view } = openNumbered(4);
    const token = view.registerConsumer();
    const monitor = new StrandView(strand);
    const cursor = monitor.allocateCursor();
    writer.writeRecordBatch(numbered(0, 4));
    expect([0, 1, 2, 3].map((seq) => cursor.seek(seq) && cursor.getU32('n'))).toEqual([0, 1, 2, 3]);
    cursor.seek(0);
    view.acknowledgeRead(3, token);
    writer.writeRecordBatch(numbered(4, 7));
    // What it stands on is its own copy.
    expect(cursor.getU32('n')).toBe(0);
    expectThrown(() => cursor.seek(0), RangeError, OUT_OF_RANGE);
    expect([3, 4, 5, 6].map((seq) => cursor.seek(seq) && cursor.getU32('n'))).toEqual([3, 4, 5, 6]);
  });
});

test('consumers that come and go never lose a record that they hold', () => {
  interface Consumer {
    readonly token: number;
    at: number;
  }
  const steps = fc.array(
    fc.record({
      what: fc.constantFrom('write', 'write', 'write', 'read', 'read', 'read', 'register', 'release'),
      who: fc.nat(),
      count: fc.nat({ max: 9 }),
    }),
    { maxLength: 80 },
  );
  fc.assert(
    fc.property(steps, (todo) => {
      const { writer, view, cursor } = openNumbered(8);
      const consumers: Consumer[] = [];
      let common = 0;
      let committed = 0;
      const slowest = () => (consumers.length === 0 ? common : Math.min(...consumers.map(({ at }) => at)));
      const acknowledge = (to: number, consumer: Consumer | undefined) => {
        for (let seq = consumer?.at ?? common; seq < to; seq++) {
          expect(cursor.seek(seq)).toBe(true);
          expect(cursor.getU32('n')).toBe(seq);
        }
        if (consumer === undefined) {
          view.acknowledgeRead(to);
          common = to;
        } else {
          view.acknowledgeRead(to, consumer.token);
          consumer.at = to;
        }
      };
      for (const { what, who, count } of todo) {
        const consumer = consumers[who % Math.max(consumers.length, 1)];
        if (what === 'write') {
          const room = Math.min(count, slowest() + 8 - committed);
          expect(writer.tryWriteRecordBatch(numbered(committed, committed + count))).toBe(room);
          committed += room;
        } else if (what === 'read') {
          acknowledge(Math.min(committed, (consumer?.at ?? common) + count), consumer);
        } else if (what === 'register' && consumers.length < 8) {
          const froms = ['oldest', 'latest', Math.min(committed, slowest() + count)] as const;
          const from = froms[who % 3] as 'oldest';
          const at =
            from === 'oldest' ? slowest() : (from as unknown) === 'latest' ? committed : Number(from);
          consumers.push({ token: view.registerConsumer({ from }), at });
        } else if (what === 'release' && consumer !== undefined) {
          view.releaseConsumer(consumer.token);
          consumers.splice(consumers.indexOf(consumer), 1);
          if (consumers.length === 0) common = Math.max(common, consumer.at);
        }
        expect(view.effectiveReadCursor).toBe(slowest());
        expect(writer.stats().queueDepth).toBe(committed - slowest());
      }
    }),
    { numRuns: 200 },
  );
});
