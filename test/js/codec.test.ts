import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mayGenerate } from '../../dist/codec/generate.js';
import type { RecordPlan } from '../../dist/codec/plan.js';
import {
  buildSchema,
  computeStrandMap,
  createStrand,
  type FieldDescriptor,
  type RecordCursor,
  StrandCapacityError,
  StrandView,
  StrandWriter,
} from '../../dist/index.js';
import {
  type ExampleRecord,
  exampleFields,
  exampleRecord,
  FIELD_TYPES,
  HOSTILE_NAMES,
  heapNeed,
  INTERN_TABLE,
  plain,
  plainRecord,
} from './support/records.js';
import { expectThrown, open } from './support/strands.js';

const MEGABYTE = 1024 * 1024;

/** Accessor of each type, written down once more. */
const ACCESSORS = {
  u8: 'getU8',
  u16: 'getU16',
  u32: 'getU32',
  u64: 'getU64',
  i8: 'getI8',
  i16: 'getI16',
  i32: 'getI32',
  i64: 'getI64',
  f32: 'getF32',
  f64: 'getF64',
  bool8: 'getBool',
  utf8_ref: 'getRef',
  utf8: 'getString',
  large_utf8: 'getString',
  json: 'getJson',
  large_json: 'getJson',
  bytes: 'getBytes',
  large_bytes: 'getBytes',
  fixed_bytes: 'getBytes',
  i32_array: 'getI32Array',
  u32_array: 'getU32Array',
  f32_array: 'getF32Array',
  f64_array: 'getF64Array',
  i64_array: 'getI64Array',
} as const;

type LooseCursor = RecordCursor & Record<string, (name: string) => unknown>;

/** Every way to read one field. */
const WAYS: readonly ((cursor: LooseCursor, field: FieldDescriptor) => unknown)[] = [
  (cursor, { name }) => cursor.get(name),
  (cursor, { name, type }) => cursor[ACCESSORS[type]]?.(name),
  (cursor, { name }) => (cursor.row as Record<string, unknown>)[name],
];

function expectRecord(
  cursor: RecordCursor,
  fields: readonly FieldDescriptor[],
  expected: Record<string, unknown>,
) {
  const values = plainRecord(expected);
  // expect() for each value would take most of the suite's time.
  const object = plainRecord(cursor.toObject());
  if (!isDeepStrictEqual(object, values)) expect(object).toStrictEqual(values);
  for (const field of fields) {
    const value = values.get(field.name);
    WAYS.forEach((read, way) => {
      const found = plain(read(cursor as LooseCursor, field));
      if (!isDeepStrictEqual(found, value))
        expect(found, `field ${field.name}, way ${way}`).toStrictEqual(value);
    });
  }
}

interface Stream {
  readonly fields: readonly FieldDescriptor[];
  readonly records: readonly ExampleRecord[];
  readonly batches: readonly number[];
  readonly indexCapacity: number;
  /** Bytes of heap beyond what the largest record needs. */
  readonly spare: number;
}

const streams: fc.Arbitrary<Stream> = exampleFields.chain((fields) =>
  fc.record({
    fields: fc.constant(fields),
    records: fc.array(exampleRecord(fields), { minLength: 1, maxLength: 40 }),
    batches: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 10 }),
    indexCapacity: fc.constantFrom(1, 2, 4, 16),
    spare: fc.oneof(fc.constantFrom(0, 1, 7), fc.integer({ min: 0, max: 2000 })),
  }),
);

/** A strand whose heap just holds the stream's largest record, and `spare` bytes. */
function strandFor({ fields, records, indexCapacity, spare }: Stream) {
  const schema = buildSchema(fields);
  const meta = { internTable: INTERN_TABLE };
  const options = { schema, index_capacity: indexCapacity, meta_capacity: 200 };
  const map = computeStrandMap({ ...options, heap_capacity: MEGABYTE });
  const largest = Math.max(...records.map(({ written }) => heapNeed(fields, map, written)));
  return createStrand(schema, { indexCapacity, heapCapacity: Math.max(1, largest + spare), meta });
}

function* inBatches({ records, batches }: Stream): Generator<readonly ExampleRecord[]> {
  for (let from = 0, i = 0; from < records.length; i++) {
    const size = batches[i % batches.length] as number;
    yield records.slice(from, from + size);
    from += size;
  }
}

const written = (records: readonly ExampleRecord[]) => records.map((record) => record.written);

describe('the codec', () => {
  const forbidden = process.execArgv.includes('--disallow-code-generation-from-strings');

  test(`is ${forbidden ? 'made of closures, where no code may be' : 'code that is'} generated`, () => {
    expect(mayGenerate({ fields: [] } as unknown as RecordPlan)).toBe(!forbidden);
    const { cursor } = open([{ name: 'only here', type: 'u8' }]);
    expect(cursor.toObject.toString().includes('only here')).toBe(!forbidden);
  });

  test('gives back records of any size that were written one by one, arrays among texts', () => {
    const fields = [
      { name: 'before', type: 'large_utf8' },
      { name: 'first', type: 'f64_array', nullable: true },
      { name: 'between', type: 'large_json' },
      { name: 'second', type: 'large_bytes' },
      { name: 'third', type: 'i32_array', nullable: true },
      { name: 'behind', type: 'large_utf8' },
    ] as const;
    // What one record's private memory holds is 16 KiB.
    const size = fc.oneof(fc.nat(20), fc.integer({ min: 16_340, max: 16_400 }), fc.nat(40_000));
    const text = fc
      .tuple(size, fc.constantFrom('x', 'é', '€'))
      .map(([length, character]) => character.repeat(length / Buffer.byteLength(character)));
    const memory = fc.constantFrom(ArrayBuffer, SharedArrayBuffer);
    const array = <T extends ArrayBufferView>(
      Class: { new (buffer: ArrayBufferLike, byteOffset: number, length: number): T },
      width: number,
    ) =>
      fc.tuple(size, memory, fc.nat(255)).map(([bytes, Memory, ink]) => {
        const length = Math.floor(Math.min(bytes, 60_000) / width);
        const buffer = new Memory((length + 2) * width);
        new Uint8Array(buffer).fill(ink & 0x3f);
        return new Class(buffer, width, length);
      });
    const record = fc.record({
      before: text,
      first: fc.option(array(Float64Array, 8)),
      between: text,
      second: array(Uint8Array, 1),
      third: fc.option(array(Int32Array, 4)),
      behind: text,
    });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 6 }), fc.nat(20), (records, spare) => {
        const { writer, view, cursor } = open(fields, { indexCapacity: 4, heapCapacity: 250_000 + spare });
        let seq = 0;
        for (const written of records) {
          writer.write(written as never);
          expect(cursor.seek(seq)).toBe(true);
          const { first, second, third, ...texts } = cursor.toObject();
          expect(texts).toStrictEqual({
            before: written.before,
            between: written.between,
            behind: written.behind,
          });
          for (const [read, given] of [
            [first, written.first],
            [second, written.second],
            [third, written.third],
          ]) {
            expect(read === null ? null : plain(read)).toStrictEqual(given === null ? null : plain(given));
          }
          view.acknowledgeRead(++seq);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('gives back an array whose alignment leads past what private memory holds', () => {
    const fields = [
      { name: 'text', type: 'utf8' },
      { name: 'numbers', type: 'f64_array' },
      { name: 'n', type: 'u32' },
    ] as const;
    for (let length = 16_370; length <= 16_400; length++) {
      const { strand, writer, cursor } = open(fields, { indexCapacity: 1, heapCapacity: 20_000 });
      expect(strand.map.record_stride % 8).toBe(4);
      const numbers = Float64Array.of(length, 2, 3);
      writer.write({ text: 'x'.repeat(length), numbers });
      cursor.seek(0);
      expect(plain(cursor.getF64Array('numbers'))).toStrictEqual(plain(numbers));
      expect(cursor.getString('text')).toHaveLength(length);
    }
  });

  test('refuses an array that the heap cannot hold with what else its record has, and writes on', () => {
    const { writer, view, cursor } = open(
      [
        { name: 'text', type: 'utf8' },
        { name: 'bytes', type: 'large_bytes' },
        { name: 'short', type: 'bytes' },
      ],
      { heapCapacity: 100_000 },
    );
    const refused = (record: object, details: object) => {
      expectThrown(() => writer.write(record as never), StrandCapacityError, details);
      expect(view.committedCount).toBe(0);
    };
    refused({ text: 'a', bytes: new Uint8Array(100_000) }, { field: 'bytes', record: 0 });
    refused({ bytes: new Uint8Array(100_000), short: new Uint8Array(1) }, { field: 'short', record: 0 });
    refused({ short: new Uint8Array(65_536) }, { field: 'short', record: 0 });
    // Nothing is left of the array that was to be copied.
    writer.write({ text: 'b', bytes: Uint8Array.of(1, 2) });
    expect(cursor.seek(0)).toBe(true);
    expect(plain(cursor.getBytes('bytes'))).toStrictEqual(plain(Uint8Array.of(1, 2)));
    writer.write({ text: 'c' });
    expect(cursor.seek(1)).toBe(true);
    expect(cursor.getBytes('bytes')).toBe(null);
    view.acknowledgeRead(2);
    writer.write({ text: 'a', bytes: new Uint8Array(99_999).fill(3) });
    expect(cursor.seek(2)).toBe(true);
    expect(plain(cursor.getBytes('bytes'))).toStrictEqual(plain(new Uint8Array(99_999).fill(3)));
  });

  test('gives back what was written, in any schema, batch size, ring and heap', () => {
    fc.assert(
      fc.property(streams, (stream) => {
        const strand = strandFor(stream);
        using writer = new StrandWriter(strand);
        using view = new StrandView(strand);
        const cursor = view.allocateCursor();
        let seq = 0;
        const drain = () => {
          for (; seq < view.committedCount; seq++) {
            expect(cursor.seek(seq)).toBe(true);
            expectRecord(cursor, stream.fields, stream.records[seq]?.read ?? {});
          }
          view.acknowledgeRead(seq);
        };
        for (const batch of inBatches(stream)) {
          for (let done = 0; done < batch.length; ) {
            const more = writer.tryWriteRecordBatch(written(batch.slice(done)));
            // An empty ring and an empty heap have room for any of these records.
            if (view.effectiveReadCursor === view.committedCount - more) expect(more).toBeGreaterThan(0);
            done += more;
            drain();
          }
        }
        expect(seq).toBe(stream.records.length);
      }),
    );
  });

  test('gives back what was written by asynchronous batches while a loop drains', async () => {
    await fc.assert(
      fc.asyncProperty(streams, async (stream) => {
        const strand = strandFor(stream);
        using writer = new StrandWriter(strand);
        using view = new StrandView(strand);
        writer.begin();
        const produce = async () => {
          for (const batch of inBatches(stream)) await writer.writeRecordBatchAsync(written(batch));
          writer.finalize();
        };
        const consume = async () => {
          let seq = 0;
          for await (const batch of view) {
            for (const cursor of batch)
              expectRecord(cursor, stream.fields, stream.records[seq++]?.read ?? {});
          }
          return seq;
        };
        const [, count] = await Promise.all([produce(), consume()]);
        expect(count).toBe(stream.records.length);
      }),
      { numRuns: 60 },
    );
  });

  test('gives back what was written one by one, also behind the gate', () => {
    fc.assert(
      fc.property(streams, fc.infiniteStream(fc.nat()), (stream, choice) => {
        const strand = strandFor(stream);
        using writer = new StrandWriter(strand);
        using view = new StrandView(strand);
        const cursor = view.allocateCursor();
        stream.records.forEach(({ written, read }, seq) => {
          writer.write(written);
          cursor.seek(seq);
          expectRecord(cursor, stream.fields, read);
          view.acknowledgeRead(seq + 1);
          const older = (choice.next().value as number) % (seq + 1);
          try {
            cursor.seek(older);
          } catch (error) {
            // Nothing was written since the latest record: it is there.
            expect(older).toBeLessThan(seq);
            expect(error).toMatchObject({ name: 'RangeError', code: 'ERR_STRAND_OUT_OF_RANGE' });
            return;
          }
          expect(cursor.seq).toBe(older);
          expectRecord(cursor, stream.fields, stream.records[older]?.read ?? {});
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe('field names', () => {
  const record = (value: (index: number) => unknown): object =>
    Object.defineProperties(
      {},
      Object.fromEntries(HOSTILE_NAMES.map((name, i) => [name, { value: value(i), enumerable: true }])),
    );
  // A literal's __proto__ is no field, and an object's is no value: defined properties are both.
  const fieldsOf = (type: 'u32' | 'utf8', nullable: boolean) =>
    HOSTILE_NAMES.map((name) => ({ name, type, nullable }));

  test.each([true, false])('may mean anything to JavaScript (nullable: %s)', (nullable) => {
    for (const type of ['u32', 'utf8'] as const) {
      const { writer, cursor } = open(fieldsOf(type, nullable), { heapCapacity: 4096 });
      const value = (i: number) => (type === 'u32' ? i + 1 : `text ${i}`);
      writer.write(record(value));
      cursor.seek(0);
      HOSTILE_NAMES.forEach((name, i) => {
        for (const read of WAYS) expect(read(cursor as LooseCursor, { name, type })).toBe(value(i));
      });
      expect(Object.keys(cursor.toObject()).toSorted()).toEqual(HOSTILE_NAMES.toSorted());
      expect(Object.getPrototypeOf(cursor.toObject())).toBe(Object.prototype);
    }
  });

  test('that every object has are read only where the record has its own', () => {
    const { writer, cursor } = open(fieldsOf('utf8', true), { heapCapacity: 4096 });
    writer.write({});
    writer.write(new (class Named {})());
    writer.write(Object.create(null));
    for (const seq of [0, 1, 2]) {
      cursor.seek(seq);
      for (const name of HOSTILE_NAMES) expect(cursor.get(name as never)).toBeNull();
    }
  });

  test('that look like numbers keep their places', () => {
    const { writer, cursor } = open([
      { name: 'b', type: 'u8' },
      { name: '1', type: 'u8' },
      { name: '0', type: 'u8' },
    ]);
    writer.write({ 0: 10, 1: 11, b: 12 });
    cursor.seek(0);
    expect([cursor.getU8('b'), cursor.getU8('1'), cursor.getU8('0')]).toEqual([12, 11, 10]);
  });
});

describe('a schema of hundreds of fields', () => {
  const fields = Array.from({ length: 600 }, (_, i) => ({
    name: `field ${i}`,
    type: FIELD_TYPES.filter((type) => type !== 'fixed_bytes')[i % (FIELD_TYPES.length - 1)] as 'u8',
    nullable: i % 3 === 0,
  }));

  test('is written and read like any other', () => {
    fc.assert(
      fc.property(exampleRecord(fields), ({ written, read }) => {
        const strand = createStrand(fields, {
          indexCapacity: 2,
          heapCapacity: MEGABYTE,
          internTable: INTERN_TABLE,
        });
        using writer = new StrandWriter(strand);
        using view = new StrandView(strand);
        const cursor = view.allocateCursor();
        writer.write(written);
        writer.writeRecordBatch([written]);
        for (const seq of [0, 1]) {
          cursor.seek(seq);
          expectRecord(cursor, fields, read);
        }
      }),
      { numRuns: 5 },
    );
  });
});

describe('what no producer of ours writes', () => {
  const fields = FIELD_TYPES.flatMap((type): FieldDescriptor[] => {
    const length = type === 'fixed_bytes' ? { length: 5 } : {};
    return [
      { name: `${type}`, type, ...length },
      { name: `${type} or null`, type, nullable: true, ...length },
    ];
  });
  const kinds: Readonly<Record<string, (value: unknown) => boolean>> = {
    getBool: (v) => typeof v === 'boolean',
    getString: (v) => typeof v === 'string' && Buffer.from(v).toString() === v,
    getRef: (v) => v === null || INTERN_TABLE.includes(v as string),
    getJson: () => true,
    getU64: (v) => typeof v === 'bigint',
    getI64: (v) => typeof v === 'bigint',
  };

  test('reads as values of the right type, never from outside the heap', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.oneof(fc.nat(255), fc.constantFrom(0, 255, 1))), (bytes) => {
        const { strand, writer, view, cursor } = open(fields, {
          indexCapacity: 2,
          heapCapacity: 256,
          internTable: INTERN_TABLE,
        });
        writer.write({});
        const memory = new Uint8Array(strand.sab);
        const { header_size, record_stride, index_capacity, heap_capacity } = strand.map;
        const heapAt = header_size + index_capacity * record_stride;
        for (let i = header_size; i < heapAt + heap_capacity; i++) memory[i] = bytes.next().value as number;
        const check = () => {
          for (const { name, type, nullable } of fields) {
            const value = (cursor as unknown as LooseCursor)[ACCESSORS[type]]?.(name);
            if (value === null && (nullable || type.endsWith('_array') || type.endsWith('bytes'))) continue;
            if (ArrayBuffer.isView(value)) {
              if (value.buffer !== strand.sab || type === 'fixed_bytes') continue;
              expect(value.byteOffset).toBeGreaterThanOrEqual(heapAt);
              expect(value.byteOffset + value.byteLength).toBeLessThanOrEqual(heapAt + heap_capacity);
            } else {
              const isRight = kinds[ACCESSORS[type]] ?? ((v: unknown) => typeof v === 'number');
              if (!isRight(value)) expect.fail(`${name} read ${String(value)}`);
            }
          }
          expect(Object.keys(cursor.toObject())).toHaveLength(fields.length);
        };
        expect(cursor.seek(0)).toBe(true);
        check();
        view.acknowledgeRead(1);
        try {
          cursor.seek(0);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          return;
        }
        check();
      }),
    );
  });
});
