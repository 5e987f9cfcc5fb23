import { describe, expect, test } from 'vitest';
import { LONG } from '../support/long.js';
import { seed } from '../support/seed.js';
import { startChild } from '../support/threads.mjs';

const SCRIBBLED_ROUNDS = LONG ? 40_000 : 1_500;
const MUTATIONS = LONG ? 100_000 : 20_000;
/** Of the mutations, how many may show a word that says "busy": each makes an attempt last a second. */
const BUSY_MUTATIONS = LONG ? 100 : 2;

describe('memory that somebody else writes to', () => {
  test('never crashes a reader: slots and heap change while every accessor reads them', async () => {
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
            // Texts that turn from ASCII to UTF-8 and back, halves of characters, pointers that lead anywhere.
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

        const names = ring.map.schema.fields.map(({ name }) => name);
        const random = seeded(data.seed + 1);
        const view = new strand.StrandView(ring);
        const cursor = view.allocateCursor();
        const accessors = everyType.accessorsOf(cursor);
        let copied = 0;
        for (let round = 0; round < data.rounds; round++) {
          for (let seq = view.windowStart; seq < view.committedCount; seq++) {
            try {
              if (cursor.seek(seq)) everyType.readAll(cursor, names, accessors);
              if (seq < view.effectiveReadCursor) copied++;
            } catch (error) {
              // Where the heap stood before a record is scribbled over as well: then the record counts as overwritten.
              if (!(error instanceof RangeError)) throw error;
            }
          }
          view.findFirst('u32', random.below(20));
          if (round % 10 === 0) {
            view.acknowledgeRead(random.between(view.effectiveReadCursor, view.committedCount));
            writer.tryWriteRecordBatch([everyType.record(round % 100), everyType.record((round + 1) % 100)]);
          }
        }
        Atomics.store(over, 0, 1);
        await scribbler.done();
        say({ names: names.length, copied });
      },
      { seed, rounds: SCRIBBLED_ROUNDS },
    );
    const { names, copied } = (await child.done<{ names: number; copied: number }>())[0] ?? {};
    expect(names).toBe(48);
    expect(copied, `seed ${seed}`).toBeGreaterThan(0);
  });

  test(`is refused or harmless as a header: ${MUTATIONS} mutations with a checksum that fits`, async () => {
    const mutateHalf = (half: number) =>
      startChild(
        ({ strand, data, say, seeded }) => {
          const { crc32 } = process.getBuiltinModule('node:zlib');
          const random = seeded(data.seed);
          // Half a million errors: their stacks would take most of the time.
          Error.stackTraceLimit = 0;
          const template = strand.createStrand(
            [
              { name: 'key', type: 'u32', sorted: 'asc' },
              { name: 'down', type: 'f64', sorted: 'desc', nullable: true },
              { name: 'text', type: 'utf8' },
              { name: 'id', type: 'fixed_bytes', length: 5 },
              { name: 'list', type: 'f64_array', nullable: true },
            ],
            { indexCapacity: 8, heapCapacity: 512, meta: { a: 1 } },
          );
          const record = (n: number) => ({ key: n, down: -n, text: 'é'.repeat(n % 9), list: [n] });
          const first = new strand.StrandWriter(template);
          first.begin();
          first.writeRecordBatch([0, 1, 2, 3, 4].map(record));
          new strand.StrandView(template).acknowledgeRead(2);
          const pristine = Uint8Array.from(new Uint8Array(template.sab));
          const lengths = new DataView(pristine.buffer);
          const end =
            strand.OFFSET_SCHEMA +
            lengths.getUint32(strand.OFFSET_SCHEMA_BYTE_LEN, true) +
            lengths.getUint32(strand.OFFSET_META_BYTE_LEN, true);

          const sab = new SharedArrayBuffer(pristine.length);
          const bytes = new Uint8Array(sab);
          const words = new DataView(sab);
          const controls = Object.entries(strand)
            .filter(([name]) => name.startsWith('CTRL_'))
            .map(([, index]) => (index as number) * 4);
          const notable = [
            0,
            1,
            2,
            3,
            4,
            7,
            8,
            9,
            0x7f,
            0x80,
            0xff,
            0x7fff,
            0xffff,
            0x10000,
            2 ** 31 - 1,
            2 ** 31,
            2 ** 32 - 1,
          ];
          const word = (): number =>
            random.pick([...notable, pristine.length, pristine.length - 8, random.next()]);

          const mutate = (): void => {
            for (let count = random.between(1, 3); count > 0; count--) {
              const at = random.below(end);
              switch (random.below(5)) {
                case 0:
                  words.setUint32(random.pick(controls) + 4 * random.below(2), word(), true);
                  break;
                case 1:
                  words.setUint32(4 * random.below(10), word(), true);
                  break;
                case 2:
                  bytes[random.between(strand.OFFSET_SCHEMA, end - 1)] = random.next();
                  break;
                case 3:
                  words.setUint8(at, words.getUint8(at) ^ (1 << random.below(8)));
                  break;
                default:
                  bytes[at] = random.pick(notable);
              }
            }
            words.setUint32(strand.OFFSET_HEADER_CRC, crc32(bytes.slice(0, strand.OFFSET_HEADER_CRC)), true);
          };

          // A writer that fills slots, somebody who holds the lock of the consumer slots, a reset under way.
          const owner = strand.CTRL_OWNER * 4;
          const [epoch, active] = [strand.CTRL_EPOCH * 4, strand.CTRL_ACTIVE * 4];
          let busyLeft = data.busy;
          const calm = (): void => {
            const isBusy =
              words.getUint32(owner + 4, true) !== 0 ||
              words.getUint32(owner + 12, true) !== 0 ||
              words.getUint32(active, true) >= 2 ** 31 ||
              words.getUint32(epoch, true) % 2 !== 0;
            if (!isBusy || busyLeft-- > 0) return;
            for (const [from, to] of [
              [owner, owner + 16],
              [active, active + 4],
              [epoch, epoch + 4],
            ] as const) {
              bytes.set(pristine.subarray(from, to), from);
            }
          };

          const tally = { accepted: 0, refused: 0, calls: 0, errors: 0 };
          const attempt = <T>(call: () => T): T | undefined => {
            tally.calls++;
            try {
              return call();
            } catch (error) {
              tally.errors++;
              // Only what the package means to throw.
              if (String((error as { code?: string }).code).startsWith('ERR_STRAND_')) return undefined;
              throw error;
            }
          };

          const read = (view: InstanceType<typeof strand.StrandView>): void => {
            const cursor = view.allocateCursor();
            for (const seq of [0, 1, 2, 4, 5, 7, 2 ** 32, 2 ** 53 - 1]) {
              attempt(() => {
                if (cursor.seek(seq)) cursor.toObject();
                for (const name of ['key', 'down', 'text', 'id', 'list']) void cursor.get(name);
              });
            }
          };

          const use = (view: InstanceType<typeof strand.StrandView>): void => {
            read(view);
            attempt(() => [
              view.stats(),
              view.status,
              view.producerStatus,
              view.error,
              view.windowStart,
              view.map.meta,
            ]);
            attempt(() => view.waitForCommitSync(3, 0));
            attempt(() => view.findFirst('key', 3));
            attempt(() => view.findFirst('down', -3));
            for (const packed of [false, true]) {
              attempt(() => view.readColumns(undefined, 0, view.committedCount, { packed }));
              attempt(() => view.readColumns(undefined, view.windowStart, view.committedCount, { packed }));
            }
            attempt(() => view.readColumn('text', 2, 5));
            const token = attempt(() =>
              view.registerConsumer({ from: random.pick(['oldest', 'latest', 2]) }),
            );
            for (const upTo of [0, 3, 5, 2 ** 53 - 1]) {
              attempt(() => view.acknowledgeRead(upTo));
              if (token !== undefined) attempt(() => view.acknowledgeRead(upTo, token));
            }
            if (token !== undefined && random.below(2) === 0) attempt(() => view.releaseConsumer(token));
          };

          const write = (writer: InstanceType<typeof strand.StrandWriter>): void => {
            attempt(() => writer.begin());
            for (let n = 5; n < 8; n++) attempt(() => writer.tryWriteRecordBatch([record(n), record(n + 1)]));
            attempt(() => writer.stats());
            if (random.below(2) === 0) attempt(() => writer.reset());
            attempt(() => writer.tryWriteRecordBatch([record(1)]));
            attempt(() => random.pick([() => writer.finalize(), () => writer.abort('x'), () => {}])());
          };

          for (let round = 0; round < data.mutations; round++) {
            bytes.set(pristine);
            // Some have attached while the header was whole.
            const early = random.below(8) === 0;
            const views = early ? [new strand.StrandView(sab)] : [];
            const writers = early ? [new strand.StrandWriter(sab)] : [];
            mutate();
            calm();
            try {
              const late =
                attempt(() => strand.readStrandHeader(sab)) && attempt(() => new strand.StrandView(sab));
              if (late) views.push(late);
              tally[late ? 'accepted' : 'refused']++;
              for (const view of views) use(view);
              for (const writer of writers) write(writer);
              if (late) {
                const writer = attempt(() => new strand.StrandWriter(sab));
                if (writer) write(writer);
                attempt(() => late.waitForCommitSync(0, 0));
                attempt(() => late.signalAbort('y'));
                read(late);
                attempt(() => writer?.close());
              }
              for (const each of [...views, ...writers]) attempt(() => each.close());
            } catch (error) {
              throw new Error(`seed ${data.seed}, round ${round}`, { cause: error });
            }
          }
          say(tally);
        },
        { seed: seed + half, mutations: MUTATIONS / 2, busy: BUSY_MUTATIONS },
      );
    for (const child of [mutateHalf(0), mutateHalf(1)]) {
      const [tally] = await child.done<Record<'accepted' | 'refused' | 'calls' | 'errors', number>>();
      console.info(`mutated headers: ${JSON.stringify(tally)}`);
      expect(tally?.accepted).toBeGreaterThan(MUTATIONS / 20);
      expect(tally?.refused).toBeGreaterThan(MUTATIONS / 20);
    }
  }, 900_000);
});
