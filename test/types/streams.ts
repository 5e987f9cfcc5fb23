// Compiled, never run: streams have the types that their strand's fields and their mode give them.

import { createStrand, type Strand, StrandView, StrandWriter } from '../../dist/index.js';
import {
  createReadStream,
  createWriteStream,
  type ReadStreamOptions,
  SABReadable,
  SABWritable,
  type StreamStats,
} from '../../dist/streams.js';
import { expectTrue, type Same } from './expect_type.js';

const strand = createStrand([
  { name: 'id', type: 'u32' },
  { name: 'note', type: 'utf8', nullable: true },
  { name: 'data', type: 'f64_array' },
]);
interface Row {
  id: number;
  note: string | null;
  data: Float64Array | null;
}

const records = createReadStream(strand);
expectTrue<
  Same<
    (typeof records)[typeof Symbol.asyncIterator] extends () => infer I ? I : never,
    NodeJS.AsyncIterator<typeof row>
  >
>();
declare const row: Exclude<ReturnType<typeof records.read>, null>;
export const asRow: Row = row;
export const stats: StreamStats = records.stats();

const batches = createReadStream(new StrandView(strand), { batch: true, maxRecords: 10, from: 'latest' });
export const batch: Row[] | null = batches.read();

const ids = createReadStream(strand, { field: 'id' });
const id = ids.read();
expectTrue<Same<typeof id, number | null>>();
// A stream takes null for its end: an absent value is undefined.
const notes = createReadStream(strand, { field: 'note', zeroCopy: false });
const note = notes.read();
expectTrue<Same<typeof note, string | undefined | null>>();

const bytes = createReadStream(strand, { binary: true, encoding: 'utf8' });
const chunk = bytes.read();
expectTrue<Same<typeof chunk, Buffer | null>>();

const writable = createWriteStream(strand, { highWaterMark: 3, signal: new AbortController().signal });
export const anyWritable: SABWritable = createWriteStream(new StrandWriter(strand), { batch: true });
createWriteStream(strand, { field: 'note' }).write('text');
createWriteStream(strand, { binary: true, defaultEncoding: 'latin1' }).write('text');
writable.write({ id: 1 });

// What is known only at run time takes anything.
const loose: Strand = strand;
createReadStream(loose, { field: 'anything' });
createReadStream(loose.sab).read();
createWriteStream(loose, { field: 'anything' });
new SABReadable({ strand: loose, schema: loose.map.schema });
new SABReadable({ view: new StrandView(loose), blocking: true });
new SABWritable({ writer: new StrandWriter(loose) });
const ring = { header: new Int32Array(6), data: new Int32Array(8), capacity: 8 };
new SABReadable<number>(ring);
new SABWritable<number>({ ...ring, highWaterMark: 1 });
export const options: ReadStreamOptions = { from: 3 };

// @ts-expect-error no such field
createReadStream(strand, { field: 'idd' });
// @ts-expect-error two modes
createReadStream(strand, { field: 'id', batch: true });
// @ts-expect-error two modes
createReadStream(strand, { binary: true, batch: true });
// @ts-expect-error no such field
createWriteStream(strand, { field: 'idd' });
// @ts-expect-error two modes
createWriteStream(strand, { field: 'id', binary: true });
// @ts-expect-error no such encoding
createReadStream(strand, { binary: true, encoding: 'utf9' });
// @ts-expect-error of neither
new SABReadable({ highWaterMark: 3 });
// @ts-expect-error of neither
new SABWritable({});
