import { describe, expect, test } from 'vitest';
import {
  buildSchema,
  heapStart,
  type SlotClaim,
  StrandCapacityError,
  StrandError,
} from '../../dist/index.js';
import { expectThrown, NUMBERED, numbered, numbersOf, open, openNumbered } from './support/strands.js';

const FIELDS = [
  { name: 'n', type: 'u32' },
  { name: 'maybe', type: 'i16', nullable: true },
  { name: 'text', type: 'utf8', nullable: true },
] as const;

const [, MAYBE, TEXT] = buildSchema(FIELDS).fields;
const N_OFFSET = buildSchema(FIELDS).fields[0].byteOffset;

/** Where the field is in the schema of the claims that hold one number. */
const NUMBER_OFFSET = buildSchema(NUMBERED).fields[0].byteOffset;

const OUT_OF_RANGE = { code: 'ERR_STRAND_OUT_OF_RANGE' };

function openClaims(indexCapacity = 4, heapCapacity = 64) {
  const ends = open(FIELDS, { indexCapacity, heapCapacity });
  const { record_stride, header_size } = ends.strand.map;
  const slots = new DataView(ends.strand.sab);
  const heap = new Uint8Array(
    ends.strand.sab,
    heapStart(indexCapacity, record_stride, header_size),
    heapCapacity,
  );
  /** Fills a slot, with a text whose bytes were claimed. */
  const fill = (slotOffset: number, n: number, text?: { offset: number; bytes: string }) => {
    slots.setUint32(slotOffset + N_OFFSET, n, true);
    if (text === undefined) return;
    heap.set(Buffer.from(text.bytes), text.offset);
    slots.setUint8(slotOffset, 1 << (TEXT.nullableBitIndex as number));
    slots.setUint32(slotOffset + TEXT.byteOffset, text.offset, true);
    slots.setUint16(slotOffset + TEXT.byteOffset + 4, Buffer.byteLength(text.bytes), true);
  };
  return { ...ends, slots, heap, fill };
}

describe('claimSlot()', () => {
  test('gives the next slot, by its offset in the memory', () => {
    const { strand, writer, view, cursor, fill } = openClaims(4);
    const { header_size, record_stride } = strand.map;
    for (let n = 0; n < 10; n++) {
      const claim = writer.claimSlot();
      expect(claim).toEqual({ seq: n, slotOffset: header_size + (n % 4) * record_stride });
      fill(claim.slotOffset, n + 100);
      expect(view.committedCount).toBe(n);
      expect(cursor.seek(n)).toBe(false);
      writer.commitSlot(claim.seq);
      expect(cursor.seek(n)).toBe(true);
      expect(cursor.getU32('n')).toBe(n + 100);
      view.acknowledgeRead(n + 1);
    }
  });

  test('clears the validity bitmap, and leaves the rest', () => {
    const { writer, view, cursor, slots } = openClaims(1);
    writer.write({ n: 5, maybe: 6, text: 'old' });
    view.acknowledgeRead(1);
    const { seq, slotOffset } = writer.claimSlot();
    expect(slots.getInt16(slotOffset + MAYBE.byteOffset, true)).toBe(6);
    writer.commitSlot(seq);
    cursor.seek(seq);
    expect(cursor.toObject()).toEqual({ n: 5, maybe: null, text: null });
  });

  test('may stand among records that are written', () => {
    const { writer, view, cursor } = openNumbered(8);
    const slots = new DataView(cursor.window.ring.buffer);
    writer.writeRecordBatch(numbered(0, 2));
    const { seq, slotOffset } = writer.claimSlot();
    slots.setUint32(slotOffset + NUMBER_OFFSET, 2, true);
    writer.commitSlot(seq);
    writer.write({ n: 3 });
    expect(numbersOf({ view, cursor })).toEqual([0, 1, 2, 3]);
  });
});

describe('claimSlots()', () => {
  test('gives a run of slots, also around the end of the ring', () => {
    const { strand, writer, view, cursor } = openNumbered(8);
    const slots = new DataView(strand.sab);
    let next = 0;
    for (const count of [3, 8, 1, 7, 8]) {
      const claims = writer.claimSlots(count);
      expect(claims.map(({ seq }) => seq)).toEqual(Array.from({ length: count }, (_, i) => next + i));
      for (const { seq, slotOffset } of claims) {
        expect(slotOffset).toBe(strand.map.header_size + (seq % 8) * strand.map.record_stride);
        slots.setUint32(slotOffset + NUMBER_OFFSET, seq, true);
      }
      expect(view.committedCount).toBe(next);
      writer.commitSlots(next, count);
      expect(numbersOf({ view, cursor }, next)).toEqual(claims.map(({ seq }) => seq));
      next += count;
      view.acknowledgeRead(next);
    }
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', 1n, undefined, null])(
    'refuses %s slots',
    (count) => {
      const { writer } = openNumbered();
      expectThrown(() => writer.claimSlots(count as number), RangeError, OUT_OF_RANGE);
    },
  );

  test.each([9, 2 ** 31, 2 ** 32 + 1, 2 ** 53 - 1])(
    'refuses what the ring will never hold: %d slots',
    (count) => {
      const { writer, view } = openNumbered(8);
      const error = expectThrown(() => writer.claimSlots(count), RangeError, OUT_OF_RANGE);
      expect(error.message).toMatch(/the ring has 8/);
      expect(writer.claimSlots(8)).toHaveLength(8);
      expect(view.committedCount).toBe(0);
    },
  );

  test("refuses what the writer's own claims stand in the way of, and never waits for itself", () => {
    const { writer, view } = openNumbered(8);
    writer.claimSlots(5);
    expectThrown(() => writer.claimSlots(4), RangeError, OUT_OF_RANGE);
    writer.claimSlots(3);
    expectThrown(() => writer.claimSlot(), RangeError, OUT_OF_RANGE);
    writer.commitSlots(0, 8);
    expect(view.committedCount).toBe(8);
    view.acknowledgeRead(8);
    expect(writer.claimSlot().seq).toBe(8);
  });
});

describe('commitSlots()', () => {
  const orders: Readonly<Record<string, [fromSeq: unknown, count: unknown]>> = {
    'a later claim': [1, 1],
    'what was never claimed': [3, 1],
    'what was committed before': [-1, 1],
    'more than was claimed': [0, 4],
    none: [0, 0],
    'less than none': [0, -1],
    'half a slot': [0, 0.5],
    'a fraction of a position': [0.5, 1],
    'no position': [Number.NaN, 1],
    'far more': [0, 2 ** 32 + 1],
    'far behind': [2 ** 32, 1],
    'a bigint': [0n, 1],
  };

  test.each(Object.keys(orders))('refuses a wrong order or count: %s', (name) => {
    const { writer, view } = openNumbered(8);
    const claims = writer.claimSlots(3);
    const [fromSeq, count] = orders[name] as [number, number];
    expectThrown(() => writer.commitSlots(fromSeq, count), RangeError, OUT_OF_RANGE);
    expect(view.committedCount).toBe(0);
    for (const { seq } of claims) writer.commitSlot(seq);
    expect(view.committedCount).toBe(3);
  });

  test('takes claims one by one, in runs of their own, and only once', () => {
    const { writer, view } = openNumbered(8);
    const [first] = writer.claimSlots(2) as [SlotClaim];
    writer.claimSlots(3);
    writer.commitSlots(first.seq, 3);
    expect(view.committedCount).toBe(3);
    expectThrown(() => writer.commitSlot(2), RangeError, OUT_OF_RANGE);
    expectThrown(() => writer.commitSlot(4), RangeError, OUT_OF_RANGE);
    writer.commitSlot(3);
    writer.commitSlot(4);
    expect(view.committedCount).toBe(5);
    expectThrown(() => writer.commitSlot(5), RangeError, OUT_OF_RANGE);
  });

  test('is refused without any claim', () => {
    const { writer } = openNumbered();
    expectThrown(() => writer.commitSlot(0), RangeError, OUT_OF_RANGE);
    expectThrown(() => writer.commitSlots(0, 1), RangeError, OUT_OF_RANGE);
  });
});

describe('open claims', () => {
  test.each<[string, (ends: ReturnType<typeof openClaims>) => unknown]>([
    ['slots', ({ writer }) => writer.claimSlots(2)],
    ['heap bytes', ({ writer }) => writer.claimHeapBytes(5)],
  ])('of %s keep out batches, records and the end', async (_, claim) => {
    const ends = openClaims(4);
    const { writer, view } = ends;
    claim(ends);
    const refused = {
      code: 'ERR_STRAND_CLAIMS_OPEN',
      message: expect.stringMatching(/call commitSlot\(s\) first/),
    };
    expectThrown(() => writer.write({ n: 1 }), StrandError, refused);
    expectThrown(() => writer.writeRecordBatch([{ n: 1 }]), StrandError, refused);
    expectThrown(() => writer.tryWriteRecordBatch([{ n: 1 }]), StrandError, refused);
    expectThrown(() => writer.finalize(), StrandError, refused);
    await expect(writer.writeRecordBatchAsync([{ n: 1 }])).rejects.toMatchObject(refused);
    expect(view.committedCount).toBe(0);
    // They are as good as before.
    const { seq } = writer.claimSlot();
    writer.commitSlots(0, seq + 1);
    writer.write({ n: 9 });
    writer.finalize();
    expect(view.committedCount).toBe(seq + 2);
  });

  test('are dropped by reset()', () => {
    const { writer, view } = openClaims(4);
    writer.claimSlots(3);
    writer.claimHeapBytes(60);
    writer.reset();
    expect(writer.claimSlots(4)[0]?.seq).toBe(0);
    writer.claimHeapBytes(64);
    writer.commitSlots(0, 4);
    expect(view.committedCount).toBe(4);
  });
});

describe('claimHeapBytes()', () => {
  test('gives heap for a payload, which is published with the next slot', () => {
    const { writer, view, cursor, fill } = openClaims(4, 64);
    for (let n = 0; n < 40; n++) {
      const bytes = `payload ${n}`;
      const { physOffset, monoOffset } = writer.claimHeapBytes(bytes.length);
      expect(monoOffset).toBe(physOffset);
      expect(physOffset + bytes.length).toBeLessThanOrEqual(64);
      const { seq, slotOffset } = writer.claimSlot();
      fill(slotOffset, n, { offset: monoOffset, bytes });
      writer.commitHeap();
      writer.commitSlot(seq);
      cursor.seek(seq);
      expect(cursor.toObject()).toEqual({ n, maybe: null, text: bytes });
      if (n % 3 === 2) view.acknowledgeRead(seq + 1);
    }
  });

  test('may come before or behind the claim of the slot, and twice for one', () => {
    const { writer, cursor, heap, fill } = openClaims(4, 64);
    const { seq, slotOffset } = writer.claimSlot();
    const first = writer.claimHeapBytes(5);
    const second = writer.claimHeapBytes(6);
    expect(second.physOffset).toBeGreaterThanOrEqual(first.physOffset + 5);
    heap.fill(1, first.physOffset, first.physOffset + 5);
    fill(slotOffset, 1, { offset: second.physOffset, bytes: 'second' });
    writer.commitHeap();
    writer.commitSlot(seq);
    cursor.seek(0);
    expect(cursor.getString('text')).toBe('second');
    expect([...heap.subarray(first.physOffset, first.physOffset + 5)]).toEqual([1, 1, 1, 1, 1]);
  });

  test('gives what it has claimed back only with the slot that took it', () => {
    const { writer, view } = openClaims(4, 64);
    writer.claimHeapBytes(40);
    const [first, second] = writer.claimSlots(2) as [SlotClaim, SlotClaim];
    writer.commitSlot(first.seq);
    writer.commitSlot(second.seq);
    expect(writer.tryWriteRecordBatch([{ text: 'x'.repeat(30) }])).toBe(0);
    view.acknowledgeRead(1);
    expect(writer.tryWriteRecordBatch([{ text: 'x'.repeat(30) }])).toBe(1);
  });

  test.each([1, 2, 4, 8])('aligns the address in the memory to %d', (alignment) => {
    // With 1 slot of 20 bytes the heap itself starts at a multiple of 4 only.
    for (const indexCapacity of [1, 8]) {
      const { strand, writer, view } = openClaims(indexCapacity, 128);
      const start = heapStart(indexCapacity, strand.map.record_stride, strand.map.header_size);
      for (let n = 0; n < 60; n++) {
        const bytes = 1 + (n % 11);
        const { physOffset } = writer.claimHeapBytes(bytes, alignment);
        expect((start + physOffset) % alignment).toBe(0);
        expect(physOffset + bytes).toBeLessThanOrEqual(128);
        writer.commitSlot(writer.claimSlot().seq);
        view.acknowledgeRead(n + 1);
      }
    }
  });

  test.each([0, 3, 5, 16, -1, 1.5, '4', null, 4n])('refuses an alignment of %s', (alignment) => {
    const { writer } = openClaims();
    expectThrown(() => writer.claimHeapBytes(4, alignment as number), RangeError, OUT_OF_RANGE);
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '4', null, 4n, undefined])(
    'refuses %s bytes',
    (bytes) => {
      const { writer } = openClaims();
      expectThrown(() => writer.claimHeapBytes(bytes as number), RangeError, OUT_OF_RANGE);
    },
  );

  test('takes nothing', () => {
    const { writer, view } = openClaims();
    const { physOffset } = writer.claimHeapBytes(0);
    expect(physOffset).toBeLessThanOrEqual(64);
    writer.commitSlot(writer.claimSlot().seq);
    expect(view.committedCount).toBe(1);
  });

  test('gives all of the heap, from any position, where nothing is unread', () => {
    for (let before = 0; before <= 64; before++) {
      const { writer, view } = openClaims(4, 64);
      writer.write({ text: 'x'.repeat(before) });
      view.acknowledgeRead(1);
      expect(writer.claimHeapBytes(64)).toEqual({ physOffset: 0, monoOffset: 0 });
    }
  });

  test.each([65, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1])(
    'refuses more than the heap holds: %d',
    (bytes) => {
      const { writer, view } = openClaims(4, 64);
      const details = {
        code: 'ERR_STRAND_CAPACITY',
        message: expect.stringMatching(/heap holds 64.*larger heap/),
      };
      expectThrown(() => writer.claimHeapBytes(bytes), StrandCapacityError, details);
      writer.write({ n: 1 });
      expect(view.committedCount).toBe(1);
    },
  );

  test('refuses more than the heap holds together with what is claimed, and never waits for itself', () => {
    const { writer } = openClaims(4, 64);
    writer.claimHeapBytes(40);
    expectThrown(() => writer.claimHeapBytes(25), StrandCapacityError, { code: 'ERR_STRAND_CAPACITY' });
    writer.claimHeapBytes(24);
    expectThrown(() => writer.claimHeapBytes(1), StrandCapacityError);
    writer.commitSlot(writer.claimSlot().seq);
  });

  test('counts what alignment takes', () => {
    const { writer } = openClaims(8, 64);
    writer.claimHeapBytes(1);
    writer.claimHeapBytes(49, 8);
    expectThrown(() => writer.claimHeapBytes(8, 8), StrandCapacityError);
    writer.claimHeapBytes(7);
  });

  test('is refused where there is no heap', () => {
    const { writer } = openNumbered();
    expectThrown(() => writer.claimHeapBytes(1), StrandCapacityError);
  });
});

describe('commitHeap()', () => {
  test('comes before the commitSlot() that publishes the bytes', () => {
    const { writer, view } = openClaims(4, 64);
    writer.claimHeapBytes(10);
    writer.commitSlot(writer.claimSlot().seq);
    const error = expectThrown(() => writer.commitHeap(), RangeError, OUT_OF_RANGE);
    expect(error.message).toMatch(/before the commitSlot\(\)/);
    writer.claimHeapBytes(10);
    writer.commitHeap();
    writer.commitSlot(writer.claimSlot().seq);
    expect(view.committedCount).toBe(2);
  });

  test('does nothing else: it may be left out, called twice, or for nothing', () => {
    const { writer, view } = openClaims(4, 64);
    writer.commitHeap();
    writer.claimHeapBytes(10);
    writer.commitHeap();
    writer.commitHeap();
    expect(view.committedCount).toBe(0);
    writer.commitSlot(writer.claimSlot().seq);
    expect(view.committedCount).toBe(1);
  });
});
