import { describe, expect, test } from 'vitest';
import { createStrand, StrandView, StrandWriter } from '../../../dist/index.js';
import { LONG } from '../support/long.js';
import { numbered } from '../support/numbered.mjs';
import { seed } from '../support/seed.js';
import { seeded } from '../support/seeded.mjs';
import { expectThrown } from '../support/strands.js';
import { startChild, startThread, until } from '../support/threads.mjs';

const TERMINATIONS = 30;
const SCRIBBLED_ROUNDS = LONG ? 20_000 : 1_000;

const small = () => createStrand(numbered.fields, { indexCapacity: 16, heapCapacity: 2048 });
type Small = ReturnType<typeof small>;

/** A thread that fills the strand with the first records and blocks in `writeColumns` of 100, from 16 on. */
const startBlocked = (strand: Small) =>
  startThread(({ strand, data, say, numbered }) => {
    const writer = new strand.StrandWriter(data);
    writer.begin();
    writer.writeColumns(numbered.columns(0, 10));
    try {
      writer.writeColumns(numbered.columns(10, 100));
      writer.finalize();
    } catch (error) {
      const { name, reason, recordsWritten } = error as InstanceType<typeof strand.StrandAbortError>;
      say({ name, reason, recordsWritten });
    }
  }, strand);

describe('a writeColumns that waits for room', () => {
  test('ends when another writer takes the strand over, and nothing more of it shows', async () => {
    const strand = small();
    const view = new StrandView(strand);
    const first = startBlocked(strand);
    await until(() => view.stats().producerStalls > 0);
    const visible = view.committedCount;
    const second = new StrandWriter(strand);
    second.begin();
    expect(await first.said()).toEqual({ name: 'StrandFencedError', recordsWritten: visible - 10 });
    await first.done();

    expect(view.status).toBe('streaming');
    expect(view.committedCount).toBe(visible);
    numbered.checkColumns(view.readColumns(undefined, 0, visible), 0);
    view.acknowledgeRead(visible);
    second.writeColumns(numbered.columns(visible, 5));
    numbered.check(view.allocateCursor(), visible, visible + 5);
  });

  test('ends with an abort and its reason', async () => {
    const strand = small();
    const view = new StrandView(strand);
    const producer = startBlocked(strand);
    await until(() => view.stats().producerStalls > 0);
    const visible = view.committedCount;
    view.signalAbort('seen enough');
    expect(await producer.said()).toEqual({
      name: 'StrandAbortError',
      reason: 'seen enough',
      recordsWritten: visible - 10,
    });
    await producer.done();
    expect(view.committedCount).toBe(visible);
    numbered.check(view.allocateCursor(), 0, visible);
  });

  test('is freed when the thread of a registered consumer ends', async () => {
    const strand = small();
    const view = new StrandView(strand);
    const token = view.registerConsumer();
    for (const end of ['throw new Error("no more")', 'process.exit(0)', 'for (;;);']) {
      const consumer = startThread(
        async ({ strand, data, say, hear }) => {
          const view = new strand.StrandView(data.strand);
          view.registerConsumer();
          say('registered');
          await hear();
          new Function(data.end)();
        },
        { strand, end },
      );
      await consumer.said();
      const from = view.committedCount;
      const stalls = view.stats().producerStalls;
      const producer = startThread(
        ({ strand, data, numbered }) => {
          const writer = new strand.StrandWriter(data.strand);
          writer.writeColumns(numbered.columns(data.from, 100));
          writer.finalize();
        },
        { strand, from },
      );
      await until(() => view.stats().producerStalls > stalls);
      // This consumer lets go of everything; the other one of nothing.
      const drained = numbered.drain(view, { from, token });
      await until(() => view.effectiveReadCursor === from);
      consumer.say('end');
      if (end.startsWith('for')) await consumer.terminate();
      expect(await drained).toBe(from + 100);
      await producer.done();
      await consumer.ended;
    }
  });

  test(`leaves nobody waiting after ${TERMINATIONS} terminations at random moments, and the strand whole`, async () => {
    const random = seeded(seed);
    for (let round = 0; round < TERMINATIONS; round++) {
      const strand = small();
      const producer = startThread(({ strand, data, say, numbered }) => {
        const writer = new strand.StrandWriter(data);
        say('attached');
        writer.begin();
        for (let next = 0; ; next += 50) writer.writeColumns(numbered.columns(next, 50));
      }, strand);
      await producer.said();
      const view = new StrandView(strand);
      const isDrained = random.below(3) > 0;
      const drained = isDrained ? numbered.drain(view) : until(() => view.stats().producerStalls > 0);
      const far = new StrandView(strand).waitForCommit(Number.MAX_SAFE_INTEGER - 1);
      for (let turns = random.pick([0, 1, 5, 40]); turns > 0; turns--) await new Promise(setImmediate);
      if (!isDrained) await drained;
      await producer.terminate();
      expect((await producer.ended).error).toBeUndefined();
      const count = await far;
      if (isDrained) expect(await drained, `seed ${seed}, round ${round}`).toBe(count);
      await view.waitForCommit(count);
      expect(view.status).toBe('error');

      numbered.check(view.allocateCursor(), view.windowStart, count);
      view.acknowledgeRead(count);
      const writer = new StrandWriter(strand);
      writer.writeColumns(numbered.columns(count, 5));
      writer.finalize();
      expect(await numbered.drain(view, { from: count })).toBe(count + 5);
    }
  });
});

describe('user code that runs while columns are taken', () => {
  const open = () => {
    const strand = createStrand(
      [
        { name: 'n', type: 'u32', nullable: true },
        { name: 's', type: 'utf8', nullable: true },
        { name: 'j', type: 'large_json' },
        { name: 'b', type: 'large_bytes' },
        { name: 'id', type: 'fixed_bytes', length: 4 },
      ],
      { indexCapacity: 16, heapCapacity: 4096 },
    );
    const writer = new StrandWriter(strand);
    writer.begin();
    return { strand, writer, view: new StrandView(strand) };
  };
  type Opened = ReturnType<typeof open>;

  /** Columns, each place of which runs the code once. */
  const places: Record<string, (run: () => void) => object> = {
    'a getter of a column': (run) => ({
      s: ['text', 'é'],
      get j() {
        run();
        return [1, 2];
      },
    }),
    'a proxy of all columns': (run) =>
      new Proxy(
        { s: ['text', 'é'], n: [1, 2] },
        {
          ownKeys: (target) => {
            run();
            return Reflect.ownKeys(target);
          },
        },
      ),
    'a getter of values': (run) => ({
      s: ['text', 'é'],
      n: {
        get values() {
          run();
          return Uint32Array.of(1, 2);
        },
      },
    }),
    'a getter of offsets': (run) => ({
      s: {
        get offsets() {
          run();
          return Int32Array.of(0, 1, 3);
        },
        values: new Uint8Array(3),
      },
    }),
    'an element of a list': (run) => ({
      s: ['text', 'é'],
      b: Object.defineProperty([new Uint8Array(2), new Uint8Array(1)], 1, {
        get: () => {
          run();
          return new Uint8Array(1);
        },
      }),
    }),
    'a proxy of a list of texts': (run) => ({
      s: new Proxy(['text', 'é', 'x'], {
        get: (target, name) => {
          if (name === '1') run();
          return Reflect.get(target, name);
        },
      }),
    }),
    toJSON: (run) => ({
      s: ['text', 'é'],
      j: [
        'first',
        {
          toJSON() {
            run();
            return 'é';
          },
        },
      ],
    }),
  };

  /** Texts of what comes behind are whole: nothing is left of the batch that failed. */
  const expectClean = ({ writer, view }: Opened): void => {
    const from = view.committedCount;
    writer.writeColumns({ s: ['after', 'ü'], n: [7, null], j: [{ a: 1 }, 'b'] });
    expect(view.readColumn('s', from, from + 2)).toStrictEqual(['after', 'ü']);
    expect(view.readColumn('j', from, from + 2)).toStrictEqual([{ a: 1 }, 'b']);
    expect([...view.readColumn('n', from, from + 2)]).toStrictEqual([7, 0]);
    view.acknowledgeRead(from + 2);
  };

  test.each(Object.entries(places))('may throw: %s', (_, columns) => {
    const opened = open();
    for (let round = 0; round < 10; round++) {
      const fault = new Error('mine');
      const throwIt = () => {
        throw fault;
      };
      expect(() => opened.writer.writeColumns(columns(throwIt) as never)).toThrow(fault);
      expect(fault).not.toHaveProperty('recordsWritten');
      expect(opened.view.committedCount).toBe(2 * round);
      expectClean(opened);
    }
  });

  test.each(Object.entries(places))('may not call the writer: %s', async (_, columns) => {
    const opened = open();
    const { writer, view } = opened;
    const calls: (() => unknown)[] = [
      () => writer.begin(),
      () => writer.write({ n: 1 }),
      () => writer.writeRecordBatch([{ n: 1 }]),
      () => writer.tryWriteRecordBatch([{ n: 1 }]),
      () => writer.writeColumns({ s: ['inner', 'texts', 'that', 'are', 'longer'] }),
      () => writer.claimSlot(),
      () => writer.claimHeapBytes(8),
      () => writer.finalize(),
      () => writer.abort('no'),
      () => writer.reset(),
      () => writer.close(),
    ];
    let inner: Promise<unknown> | undefined;
    const run = () => {
      for (const call of calls) {
        expectThrown(call, Error, { code: 'ERR_STRAND_REENTRANT' });
      }
      inner = writer.writeRecordBatchAsync([]).catch((error: unknown) => error);
    };
    writer.writeColumns(columns(run) as never);
    expect(await inner).toMatchObject({ code: 'ERR_STRAND_REENTRANT' });
    const length = view.committedCount;
    expect(length).toBeGreaterThan(0);
    expect(view.readColumn('s', 0, 2).slice(1)).toHaveLength(1);
    view.acknowledgeRead(length);
    expectClean(opened);
  });

  test.each(Object.entries(places))('may make another writer, which fences this one: %s', (_, columns) => {
    const opened = open();
    const { strand, writer, view } = opened;
    let second: StrandWriter<typeof strand.map.schema> | undefined;
    expectThrown(
      () =>
        writer.writeColumns(
          columns(() => {
            second = new StrandWriter(strand);
            second.writeColumns({ s: ['of the second'] });
          }) as never,
        ),
      Error,
      { code: 'ERR_STRAND_FENCED' },
    );
    expect(view.readColumn('s', 0, view.committedCount)).toStrictEqual(['of the second']);
    view.acknowledgeRead(1);
    expectClean({ strand, view, writer: second as Opened['writer'] });
  });

  test.each(Object.keys(places))('may end the thread: %s', async (place) => {
    const { strand, view } = open();
    const producer = startThread(
      ({ strand, data }) => {
        const writer = new strand.StrandWriter(data.strand);
        writer.writeColumns({ s: ['whole'] });
        writer.writeColumns(new Function(`return ${data.columns}`)()(() => process.exit(0)));
      },
      { strand, columns: String(places[place]) },
    );
    await producer.ended;
    expect(await view.waitForCommit(1)).toBe(1);
    expect(view.status).toBe('error');
    expect(view.readColumn('s', 0, 1)).toStrictEqual(['whole']);
  });

  test('may resize and detach what was handed in: it is written as it is in the end, or refused', () => {
    type Resizable = ArrayBuffer & { resize(length: number): void };
    const resizable = (length: number, max: number): Resizable =>
      new (ArrayBuffer as unknown as new (length: number, options: object) => Resizable)(length, {
        maxByteLength: max,
      });
    const detach = (buffer: ArrayBuffer) => structuredClone(buffer, { transfer: [buffer] });
    const changes: Record<string, (buffer: Resizable) => void> = {
      detached: detach,
      emptied: (buffer) => buffer.resize(0),
      'cut short': (buffer) => buffer.resize(5),
      grown: (buffer) => buffer.resize(4096),
      'cut short and grown': (buffer) => {
        buffer.resize(0);
        buffer.resize(8);
      },
    };
    for (const [name, change] of Object.entries(changes)) {
      const opened = open();
      const { writer, view } = opened;
      const whole = name.startsWith('grown') || name.endsWith('grown');
      const fill = name === 'cut short and grown' ? 0 : 0x41;
      const make = () => {
        const buffer = resizable(8, 4096);
        new Uint8Array(buffer).fill(0x41);
        return buffer;
      };
      // Behind the column, so that it has been looked at by then.
      const with_ = (column: (buffer: Resizable) => object) => {
        const buffer = make();
        return {
          ...column(buffer),
          j: [
            {
              toJSON: () => {
                change(buffer);
                return 1;
              },
            },
            2,
          ],
        };
      };
      const attempt = (columns: object): unknown => {
        try {
          writer.writeColumns(columns as never);
          return undefined;
        } catch (error) {
          return error;
        }
      };

      const values = attempt(with_((buffer) => ({ n: new Uint32Array(buffer, 0, 2) })));
      if (whole) expect(values, name).toBeUndefined();
      else expect(values, name).toBeInstanceOf(RangeError);

      const flat = attempt(with_((buffer) => ({ id: new Uint8Array(buffer) })));
      if (name === 'cut short and grown') expect(flat, name).toBeUndefined();
      else expect(flat, name).toBeInstanceOf(RangeError);

      const packed = attempt(
        with_((buffer) => ({
          b: { offsets: Int32Array.of(0, 4, 8), values: new Uint8Array(buffer, 0, 8) },
        })),
      );
      if (whole) expect(packed, name).toBeUndefined();
      else expect(packed, name).toBeInstanceOf(RangeError);

      const from = view.committedCount;
      const list = attempt(
        with_((buffer) => ({ b: [new Uint8Array(buffer), new Uint8Array(buffer, 2, 4)] })),
      );
      if (name === 'grown') expect(list, name).toBeInstanceOf(Error);
      else {
        expect(list, name).toBeUndefined();
        const length = { detached: 0, emptied: 0, 'cut short': 5, 'cut short and grown': 8 }[name] as number;
        const written = view.readColumn('b', from, from + 2);
        expect(written[0], name).toStrictEqual(new Uint8Array(length).fill(fill));
      }
      for (let seq = 0; seq < from; seq++) {
        for (const byte of view.readColumn('b', seq, seq + 1)[0] ?? []) expect(byte).toBe(fill);
      }
      view.acknowledgeRead(view.committedCount);
      expectClean(opened);
    }
  });

  test('may say of a list’s length what it likes', () => {
    const opened = open();
    const { writer, view } = opened;
    for (const length of [-1, 1.5, Number.NaN, '2', 2 ** 32, 2 ** 53, Infinity, null, {}]) {
      const list = (of: unknown[]) =>
        new Proxy(of, { get: (target, name) => (name === 'length' ? length : Reflect.get(target, name)) });
      for (const columns of [{ n: list([1]) }, { s: list(['a']) }, { id: list([[1, 2, 3, 4]]) }]) {
        expectThrown(() => writer.writeColumns(columns as never), TypeError);
      }
    }
    expect(view.committedCount).toBe(0);
    expectClean(opened);
  });
});

describe('columns in shared memory that another thread changes', () => {
  test('have the offsets and bits that they had when they were checked, however long the call waits', async () => {
    const strand = createStrand(
      [
        { name: 's', type: 'utf8', nullable: true },
        { name: 'n', type: 'u32', nullable: true },
      ],
      { indexCapacity: 8, heapCapacity: 256 },
    );
    const shared = new Int32Array(new SharedArrayBuffer(4 * 33));
    shared.forEach((_, i) => {
      shared[i] = 2 * i;
    });
    const validity = new Uint32Array(new SharedArrayBuffer(4)).fill(0x7fff_ffff);
    const producer = startThread(
      ({ strand, data }) => {
        const writer = new strand.StrandWriter(data.strand);
        const values = new TextEncoder().encode(`${'ab'.repeat(31)}zz`);
        writer.writeColumns({
          s: { offsets: data.shared, values, validity: data.validity },
          n: { values: new Uint32Array(32).fill(7), validity: data.validity },
        });
        writer.finalize();
      },
      { strand, shared, validity },
    );
    const view = new StrandView(strand);
    await until(() => view.stats().producerStalls > 0);
    shared.fill(2 ** 31 - 1);
    validity.fill(0x5555_5555);
    const texts: (string | null)[] = [];
    const bits: number[] = [];
    for await (const { from, to } of view) {
      texts.push(...view.readColumn('s', from, to));
      bits.push(...view.readColumn('n', from, to));
    }
    await producer.done();
    expect(texts).toStrictEqual([...new Array(31).fill('ab'), null]);
    expect(bits).toStrictEqual([...new Array(31).fill(7), 0]);
  });

  test('decide which values are written, and nothing outside of them is', async () => {
    const child = startChild(
      async ({ strand, data, say, startThread, seeded }) => {
        const FIELDS = [
          { name: 'n', type: 'u32', nullable: true },
          { name: 'flag', type: 'bool8' },
          { name: 'id', type: 'fixed_bytes', length: 4 },
          { name: 's', type: 'utf8', nullable: true },
          { name: 'j', type: 'json' },
          { name: 'b', type: 'large_bytes', nullable: true },
          { name: 'a', type: 'i32_array' },
        ] as const;
        const COUNT = 64;
        const VALUES = 512;
        // What lies around the values, and never gets in.
        const OUTSIDE = 0x5a;
        const memory = new SharedArrayBuffer(8192);
        new Uint8Array(memory).fill(OUTSIDE);
        const at = { values: 1024, offsets: 2048, validity: 3072, list: 4096 };
        const values = new Uint8Array(memory, at.values, VALUES).fill(0x41);
        const offsets = new Int32Array(memory, at.offsets, COUNT + 1);
        const validity = new Uint32Array(memory, at.validity, COUNT / 32).fill(2 ** 32 - 1);
        const over = new Int32Array(new SharedArrayBuffer(4));
        const plain = Int32Array.from({ length: COUNT + 1 }, (_, i) => 2 * i);
        offsets.set(plain);

        const scribbler = startThread(
          ({ data, say, seeded }) => {
            const random = seeded(data.seed);
            const { at, count, memory } = data;
            const values = new Uint8Array(memory, at.values, data.values);
            const offsets = new Int32Array(memory, at.offsets, count + 1);
            const validity = new Uint32Array(memory, at.validity, count / 32);
            say('scribbling');
            while (Atomics.load(data.over, 0) === 0) {
              values[random.below(values.length)] = random.pick([0x41, 0x31, 0x22, 0x80, 0xc3, 0xf0, 0xff]);
              validity[random.below(validity.length)] = random.next();
              const i = random.below(count + 1);
              offsets[i] = random.pick([2 * i, 2 * i, 2 * i, 2 * i + 1, -1, 2 ** 31 - 1, random.next()]);
              if (random.below(4) > 0) offsets[i] = 2 * i;
            }
          },
          { memory, at, over, count: COUNT, values: VALUES, seed: data.seed },
          { index: null },
        );
        await scribbler.said();

        const random = seeded(data.seed + 1);
        const ring = strand.createStrand(FIELDS, { indexCapacity: COUNT, heapCapacity: 8192 });
        const writer = new strand.StrandWriter(ring);
        writer.begin();
        const view = new strand.StrandView(ring);
        const tally = { written: 0, refused: 0 };
        for (let round = 0; round < data.rounds || tally.written === 0 || tally.refused === 0; round++) {
          const words = new Int32Array(memory, at.values, VALUES / 4);
          const own = random.below(2) === 0 ? plain : offsets;
          const bits = random.below(2) === 0 ? validity : undefined;
          try {
            writer.writeColumns({
              n: { values: new Uint32Array(memory, at.values, COUNT), validity },
              flag: new Uint8Array(memory, at.values, COUNT),
              id: new Uint8Array(memory, at.values, 4 * COUNT),
              s: { offsets: own, values, validity: bits },
              j: { offsets: own, values },
              b:
                random.below(2) === 0
                  ? { offsets: own, values, validity: bits }
                  : Array.from({ length: COUNT }, (_, i) => values.subarray(i, 2 * i)),
              a: { offsets: plain.map((o) => o / 2), values: words, validity: bits },
            });
            tally.written++;
          } catch (error) {
            if (!String((error as { code?: string }).code).startsWith('ERR_STRAND_')) throw error;
            tally.refused++;
            continue;
          }
          const to = view.committedCount;
          const columns = view.readColumns(undefined, to - COUNT, to, { packed: true });
          for (const [name, column] of Object.entries(columns)) {
            const { buffer, byteOffset, byteLength } = column.values;
            if (new Uint8Array(buffer, byteOffset, byteLength).includes(OUTSIDE)) {
              throw new Error(`${name} holds what lay outside, seed ${data.seed}, round ${round}`);
            }
          }
          if (columns.flag.values.some((flag) => flag > 1)) throw new Error('a boolean is neither 0 nor 1');
          view.readColumns(undefined, to - COUNT, to);
          view.acknowledgeRead(to);
        }
        Atomics.store(over, 0, 1);
        await scribbler.done();
        say(tally);
      },
      { seed, rounds: SCRIBBLED_ROUNDS },
    );
    const [tally] = await child.done<{ written: number; refused: number }>();
    console.info(`columns that changed meanwhile: ${JSON.stringify(tally)}`);
    expect(tally?.written).toBeGreaterThan(0);
    expect(tally?.refused).toBeGreaterThan(0);
  });
});

describe('columns behind the gate', () => {
  test('are what the records held, or are refused, while the producer runs around', async () => {
    const random = seeded(seed);
    const strand = createStrand(numbered.fields, { indexCapacity: 64, heapCapacity: 4096 });
    const producer = startThread(({ strand, data, numbered }) => {
      const writer = new strand.StrandWriter(data);
      writer.begin();
      const view = new strand.StrandView(data);
      for (let next = 0; ; next += 5) {
        writer.writeColumns(numbered.columns(next, 5));
        view.acknowledgeRead(next + 5);
      }
    }, strand);
    const view = new StrandView(strand);
    await view.waitForCommit(1000);
    let whole = 0;
    let refused = 0;
    while (whole < 200 || refused < 200) {
      const to = view.committedCount;
      const from = Math.max(0, to - random.between(1, 64));
      try {
        numbered.checkColumns(view.readColumns(undefined, from, to), from);
        whole++;
      } catch (error) {
        if (!(error instanceof RangeError)) throw new Error(`seed ${seed}`, { cause: error });
        expect(error).toMatchObject({ code: 'ERR_STRAND_OUT_OF_RANGE' });
        refused++;
      }
      try {
        const texts = view.readColumn('text', from, to);
        expect(texts).toStrictEqual(numbered.columns(from, to - from).text);
      } catch (error) {
        if (!(error instanceof RangeError)) throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    await producer.terminate();
  });
});

describe('memory that somebody else writes to', () => {
  test('never crashes who gathers columns: slots and heap change meanwhile', async () => {
    const child = startChild(
      async ({ strand, data, say, startThread, everyType, seeded }) => {
        const ring = strand.createStrand(everyType.fields(strand.FIELD_BYTE_WIDTHS), {
          indexCapacity: 16,
          heapCapacity: 16_384,
          internTable: ['x', 'y'],
        });
        const writer = new strand.StrandWriter(ring);
        writer.begin();
        writer.writeRecordBatch(Array.from({ length: 12 }, (_, n) => everyType.record(n)));
        const over = new Int32Array(new SharedArrayBuffer(4));
        const scribbler = startThread(
          ({ data, say, seeded }) => {
            const random = seeded(data.seed);
            const bytes = new Uint8Array(data.sab, data.from);
            const ink = [0x00, 0x41, 0x7b, 0x7f, 0x80, 0xc3, 0xa9, 0xe2, 0xf0, 0x9f, 0xff];
            say('scribbling');
            while (Atomics.load(data.over, 0) === 0) {
              const at = random.below(bytes.length);
              const length = random.between(1, random.pick([1, 4, 64, 2000]));
              if (random.below(2) === 0) bytes.fill(random.pick(ink), at, at + length);
              else
                for (let i = 0; i < length; i++)
                  bytes[at + i] = random.below(2) ? random.next() : random.pick(ink);
            }
          },
          { sab: ring.sab, from: ring.map.header_size, over, seed: data.seed },
          { index: null },
        );
        await scribbler.said();

        const random = seeded(data.seed + 1);
        const names = ring.map.schema.fields.map(({ name }) => name);
        const view = new strand.StrandView(ring);
        let gathered = 0;
        for (let round = 0; round < data.rounds; round++) {
          const to = random.between(1, view.committedCount);
          const from = Math.max(view.windowStart, to - random.between(1, 16));
          const validity = new Uint32Array(1);
          try {
            for (const packed of [false, true]) {
              const columns = view.readColumns(undefined, from, to, { packed });
              for (const [name, { values, offsets }] of Object.entries(columns) as [
                string,
                { values: { length: number }; offsets?: Int32Array },
              ][]) {
                if (offsets === undefined) continue;
                const ascends = offsets.every((offset, i) => i === 0 || offset >= (offsets[i - 1] ?? 0));
                if (!ascends || offsets.at(-1) !== values.length) throw new Error(`offsets of ${name}`);
              }
            }
            view.readColumn(random.pick(names) as never, from, to, { validity } as never);
            gathered++;
          } catch (error) {
            // Where the heap stood before a record is scribbled over as well: then the record counts as overwritten.
            if ((error as { code?: string }).code !== 'ERR_STRAND_OUT_OF_RANGE') throw error;
          }
          if (round % 10 === 0) {
            view.acknowledgeRead(random.between(view.effectiveReadCursor, view.committedCount));
            writer.tryWriteRecordBatch([everyType.record(round % 100), everyType.record((round + 1) % 100)]);
          }
        }
        Atomics.store(over, 0, 1);
        await scribbler.done();
        say({ gathered });
      },
      { seed, rounds: SCRIBBLED_ROUNDS },
    );
    const [tally] = await child.done<{ gathered: number }>();
    expect(tally?.gathered, `seed ${seed}`).toBeGreaterThan(0);
  });

  test('cannot make a range longer than the ring, whatever its positions say', async () => {
    const child = startChild(({ strand, say }) => {
      const ring = strand.createStrand(
        [
          { name: 'n', type: 'u8' },
          { name: 's', type: 'utf8' },
          { name: 'b', type: 'bytes' },
        ],
        { indexCapacity: 8, heapCapacity: 64 },
      );
      new strand.StrandWriter(ring).write({ n: 1, s: 'a' });
      const view = new strand.StrandView(ring);
      new BigUint64Array(ring.sab)[strand.CTRL_COMMIT_SEQ / 2] = 2n ** 52n;
      for (const to of [9, 2 ** 29, 2 ** 51]) {
        for (const packed of [false, true]) {
          for (const names of [['n'], ['s'], ['b'], []] as ('n' | 's' | 'b')[][]) {
            try {
              view.readColumns(names, 0, to, { packed });
              say('nothing');
            } catch (error) {
              say((error as { code?: string }).code);
            }
          }
        }
      }
    }, undefined);
    expect(new Set(await child.done())).toEqual(new Set(['ERR_STRAND_OUT_OF_RANGE']));
  });
});
