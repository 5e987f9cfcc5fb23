// Compiled, never run: what a shared log takes and gives.

import {
  type BatchOptions,
  createSharedLog,
  type Durability,
  type FrameBatch,
  type LogHeader,
  type SharedLog,
  type SharedLogOptions,
  type ShmIterator,
  type ShmWriter,
  type TailOptions,
  type WritableSharedLog,
} from '../../dist/log.js';
import { expectTrue, type Same } from './expect_type.js';

const log: SharedLog = createSharedLog({
  path: '/dev/shm/events',
  capacityBytes: 16n * 1024n * 1024n,
  writable: true,
  debugChecks: process.env.SHMIO_DEBUG === 'true',
});
const writable = createSharedLog({ path: 'events', capacityBytes: 4096, writable: true });
expectTrue<Same<typeof writable, WritableSharedLog>>();
writable.writer.append(Buffer.from('text'));
const readable = createSharedLog({ path: 'events' });
// @ts-expect-error: no writer of what is only read
readable.writer.append(Buffer.from('text'));
createSharedLog({ path: new URL('file:///dev/shm/events'), capacityBytes: 4096, writable: false });
createSharedLog({
  path: 'events',
  maxCapacityBytes: 2 ** 30,
  maxFrameBytes: 2 ** 20,
  checksum: 'crc32c',
  durability: { everyMs: 10 },
  zeroCopy: true,
});
export const durabilities: Durability[] = ['none', 'commit', { everyMs: 5 }];
export const options: SharedLogOptions = { path: 'events', checksum: false };

// @ts-expect-error: a log has a path
createSharedLog({ capacityBytes: 4096 });
// @ts-expect-error: no such checksum
createSharedLog({ path: 'events', checksum: 'md5' });
// @ts-expect-error: no such durability
createSharedLog({ path: 'events', durability: 'always' });
// @ts-expect-error: no such option
createSharedLog({ path: 'events', capacity: 4096 });
// @ts-expect-error: a flag
createSharedLog({ path: 'events', writable: 'true' });

const { header } = log;
export const asHeader: LogHeader = header;
expectTrue<Same<typeof header.headerSize, bigint>>();
expectTrue<Same<typeof header.dataOffset, bigint>>();
expectTrue<Same<typeof header.size, bigint>>();
export const headerBytes: Buffer = header.getBuffer();
// @ts-expect-error: only the writer moves it
header.size = 0n;
expectTrue<Same<typeof log.identity, string | undefined>>();

expectTrue<Same<typeof log.writer, ShmWriter | undefined>>();
const writer = log.writer as ShmWriter;
export const frame: Buffer = writer.allocate(10);
writer.allocate(10, { debugChecks: true }).write('text');
writer.commit();
writer.append(new Uint8Array(3));
writer.appendBatch([Buffer.alloc(1), new Uint8Array(2)]);
writer.flush();
const address = writer.getLastAllocatedAddress();
expectTrue<Same<typeof address, bigint | undefined>>();
export const payloads: Buffer[] = [writer.getBufferAtAddress(24), writer.getBufferAtAddress(24n)];
// @ts-expect-error: text is no frame
writer.append('text');

const iterator: ShmIterator = log.createIterator();
log.createIterator({ startCursor: iterator.cursor() });
// @ts-expect-error: cursors are bigints
log.createIterator({ startCursor: 0 });
const next = iterator.next();
expectTrue<Same<typeof next, Buffer | null>>();
const previous = iterator.prev();
expectTrue<Same<typeof previous, Buffer | null>>();
const limits: BatchOptions = { maxMessages: 32, maxBytes: 1024, debugChecks: true };
export const batches: Buffer[][] = [iterator.nextBatch(), iterator.nextBatch(limits), iterator.prevBatch({})];
const inPlace: FrameBatch = iterator.readBatch(limits);
export const first: Buffer = inPlace.bytes.subarray(inPlace.starts[0], inPlace.lengths[0]);
// @ts-expect-error: the iterator's own
inPlace.count = 5;
iterator.seek(iterator.committedSize());
// @ts-expect-error: cursors are bigints
iterator.seek(5);
const waited = iterator.wait({ timeoutMs: 5, signal: new AbortController().signal });
expectTrue<Same<typeof waited, Promise<boolean>>>();
iterator.close();

export async function follow(): Promise<void> {
  for await (const each of log.tail({ from: 'latest' })) {
    expectTrue<Same<typeof each, Buffer>>();
  }
  const tailOptions: TailOptions = { from: 5n, debugChecks: true, signal: AbortSignal.timeout(5) };
  log.tail(tailOptions);
  // @ts-expect-error: no such place
  log.tail({ from: 'newest' });
}

export function inBlocks(): void {
  using opened = createSharedLog({ path: 'events' });
  using reader = opened.createIterator();
  reader.next();
}
log.close();
