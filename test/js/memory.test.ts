import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

/** Runs a program in a process of its own, where nobody else allocates. → what it printed, as JSON */
async function run(body: string): Promise<unknown> {
  const index = new URL('../../dist/index.js', import.meta.url).href;
  const code = `
    import { createStrand, StrandView, StrandWriter } from ${JSON.stringify(index)};
    const used = () => { gc(); gc(); return process.memoryUsage().heapUsed; };
    ${body}`;
  const flags = ['--expose-gc', '--input-type=module', '--eval', code];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  return JSON.parse(stdout);
}

describe('100,000 seeks and reads of scalars', () => {
  /** Bytes that are nothing for 100,000 reads. Measuring takes some of its own. */
  const NOTHING = 10_000;

  /** Least growth of the heap in a turn of `reads`, the body of a loop over records of the given fields. */
  const growthOf = (types: string, record: string, reads: string) =>
    run(`
      const fields = ${types}.flatMap((type) => [{ name: type, type }, { name: type + '?', type, nullable: true }]);
      const count = 100_000;
      const strand = createStrand(fields, { indexCapacity: 131_072, internTable: ['zero', 'one'] });
      const writer = new StrandWriter(strand);
      const view = new StrandView(strand);
      writer.writeRecordBatch(Array.from({ length: count }, (_, i) => (${record})));
      view.waitForCommitSync(0);
      const cursor = view.allocateCursor();
      const { row } = cursor;
      // A local sum of doubles would be boxed by some engines; what is counted are the reads.
      const sum = new Float64Array(1);
      const turn = () => {
        for (let seq = 0; seq < count; seq++) {
          cursor.seek(seq);
          ${reads}
        }
        if (!(sum[0] > 0)) throw new Error('the values are wrong');
      };
      // Until the engine has compiled, at its leisure, turns allocate; what the reads themselves allocate shows in all.
      let least = Infinity;
      for (let i = 0; i < 1000 && least >= ${NOTHING}; i++) {
        if (i % 10 === 0) gc();
        const before = process.memoryUsage().heapUsed;
        turn();
        const growth = process.memoryUsage().heapUsed - before;
        if (growth >= 0) least = Math.min(least, growth);
      }
      console.log(least);`);

  test.each([
    [
      'integers, booleans and references',
      "['u8', 'u16', 'u32', 'i8', 'i16', 'i32', 'bool8', 'utf8_ref']",
      "{ u8: 10, u16: 2, u32: i, 'i8?': -3, i16: 4, i32: -i, 'i32?': i, utf8_ref: 1 }",
      `let some = cursor.getU8('u8') + cursor.getU16('u16') + cursor.getI8('i8?') + cursor.getI16('i16');
       some += (cursor.getU32('u32') + cursor.getI32('i32')) | 0;
       some += (row.u32 - row['i32?']) | 0;
       if (cursor.getBool('bool8') || cursor.getRef('utf8_ref') !== 'one' || cursor.getU32('u32?') !== null) some = 1;
       sum[0] += some;`,
    ],
    [
      'floating point by accessors',
      "['u32', 'f32', 'f64']",
      '{ u32: i, f32: i / 3, f64: i / 7 }',
      "sum[0] += cursor.getU32('u32') + cursor.getF32('f32') + cursor.getF64('f64');",
    ],
    [
      'floating point by properties',
      "['u32', 'f32', 'f64']",
      '{ u32: i, f32: i / 3, f64: i / 7 }',
      'sum[0] += row.u32 + row.f32 + row.f64;',
    ],
  ])('allocate nothing: %s', async (_, types, record, reads) => {
    expect(await growthOf(types, record, reads)).toBeLessThan(NOTHING);
  });
});

describe('a string that is kept', () => {
  const KEPT = 200;
  /** What a kept string may hold besides itself: the stretch that it was cut off. */
  const FEW_KILOBYTES = 10_000;

  test.each([
    ['ASCII', 'x'],
    ['other text', 'é'],
  ])('keeps no more than a few kilobytes alive, of %s', async (_, unit) => {
    const growth = await run(`
      const strand = createStrand([{ name: 'text', type: 'utf8' }], { indexCapacity: 65_536, heapCapacity: 8 << 20 });
      const writer = new StrandWriter(strand);
      const text = ${JSON.stringify(unit)}.repeat(40);
      writer.writeRecordBatch(Array.from({ length: 60_000 }, (_, i) => ({ text: text + i })));
      const view = new StrandView(strand);
      view.waitForCommitSync(0);
      const cursor = view.allocateCursor();
      const read = (kept) => {
        for (let seq = 0; seq < 60_000; seq++) {
          cursor.seek(seq);
          const text = cursor.getString('text');
          if (seq % 300 === 0) kept.push(text);
        }
      };
      read([]);
      const kept = [];
      const before = used();
      read(kept);
      const after = used();
      if (kept.length !== ${KEPT}) throw new Error('other strings were kept');
      console.log(after - before);`);
    expect(Number(growth) / KEPT).toBeLessThan(FEW_KILOBYTES);
  });

  test('keeps neither its view nor its strand alive', async () => {
    const [growth, memory] = (await run(`
      const kept = [];
      const one = (i) => {
        const strand = createStrand([{ name: 'text', type: 'utf8' }], { indexCapacity: 1024, heapCapacity: 1 << 18 });
        const writer = new StrandWriter(strand);
        writer.writeRecordBatch(Array.from({ length: 1000 }, (_, n) => ({ text: 'a text of some length ' + i + ' ' + n })));
        const view = new StrandView(strand);
        view.waitForCommitSync(0);
        const cursor = view.allocateCursor();
        for (let seq = 0; seq < 1000; seq++) {
          cursor.seek(seq);
          const text = cursor.getString('text');
          if (seq === 500) kept.push(text);
        }
      };
      const external = () => process.memoryUsage().arrayBuffers;
      one(0);
      await new Promise(setImmediate);
      const before = [used(), external()];
      for (let i = 0; i < ${KEPT}; i++) {
        one(i);
        // Finalizers have a turn of their own.
        if (i % 10 === 0) { gc(); await new Promise(setImmediate); }
      }
      gc();
      await new Promise(setImmediate);
      console.log(JSON.stringify([used() - before[0], external() - before[1]]));`)) as [number, number];
    expect(growth / KEPT).toBeLessThan(FEW_KILOBYTES);
    // A strand is 280 KB.
    expect(memory / KEPT).toBeLessThan(28_000);
  });
});

describe('cursors that were dropped', () => {
  test('leave nothing behind in their view', async () => {
    const growth = await run(`
      const strand = createStrand([{ name: 'n', type: 'u32' }], { indexCapacity: 16 });
      const view = new StrandView(strand);
      const round = async () => {
        for (let i = 0; i < 20_000; i++) view.allocateCursor();
        // Weak references hold on to the end of the turn.
        await new Promise(setImmediate);
        gc();
      };
      for (let i = 0; i < 3; i++) await round();
      const before = used();
      for (let i = 0; i < 10; i++) await round();
      console.log(used() - before);`);
    expect(Number(growth)).toBeLessThan(2_000_000);
  });
});
