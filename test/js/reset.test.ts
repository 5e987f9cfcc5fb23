import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CTRL_COMMIT_SEQ,
  StrandAbortError,
  StrandFencedError,
  StrandResetError,
  StrandView,
  StrandWriter,
} from '../../dist/index.js';
import {
  ControlWords,
  expectRejected,
  expectThrown,
  numbered,
  numbersOf,
  open,
  openNumbered,
  turns,
} from './support/strands.js';

const RESET = { code: 'ERR_STRAND_RESET', message: expect.stringMatching(/waitForCommit\(0\)/) };

const TEXT = [
  { name: 'n', type: 'u32', sorted: 'asc' },
  { name: 'text', type: 'utf8' },
  { name: 'json', type: 'json', nullable: true },
] as const;

describe('reset()', () => {
  test('begins a stream whose positions are zero and whose status is fresh', () => {
    for (const end of ['none', 'finalize', 'abort'] as const) {
      const { strand, writer, view } = openNumbered(8);
      writer.begin();
      writer.writeRecordBatch(numbered(0, 5));
      view.acknowledgeRead(3);
      if (end !== 'none') writer[end]();
      writer.reset();
      for (const one of [view, new StrandView(strand)]) {
        expect([one.committedCount, one.effectiveReadCursor]).toEqual([0, 0]);
        expect([one.status, one.producerStatus, one.error]).toEqual(['initializing', 'initializing', null]);
        expect(one.stats().queueDepth).toBe(0);
      }
      // The memory's own positions go on.
      expect(new ControlWords(strand).get(CTRL_COMMIT_SEQ)).toBe(8);
      writer.begin();
      expect(view.status).toBe('streaming');
      writer.writeRecordBatch(numbered(0, 8));
      expect(view.committedCount).toBe(8);
      expect(writer.tryWriteRecordBatch(numbered(8, 9))).toBe(0);
    }
  });

  test('gives all of ring and heap back', () => {
    const { writer, view, cursor } = open(TEXT, { indexCapacity: 4, heapCapacity: 64 });
    for (let round = 0; round < 20; round++) {
      const text = `${round}`.padEnd(round % 2 === 0 ? 16 : 13, 'x');
      writer.writeRecordBatch([0, 1, 2, 3].map((n) => ({ n, text })));
      expect(writer.tryWriteRecordBatch([{}])).toBe(0);
      view.waitForCommitSync(0);
      for (let seq = 0; seq < 4; seq++) {
        cursor.seek(seq);
        expect(cursor.toObject()).toEqual({ n: seq, text, json: null });
      }
      if (round % 3 === 0) view.acknowledgeRead(2);
      writer.reset();
    }
  });

  test('clears an abort, with its reason', () => {
    const { writer, view } = openNumbered();
    view.signalAbort('old');
    expectThrown(() => writer.write({ n: 1 }), StrandAbortError, { reason: 'old' });
    writer.reset();
    writer.write({ n: 1 });
    view.signalAbort('new');
    expectThrown(() => writer.write({ n: 1 }), StrandAbortError, { reason: 'new' });
  });

  test('is refused to a writer that is fenced', () => {
    const { strand, writer, view } = openNumbered();
    using newer = new StrandWriter(strand);
    newer.write({ n: 1 });
    expectThrown(() => writer.reset(), StrandFencedError);
    expect(view.committedCount).toBe(1);
  });

  test('may be called again and again, with nothing written between', () => {
    const { writer, view, cursor } = openNumbered();
    for (let i = 0; i < 5; i++) writer.reset();
    view.waitForCommitSync(0, 0);
    writer.writeRecordBatch(numbered(0, 3));
    expect(numbersOf({ view, cursor })).toEqual([0, 1, 2]);
  });
});

describe('a view of the stream before', () => {
  test('is refused seeks, acknowledgements, searches and waits past 0, until it enters the new one', async () => {
    const { writer, view, cursor } = open(TEXT, { heapCapacity: 64 });
    const token = view.registerConsumer();
    writer.writeRecordBatch([{ n: 0 }, { n: 1 }, { n: 2 }]);
    cursor.seek(2);
    writer.reset();
    writer.writeRecordBatch([{ n: 10 }, { n: 11 }]);
    for (let round = 0; round < 2; round++) {
      for (const seq of [0, 1, 2, 5]) expectThrown(() => cursor.seek(seq), StrandResetError, RESET);
      expectThrown(() => view.allocateCursor().seek(0), StrandResetError, RESET);
      for (const upTo of [0, 1, 3]) expectThrown(() => view.acknowledgeRead(upTo), StrandResetError, RESET);
      expectThrown(() => view.acknowledgeRead(1, token), StrandResetError, RESET);
      expectThrown(() => view.registerConsumer(), StrandResetError, RESET);
      expectThrown(() => view.findFirst('n', 0), StrandResetError, RESET);
      await expectRejected(view.waitForCommit(1), StrandResetError, RESET);
      await expectRejected(view.waitForCommit(3, 0), StrandResetError, RESET);
      await expectRejected(view.waitForCommit(5, 5), StrandResetError, RESET);
      expectThrown(() => view.waitForCommitSync(1), StrandResetError, RESET);
      expect([view.committedCount, view.status, view.effectiveReadCursor]).toEqual([2, 'initializing', 0]);
    }
    expect(await view.waitForCommit(0)).toBe(2);
    expect(cursor.seek(1)).toBe(true);
    expect(cursor.getU32('n')).toBe(11);
    expect(view.findFirst('n', 11)).toBe(1);
    view.acknowledgeRead(1);
    expect(view.effectiveReadCursor).toBe(1);
    expect(await view.waitForCommit(1)).toBe(2);
  });

  test.each<[string, (view: StrandView) => unknown]>([
    ['waitForCommit(0) without time', (view) => view.waitForCommit(0, 0)],
    ['waitForCommit(0)', (view) => view.waitForCommit(0)],
    ['waitForCommitSync(0)', (view) => view.waitForCommitSync(0)],
    ['waitForCommitSync(0) without time', (view) => view.waitForCommitSync(0, 0)],
  ])('enters the new one by %s', async (_, enter) => {
    const { writer, view, cursor } = openNumbered();
    writer.writeRecordBatch(numbered(0, 3));
    view.acknowledgeRead(3);
    writer.reset();
    writer.writeRecordBatch(numbered(5, 7));
    expect(await enter(view as unknown as StrandView)).toBe(2);
    expect(numbersOf({ view, cursor })).toEqual([5, 6]);
    // What it acknowledged before is of another stream.
    view.acknowledgeRead(1);
    expect(view.effectiveReadCursor).toBe(1);
  });

  test('enters the new one by a loop over its batches', async () => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 3));
    view.acknowledgeRead(3);
    writer.reset();
    writer.writeRecordBatch(numbered(5, 7));
    writer.finalize();
    const read: unknown[] = [];
    for await (const batch of view) for (const cursor of batch) read.push(cursor.getU32('n'));
    expect(read).toEqual([5, 6]);
  });

  test('has cursors that stand nowhere in the new one', () => {
    const { writer, view, cursor } = open(TEXT, { heapCapacity: 64 });
    writer.writeRecordBatch([{ n: 7, text: 'old', json: ['old'] }]);
    cursor.seek(0);
    expect([cursor.getString('text'), cursor.getJson('json')]).toEqual(['old', ['old']]);
    writer.reset();
    view.waitForCommitSync(0, 0);
    expect(cursor.seq).toBe(-1);
    expect(cursor.toObject()).toEqual({ n: null, text: null, json: null });
    expect([cursor.getU32('n'), cursor.getString('text'), cursor.getJson('json')]).toEqual([
      null,
      null,
      null,
    ]);
    expect(cursor.seek(0)).toBe(false);
    writer.writeRecordBatch([{ n: 8, text: 'new', json: ['new'] }]);
    expect(cursor.seek(0)).toBe(true);
    expect(cursor.toObject()).toEqual({ n: 8, text: 'new', json: ['new'] });
  });

  test('has cursors that stood on a copy, and stand nowhere too', () => {
    const { writer, view, cursor } = open(TEXT, { heapCapacity: 64 });
    writer.writeRecordBatch([{ n: 7, text: 'old' }]);
    view.acknowledgeRead(1);
    cursor.seek(0);
    expect(cursor.getString('text')).toBe('old');
    writer.reset();
    writer.writeRecordBatch([{ n: 8, text: 'new' }]);
    view.waitForCommitSync(0);
    expect(cursor.getString('text')).toBeNull();
    cursor.seek(0);
    expect(cursor.toObject()).toEqual({ n: 8, text: 'new', json: null });
  });

  test('does not take the end of the stream before for that of the new one', async () => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 3));
    writer.finalize();
    await view.waitForCommit(0);
    expect(view.status).toBe('eos');
    writer.reset();
    writer.writeRecordBatch(numbered(0, 3));
    writer.finalize();
    await view.waitForCommit(0, 0);
    expect(view.status).toBe('eos');
    writer.reset();
    const wait = view.waitForCommit(0);
    writer.writeRecordBatch(numbered(0, 2));
    expect(await wait).toBe(2);
    writer.finalize();
    expect(view.status).toBe('streaming');
    view.acknowledgeRead(2);
    expect(view.status).toBe('eos');
  });
});

describe('waits that began before', () => {
  test('end with StrandResetError, all of them', async () => {
    const { strand, writer, view } = openNumbered();
    const other = new StrandView(strand);
    writer.writeRecordBatch(numbered(0, 2));
    const waits = [view.waitForCommit(2), view.waitForCommit(5, 100_000), other.waitForCommit(2)];
    await turns();
    writer.reset();
    for (const wait of waits) await expectRejected(wait, StrandResetError, RESET);
  });

  test('end also where they waited for the first record', async () => {
    const { writer, view } = openNumbered();
    const wait = view.waitForCommit(0);
    await turns();
    writer.reset();
    writer.writeRecordBatch(numbered(0, 2));
    await expectRejected(wait, StrandResetError, RESET);
    expect(await view.waitForCommit(0)).toBe(2);
  });

  test('end where the view has entered the new stream before they were woken', async () => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 2));
    const old = expectRejected(view.waitForCommit(2), StrandResetError, RESET);
    writer.reset();
    writer.writeRecordBatch(numbered(0, 5));
    writer.finalize();
    const first = view.waitForCommit(0);
    await old;
    expect(await first).toBe(5);
  });

  test('end as well where their time is over in the same turn', async () => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 2));
    const wait = expectRejected(view.waitForCommit(2, 1), StrandResetError, RESET);
    writer.reset();
    // Until the timer is due, and then its turn comes before that of the wake-up.
    for (const until = performance.now() + 5; performance.now() < until; );
    await wait;
  });

  test('tell nobody of the end of the new stream', async () => {
    const { writer, view, cursor } = openNumbered();
    writer.writeRecordBatch(numbered(0, 2));
    const old = expectRejected(view.waitForCommit(2), StrandResetError, RESET);
    writer.reset();
    writer.writeRecordBatch(numbered(0, 3));
    expect(view.waitForCommitSync(0)).toBe(3);
    writer.writeRecordBatch(numbered(3, 5));
    writer.finalize();
    await old;
    // The final count was given to nobody yet.
    expect(view.status).toBe('streaming');
    expect(await view.waitForCommit(3)).toBe(5);
    expect(view.status).toBe('eos');
    expect(numbersOf({ view, cursor })).toEqual([0, 1, 2, 3, 4]);
  });

  test('are over for a loop over batches, which throws', async () => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 2));
    const batches = view[Symbol.asyncIterator]();
    expect((await batches.next()).value).toMatchObject({ from: 0, to: 2 });
    writer.reset();
    await expectRejected(batches.next(), StrandResetError, RESET);
    expect((await batches.next()).done).toBe(true);
    const waiting = view[Symbol.asyncIterator]();
    const next = expectRejected(waiting.next(), StrandResetError, RESET);
    await turns();
    writer.reset();
    await next;
  });
});

describe('what was said of the stream before', () => {
  test('changes nothing: acknowledgements', () => {
    const { strand, writer, view } = openNumbered(4);
    writer.writeRecordBatch(numbered(0, 4));
    writer.reset();
    writer.writeRecordBatch(numbered(0, 4));
    for (const upTo of [1, 4]) expectThrown(() => view.acknowledgeRead(upTo), StrandResetError, RESET);
    expect(view.effectiveReadCursor).toBe(0);
    expect(writer.tryWriteRecordBatch(numbered(4, 5))).toBe(0);
    new StrandView(strand).acknowledgeRead(1);
    expect(writer.tryWriteRecordBatch(numbered(4, 5))).toBe(1);
  });

  test('changes nothing: tokens, also those of a stream before that', () => {
    const { strand, writer, view } = openNumbered(4);
    writer.writeRecordBatch(numbered(0, 4));
    const tokens = Array.from({ length: 8 }, () => view.registerConsumer());
    writer.reset();
    writer.writeRecordBatch(numbered(0, 4));
    for (const token of tokens) {
      expectThrown(() => view.acknowledgeRead(4, token), StrandResetError, RESET);
      expectThrown(() => view.releaseConsumer(token), StrandResetError, RESET);
    }
    // Nobody is registered: the tokenless gate the producer again.
    new StrandView(strand).acknowledgeRead(1);
    view.waitForCommitSync(0);
    const own = view.registerConsumer();
    for (const token of tokens) {
      expectThrown(() => view.acknowledgeRead(4, token), RangeError, { code: 'ERR_STRAND_OUT_OF_RANGE' });
      expectThrown(() => view.releaseConsumer(token), RangeError, { code: 'ERR_STRAND_OUT_OF_RANGE' });
    }
    expect(view.effectiveReadCursor).toBe(1);
    view.acknowledgeRead(4, own);
    expect(view.effectiveReadCursor).toBe(4);
  });

  test('changes nothing: the close of a view with tokens', () => {
    const { strand, writer, view } = openNumbered(4);
    writer.writeRecordBatch(numbered(0, 4));
    view.registerConsumer();
    writer.reset();
    const other = new StrandView(strand);
    const token = other.registerConsumer();
    writer.writeRecordBatch(numbered(0, 4));
    view.close();
    expect(writer.tryWriteRecordBatch(numbered(4, 5))).toBe(0);
    other.acknowledgeRead(2, token);
    expect(other.effectiveReadCursor).toBe(2);
  });
});

test('streams that follow one another never mix', () => {
  const steps = fc.array(
    fc.record({
      what: fc.constantFrom('write', 'write', 'read', 'read', 'reset', 'enter'),
      count: fc.nat({ max: 9 }),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(steps, (todo) => {
      const { writer, view, cursor } = open(TEXT, { indexCapacity: 8, heapCapacity: 128 });
      let stream = 0;
      let entered = 0;
      let written = 0;
      let read = 0;
      const textOf = (n: number) => `stream ${stream}, ${n}`;
      for (const { what, count } of todo) {
        if (what === 'write') {
          const records = Array.from({ length: count }, (_, i) => ({
            n: written + i,
            text: textOf(written + i),
            json: written + i,
          }));
          const done = writer.tryWriteRecordBatch(records);
          if (entered === stream && read === written) expect(done).toBeGreaterThanOrEqual(Math.min(count, 4));
          written += done;
        } else if (what === 'reset') {
          writer.reset();
          stream++;
          written = 0;
        } else if (what === 'enter' && entered !== stream) {
          expect(view.waitForCommitSync(0, 0)).toBe(written);
          entered = stream;
          read = 0;
        } else if (what === 'read' && entered !== stream) {
          expectThrown(() => cursor.seek(read), StrandResetError);
          expectThrown(() => view.acknowledgeRead(read), StrandResetError);
        } else if (what === 'read') {
          const to = Math.min(written, read + count);
          for (; read < to; read++) {
            expect(cursor.seek(read)).toBe(true);
            expect(cursor.toObject()).toEqual({ n: read, text: textOf(read), json: read });
          }
          view.acknowledgeRead(read);
        }
        expect(view.committedCount).toBe(written);
      }
    }),
    { numRuns: 150 },
  );
});
