import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createStrand, StrandView } from '../../../dist/index.js';
import { createReadStream, createWriteStream } from '../../../dist/streams.js';
import { turns } from '../support/strands.js';
import { byteStrand, collect, feed } from '../support/streams.js';

const BYTES = 64;
const CHUNKS = 60;

const chunk = (n: number) => Buffer.alloc(BYTES, n);
const chunks = () => Array.from({ length: CHUNKS }, (_, n) => chunk(n));

/** Ways to take one chunk after the other, each finished with before the next is asked for. */
const loops = {
  'for await': async (readable: Readable, use: (bytes: Buffer) => Promise<void>) => {
    for await (const bytes of readable) await use(bytes);
  },
  'read() on readable': async (readable: Readable, use: (bytes: Buffer) => Promise<void>) => {
    let ended = false;
    const end = once(readable, 'end').then(() => {
      ended = true;
    });
    while (!ended) {
      for (let bytes = readable.read(); bytes !== null; bytes = readable.read()) await use(bytes);
      if (!ended) await Promise.race([once(readable, 'readable'), end]);
    }
  },
  'pause and resume': async (readable: Readable, use: (bytes: Buffer) => Promise<void>) => {
    let last = Promise.resolve();
    readable.on('data', (bytes: Buffer) => {
      readable.pause();
      last = use(bytes).finally(() => readable.resume());
    });
    await once(readable, 'end');
    await last;
  },
} as const;

/** Rings that hold this many chunks of the writer's. */
const rings = { 'one chunk': BYTES, 'a few chunks': 4 * BYTES } as const;
const cases = Object.keys(loops).flatMap((loop) => Object.keys(rings).map((ring) => [loop, ring] as const));

describe('a zero-copy chunk', () => {
  test.each(cases)(
    'is a view that stays as it is until the next is asked for, by %s, in a heap of %s',
    async (loop, ring) => {
      const heap = rings[ring as keyof typeof rings];
      const fields = [{ name: 'bytes', type: 'large_bytes' }] as const;
      const strand = createStrand(fields, { indexCapacity: 8, heapCapacity: heap });
      // By a writer of records: each is a chunk as it is.
      const fed = feed(createWriteStream(strand, { field: 'bytes' }), chunks());
      let n = 0;
      await loops[loop as keyof typeof loops](
        createReadStream(strand, { binary: true, zeroCopy: true }),
        async (bytes) => {
          expect((bytes.buffer as ArrayBufferLike) === strand.sab).toBe(true);
          for (let turn = 0; turn < 4; turn++) {
            expect(bytes.equals(chunk(n))).toBe(true);
            await turns(1);
          }
          n++;
        },
      );
      expect(n).toBe(CHUNKS);
      await fed;
    },
  );

  test('is done with when its listener returns', async () => {
    const strand = byteStrand(2, BYTES);
    const fed = feed(createWriteStream(strand, { field: 'bytes' }), chunks());
    const seen: number[] = [];
    const readable = createReadStream(strand, { binary: true, zeroCopy: true });
    readable.on('data', (bytes) => {
      expect(bytes.equals(chunk(seen.length))).toBe(true);
      seen.push(bytes.length);
    });
    await once(readable, 'end');
    expect(seen.length).toBe(CHUNKS);
    await fed;
  });

  test('of records and of fields holds views, and copies without zeroCopy', async () => {
    const fields = [
      { name: 'n', type: 'u32' },
      { name: 'samples', type: 'f32_array' },
    ] as const;
    const records = Array.from({ length: 40 }, (_, n) => ({ n, samples: new Float32Array(8).fill(n) }));
    for (const zeroCopy of [true, false]) {
      for (const mode of [{}, { field: 'samples' }, { batch: true }] as const) {
        const strand = createStrand(fields, { indexCapacity: 4, heapCapacity: 80 });
        const fed = feed(createWriteStream(strand), records);
        let n = 0;
        for await (const chunk of createReadStream(strand, { ...mode, zeroCopy } as { zeroCopy: boolean })) {
          const list: unknown[] = Array.isArray(chunk) ? chunk : [chunk];
          await turns(2);
          for (const one of list) {
            const samples =
              'field' in mode ? (one as Float32Array) : (one as { samples: Float32Array }).samples;
            expect(samples.buffer instanceof SharedArrayBuffer).toBe(zeroCopy);
            expect([...samples]).toEqual(Array(8).fill(n++));
          }
        }
        expect(n).toBe(records.length);
        await fed;
      }
    }
  });

  test('gives its room back in the end', async () => {
    const strand = byteStrand(8, 1024);
    const view = new StrandView(strand);
    const fed = feed(createWriteStream(strand, { field: 'bytes' }), chunks());
    await collect(createReadStream(strand, { binary: true, zeroCopy: true }));
    await fed;
    expect(view.effectiveReadCursor).toBe(CHUNKS);
  });
});
