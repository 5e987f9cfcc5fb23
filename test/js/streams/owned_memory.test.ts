import { afterEach, expect, test, vi } from 'vitest';
import { createStrand } from '../../../dist/index.js';
import { createReadStream, createWriteStream } from '../../../dist/streams.js';
import { feed } from '../support/streams.js';

const MEBIBYTE = 2 ** 20;
const CHUNK = Buffer.alloc(65_536, 7);

function* chunks(bytes: number): Generator<Buffer> {
  for (let sent = 0; sent < bytes; sent += CHUNK.length) yield CHUNK;
}

/** Bytes that come through, in chunks or as values of a field. */
async function read(bytes: number, mode: 'binary' | 'field'): Promise<number> {
  const strand = createStrand([{ name: 'data', type: 'large_bytes' }], {
    indexCapacity: 16,
    heapCapacity: MEBIBYTE,
  });
  const writable = createWriteStream(strand, { binary: true });
  const fed = feed(writable, chunks(bytes));
  let sum = 0;
  const readable =
    mode === 'binary'
      ? createReadStream(strand, { binary: true })
      : createReadStream(strand, { field: 'data' });
  for await (const chunk of readable) sum += (chunk as Uint8Array).length;
  await fed;
  return sum;
}

afterEach(() => {
  vi.restoreAllMocks();
});

/** What a process grows by is measured by the benchmark `stream-memory`. */
test.each(['binary', 'field'] as const)(
  'copies of 20 MiB bring the engine to its limit of 32 MiB of young buffers: %s',
  async (mode) => {
    const allocate = vi.spyOn(Buffer, 'allocUnsafeSlow');
    expect(await read(100 * MEBIBYTE, mode)).toBe(100 * MEBIBYTE);
    const ballast = allocate.mock.calls.filter(([bytes]) => bytes > 32 * MEBIBYTE);
    expect(ballast.length).toBeGreaterThanOrEqual(4);
    expect(ballast.length).toBeLessThanOrEqual(6);
  },
);

test('a stream goes on where there is no address space to do that', async () => {
  const { allocUnsafeSlow } = Buffer;
  const allocate = vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation((bytes) => {
    if (bytes > MEBIBYTE) throw new RangeError('Array buffer allocation failed');
    return allocUnsafeSlow(bytes);
  });
  expect(await read(50 * MEBIBYTE, 'binary')).toBe(50 * MEBIBYTE);
  expect(allocate.mock.results.some(({ type }) => type === 'throw')).toBe(true);
});
