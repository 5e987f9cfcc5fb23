import {
  AsyncRecordBatchStreamReader,
  RecordBatchReader,
  RecordBatchStreamWriter,
  tableFromIPC,
} from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { recordBatchReader } from '../../../dist/arrow.js';
import { StrandAbortError, StrandClosedError } from '../../../dist/index.js';
import {
  expectRejected,
  expectThrown,
  type Numbered,
  numbered,
  openNumbered,
  turns,
} from '../support/strands.js';

type Reader = ReturnType<typeof recordBatchReader<Numbered['view']['map']['schema']>>;

/** Numbers of a batch, or undefined at the end. */
async function next(reader: Reader): Promise<number[] | undefined> {
  const { done, value } = await reader.next();
  return done ? undefined : Array.from(value.getChild('n')?.toArray() ?? []);
}

describe('a reader over a view', () => {
  test('is Arrow’s own, and asynchronous', () => {
    const { view } = openNumbered();
    const reader = recordBatchReader(view);
    expect(reader).toBeInstanceOf(AsyncRecordBatchStreamReader);
    expect(RecordBatchReader.from(reader)).toBe(reader);
    expect([reader.isAsync(), reader.isSync(), reader.isStream(), reader.isFile()]).toStrictEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(reader.schema.names).toStrictEqual(['n']);
    expectThrown(() => [...reader], Error);
  });

  test('waits for records, and acknowledges a batch when the next one is asked for', async () => {
    const { writer, view } = openNumbered();
    const reader = recordBatchReader(view);
    const first = next(reader);
    await turns();
    writer.writeRecordBatch(numbered(0, 3));
    expect(await first).toStrictEqual([0, 1, 2]);
    expect(view.effectiveReadCursor).toBe(0);
    const second = next(reader);
    await turns();
    expect(view.effectiveReadCursor).toBe(3);
    writer.writeRecordBatch(numbered(3, 5));
    writer.finalize();
    expect(await second).toStrictEqual([3, 4]);
    expect(await next(reader)).toBeUndefined();
    expect(reader.closed).toBe(true);
    expect(view.effectiveReadCursor).toBe(5);
    expect(reader.numRecordBatches).toBe(2);
  });

  test('holds the producer back until its batches are finished', async () => {
    const { writer, view } = openNumbered(8);
    const reader = recordBatchReader(view, { maxRecords: 4 });
    writer.writeRecordBatch(numbered(0, 8));
    expect(await next(reader)).toStrictEqual([0, 1, 2, 3]);
    expect(writer.tryWriteRecordBatch(numbered(8, 9))).toBe(0);
    expect(await next(reader)).toStrictEqual([4, 5, 6, 7]);
    expect(writer.tryWriteRecordBatch(numbered(8, 20))).toBe(4);
    await reader.cancel();
  });

  test('delivers what was committed before an error, then throws it', async () => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 2));
    writer.abort('broken sensor');
    const reader = recordBatchReader(view);
    expect(await next(reader)).toStrictEqual([0, 1]);
    await expectRejected(next(reader), StrandAbortError, { reason: 'broken sensor' });
    expect(reader.closed).toBe(true);
    expect(await next(reader)).toBeUndefined();
  });

  test('of a stream without records gives one empty batch with the schema', async () => {
    const { writer, view } = openNumbered();
    writer.finalize();
    const table = await tableFromIPC(recordBatchReader(view) as never);
    expect([table.numRows, table.schema.names]).toStrictEqual([0, ['n']]);
  });

  test('refuses wrong options at once', () => {
    const { view } = openNumbered();
    expectThrown(() => recordBatchReader(view, { maxRecords: 0 }), RangeError);
    expectThrown(() => recordBatchReader(view, { maxRecords: 1.5 }), RangeError);
    expectThrown(() => recordBatchReader(view, { signal: {} as never }), TypeError);
    expectThrown(() => recordBatchReader(view, { fields: ['m' as never] }), TypeError);
    expectThrown(() => recordBatchReader({} as never), TypeError);
  });
});

describe('a reader that ends early', () => {
  test('by its signal rejects the pending read with the reason and closes', async () => {
    const { view } = openNumbered();
    view.registerConsumer();
    const controller = new AbortController();
    const reader = recordBatchReader(view, { signal: controller.signal });
    const pending = next(reader);
    await turns();
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(pending).rejects.toBe(reason);
    expect(reader.closed).toBe(true);
    await expect(next(recordBatchReader(view, { signal: controller.signal }))).rejects.toBe(reason);
  });

  test('by cancel() ends the pending read, and the process may end', async () => {
    const { view } = openNumbered();
    const reader = recordBatchReader(view);
    const pending = next(reader);
    await turns();
    await reader.cancel();
    expect(await pending).toBeUndefined();
  });

  test('by break releases its registration and leaves the batch at hand unacknowledged', async () => {
    const { writer, view } = openNumbered();
    const token = view.registerConsumer();
    writer.writeRecordBatch(numbered(0, 4));
    const reader = recordBatchReader(view, { maxRecords: 2 });
    let batches = 0;
    for await (const batch of reader) {
      expect(batch.numRows).toBe(2);
      view.acknowledgeRead(4, batches === 0 ? token : (undefined as never));
      expect(view.effectiveReadCursor).toBe(0);
      batches++;
      break;
    }
    expect(reader.closed).toBe(true);
    expect(view.effectiveReadCursor).toBe(4);
    view.releaseConsumer(token);
  });

  test('by the view’s end rejects', async () => {
    const { view } = openNumbered();
    const reader = recordBatchReader(view);
    const pending = next(reader);
    await turns();
    view.close();
    await expectRejected(pending, StrandClosedError);
    expect(reader.closed).toBe(true);
  });

  test('can be left open, as Arrow’s readers can', async () => {
    const { writer, view } = openNumbered();
    writer.writeRecordBatch(numbered(0, 4));
    writer.finalize();
    const reader = await recordBatchReader(view, { maxRecords: 2 }).open({ autoDestroy: false });
    for await (const _ of reader) break;
    expect(reader.closed).toBe(false);
    expect(await next(reader)).toStrictEqual([2, 3]);
    expect(await next(reader)).toBeUndefined();
    expect(reader.closed).toBe(true);
  });
});

describe('Arrow’s consumers', () => {
  function stream() {
    const { writer, view } = openNumbered(16);
    writer.writeRecordBatch(numbered(0, 10));
    writer.finalize();
    return recordBatchReader(view, { maxRecords: 4 });
  }

  const all = Array.from({ length: 10 }, (_, i) => i);

  test('tableFromIPC', async () => {
    const table = await tableFromIPC(stream() as never);
    expect(Array.from(table.getChild('n')?.toArray())).toStrictEqual(all);
  });

  test('readAll, of a reader and of the class', async () => {
    expect((await stream().readAll()).map(({ numRows }) => numRows)).toStrictEqual([4, 4, 2]);
    let rows = 0;
    for await (const reader of RecordBatchReader.readAll(stream())) {
      for await (const batch of reader as unknown as AsyncIterable<{ numRows: number }>)
        rows += batch.numRows;
    }
    expect(rows).toBe(10);
  });

  test('RecordBatchStreamWriter', async () => {
    const writer = await RecordBatchStreamWriter.writeAll(stream());
    const table = tableFromIPC(await writer.toUint8Array());
    expect(Array.from(table.getChild('n')?.toArray())).toStrictEqual(all);
  });

  test('streams of Node.js and of the web', async () => {
    let rows = 0;
    for await (const batch of stream().toNodeStream()) rows += batch.numRows;
    for await (const batch of stream().toDOMStream() as unknown as AsyncIterable<{ numRows: number }>)
      rows += batch.numRows;
    expect(rows).toBe(20);
  });
});
