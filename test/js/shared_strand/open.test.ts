import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  buildSchema,
  initStrandHeader,
  readStrandHeader,
  StrandView,
  StrandWriter,
} from '../../../dist/index.js';
import { openSharedStrand, type SharedStrand } from '../../../dist/log.js';
import { createReadStream, createWriteStream } from '../../../dist/streams.js';
import { freshFolder, freshPath, thrownBy } from '../support/logs.js';
import { type NumberedSchema, numbered } from '../support/numbered.mjs';

const schema = numbered.fields;
const small = { schema, indexCapacity: 64, heapCapacity: 8192 };

function fresh(): SharedStrand<NumberedSchema> {
  return openSharedStrand(freshPath('strand'), small);
}

describe('openSharedStrand', () => {
  test('makes a file of exactly the size of its strand, and is plain data', () => {
    const file = freshPath('strand');
    const strand = openSharedStrand(file, { ...small, meta: { made: 'here' }, estimatedRecords: 7 });
    expect(strand).toStrictEqual(JSON.parse(JSON.stringify(strand)));
    expect(structuredClone(strand)).toStrictEqual(strand);
    expect(strand.path).toBe(file);
    expect(statSync(file).size).toBe(strand.map.total_bytes);
    expect(strand.map).toMatchObject({
      index_capacity: 64,
      heap_capacity: 8192,
      estimated_records: 7,
      meta: { made: 'here' },
      schema: buildSchema(schema),
    });
    expect(readStrandHeader(strand)).toStrictEqual(strand.map);
  });

  test('finds a strand that is there, which keeps its capacities and its meta', () => {
    const first = fresh();
    expect(openSharedStrand(first.path)).toStrictEqual(first);
    const other = openSharedStrand(pathToFileURL(first.path), {
      schema: buildSchema(schema),
      indexCapacity: 128,
      meta: { made: 'later' },
    });
    expect(other).toStrictEqual(first);
  });

  test('takes a path from the working directory, and follows a symbolic link', () => {
    const file = path.relative(process.cwd(), freshPath('strand'));
    const { path: absolute } = openSharedStrand(file, small);
    expect(absolute).toBe(path.resolve(file));
    const link = freshPath('link');
    symlinkSync(absolute, link);
    const writer = new StrandWriter(openSharedStrand(link));
    writer.begin();
    writer.writeRecordBatch(numbered.records(0, 3));
    expect(new StrandView(openSharedStrand(absolute)).committedCount).toBe(3);
    writer.close();
  });

  const wrongOptions: [string, () => unknown, object][] = [
    ['no path', () => openSharedStrand('', small), { code: 'ERR_STRAND_INVALID_ARGUMENT' }],
    ['a number as path', () => openSharedStrand(7 as never, small), { name: 'TypeError' }],
    ['a zero byte in the path', () => openSharedStrand('a\0b', small), { code: 'ERR_STRAND_FILE' }],
    [
      'an unknown option',
      () => openSharedStrand(freshPath(), { ...small, capacity: 3 } as never),
      { message: /'capacity'/ },
    ],
    [
      'a text as schema',
      () => openSharedStrand(freshPath(), { schema: 'u8' } as never),
      { message: /schema/ },
    ],
    [
      'capacities without a schema',
      () => openSharedStrand(freshPath(), { indexCapacity: 4 }),
      { message: /schema/ },
    ],
    [
      'a capacity that is no power of two',
      () => openSharedStrand(freshPath(), { ...small, indexCapacity: 3 }),
      { code: 'ERR_STRAND_HEADER' },
    ],
    ['no file and no schema', () => openSharedStrand(freshPath()), { code: 'ERR_STRAND_FILE' }],
    ['a missing folder', () => openSharedStrand(`${freshPath()}/x`, small), { code: 'ERR_STRAND_FILE' }],
  ];
  test.each(wrongOptions)('refuses %s', (_, call, error) => {
    const expected = Object.entries(error).map(([key, value]) => [
      key,
      value instanceof RegExp ? expect.stringMatching(value) : value,
    ]);
    expect(thrownBy(call)).toMatchObject(Object.fromEntries(expected));
  });

  test('leaves alone what holds something else', () => {
    const folder = freshFolder();
    const file = path.join(folder, 'text');
    writeFileSync(file, 'a shopping list\n'.repeat(1000));
    const before = readFileSync(file);
    for (const options of [small, undefined]) {
      expect(thrownBy(() => openSharedStrand(file, options))).toMatchObject({
        code: 'ERR_STRAND_HEADER',
        message: expect.stringContaining(file),
      });
      mkdirSync(path.join(folder, 'directory'), { recursive: true });
      expect(thrownBy(() => openSharedStrand(path.join(folder, 'directory'), options))).toHaveProperty(
        'code',
      );
    }
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('refuses a strand of another schema, and changes nothing', () => {
    const strand = fresh();
    const before = readFileSync(strand.path);
    const error = thrownBy(() => openSharedStrand(strand.path, { schema: [{ name: 'n', type: 'u8' }] }));
    expect(error).toMatchObject({ code: 'ERR_STRAND_HEADER', field: 'n' });
    expect(readFileSync(strand.path).equals(before)).toBe(true);
  });

  test('is held to its schema, also when another file has taken its path', () => {
    const strand = fresh();
    rmSync(strand.path);
    openSharedStrand(strand.path, { schema: [{ name: 'other', type: 'u64' }] });
    for (const make of [() => new StrandView(strand), () => new StrandWriter(strand)]) {
      expect(thrownBy(make)).toMatchObject({ code: 'ERR_STRAND_HEADER', field: 'n' });
    }
  });

  test('is made by openSharedStrand alone', () => {
    const strand = fresh();
    const before = readFileSync(strand.path);
    expect(thrownBy(() => initStrandHeader(strand as never, strand.map))).toBeInstanceOf(TypeError);
    expect(readFileSync(strand.path).equals(before)).toBe(true);
  });

  test('has one ArrayBuffer in a thread, however many views there are', () => {
    const strand = openSharedStrand(freshPath('strand'), { schema, heapCapacity: 2 ** 26 });
    const before = process.memoryUsage().arrayBuffers;
    const views = Array.from({ length: 20 }, () => new StrandView(strand));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(3 * 2 ** 26);
    for (const view of views) view.close();
  });

  test('does not give a strand away whose memory somebody transfers', () => {
    const strand = openSharedStrand(freshPath('strand'), { schema: [{ name: 'data', type: 'bytes' }] });
    const writer = new StrandWriter(strand);
    writer.begin();
    writer.write({ data: Uint8Array.of(1, 2, 3) });
    const cursor = new StrandView(strand).allocateCursor();
    cursor.seek(0);
    const bytes = cursor.getBytes('data') as Uint8Array;
    const { port1 } = new MessageChannel();
    try {
      port1.postMessage(bytes.buffer, [bytes.buffer as ArrayBuffer]);
    } catch {
      // Newer versions of Node.js refuse it, older ones ignore the wish.
    }
    port1.close();
    cursor.seek(0);
    expect(cursor.getBytes('data')).toEqual(Uint8Array.of(1, 2, 3));
    writer.close();
  });
});

describe('a strand in a file', () => {
  test('is read and written as one in memory is: batches, columns, waits, consumers, reset', async () => {
    const strand = fresh();
    const writer = new StrandWriter(strand, { schema: buildSchema(schema) });
    const view = new StrandView(strand);
    for (let stream = 0; stream < 3; stream++) {
      writer.begin();
      const draining = numbered.drain(view);
      for (let n = 0; n < 500; n += 10) {
        if (n % 20 === 0) await writer.writeRecordBatchAsync(numbered.records(n, 10));
        else writer.tryWriteRecordBatch(numbered.records(n, 10));
        while (view.committedCount < n + 10) {
          const rest = numbered.records(view.committedCount, n + 10 - view.committedCount);
          await writer.writeRecordBatchAsync(rest);
        }
      }
      writer.finalize();
      expect(await draining).toBe(500);
      expect(view.status).toBe('eos');
      writer.reset();
    }
    await view.waitForCommit(0, 0);
    const token = view.registerConsumer();
    expect(token).toBeGreaterThanOrEqual(0);
    view.releaseConsumer(token);
    writer.close();
    view.close();
  });

  test('feeds a stream of Node, and is fed by one', async () => {
    const strand = openSharedStrand(freshPath('strand'), {
      schema: [{ name: 'payload', type: 'large_bytes' }],
      indexCapacity: 64,
      heapCapacity: 65_536,
    });
    const source = createReadStream(strand, { binary: true });
    const sink = createWriteStream(strand, { binary: true });
    const chunks = Array.from({ length: 300 }, (_, i) => Buffer.alloc(1000, i));
    (async () => {
      for (const chunk of chunks)
        if (!sink.write(chunk)) await new Promise((ready) => sink.once('drain', ready));
      sink.end();
    })();
    expect(Buffer.concat(await source.toArray()).equals(Buffer.concat(chunks))).toBe(true);
  });

  test('keeps what was committed for who opens it when all have left', () => {
    const strand = fresh();
    const writer = new StrandWriter(strand);
    writer.begin();
    writer.writeRecordBatch(numbered.records(0, 10));
    writer.claimSlots(2);
    writer.close();
    const next = new StrandWriter(openSharedStrand(strand.path));
    next.begin();
    next.writeRecordBatch(numbered.records(10, 10));
    next.finalize();
    expect(numbered.drainSync(new StrandView(strand))).toBe(20);
  });

  test('fences an older writer of the same process', () => {
    const strand = fresh();
    const older = new StrandWriter(strand);
    older.begin();
    const newer = new StrandWriter(strand);
    expect(thrownBy(() => older.begin())).toMatchObject({ code: 'ERR_STRAND_FENCED' });
    newer.begin();
    older.close();
    newer.write(numbered.record(0));
    newer.finalize();
    expect(new StrandView(strand).producerStatus).toBe('eos');
  });

  test.each([0, 100, 4096, 6000])(
    'that is cut to %i bytes is an error for all who use it',
    async (length) => {
      const strand = fresh();
      const writer = new StrandWriter(strand);
      const view = new StrandView(strand);
      onTestFinished(() => view.close());
      writer.begin();
      writer.writeRecordBatch(numbered.records(0, 10));
      const cursor = view.allocateCursor();
      const waiting = view.waitForCommit(10);
      truncateSync(strand.path, length);
      const gone = { name: 'StrandError', code: 'ERR_SHM_MAPPING_GONE' };
      await expect(waiting).rejects.toMatchObject(gone);
      await expect(view.waitForCommit(0)).rejects.toMatchObject(gone);
      expect(thrownBy(() => view.waitForCommitSync(0))).toMatchObject(gone);
      expect(thrownBy(() => cursor.seek(0))).toMatchObject(gone);
      expect(thrownBy(() => writer.write(numbered.record(10)))).toMatchObject(gone);
      expect(thrownBy(() => writer.finalize())).toMatchObject(gone);
      expect([view.status, view.error]).toEqual(['error', expect.stringContaining('cut')]);
      expect(thrownBy(() => new StrandView(strand))).toHaveProperty('code');
      writer.close();
    },
  );
});
