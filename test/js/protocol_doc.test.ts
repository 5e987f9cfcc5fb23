import { describe, expect, test } from 'vitest';
import {
  createStrand,
  MAX_HEADER_SIZE,
  MAX_REASON_BYTES,
  STRAND_VERSION,
  type Strand,
  StrandFencedError,
  StrandView,
  StrandWriter,
} from '../../dist/index.js';
import { native } from '../../dist/native.js';
import { ForeignConsumer, ForeignProducer, type ForeignRecord } from './support/foreign_strand.js';
import { blocksOf, codeWords, readDocument, sectionsOf, tableRows } from './support/markdown.js';

const document = readDocument('docs/protocol.md');
const layout = readDocument('src/layout/strand_layout.h');

const exampleFields = [
  { name: 'id', type: 'u32' },
  { name: 't', type: 'f32', nullable: true },
  { name: 's', type: 'utf8' },
] as const;

function exampleStrand(indexCapacity = 2, heapCapacity = 16): Strand {
  return createStrand(exampleFields, { indexCapacity, heapCapacity });
}

function block(language: string): string {
  const [found, ...more] = blocksOf(document).filter((candidate) => candidate.language === language);
  if (found === undefined || more.length > 0)
    throw new Error(`docs/protocol.md has not one block of ${language}`);
  return found.text;
}

/** Lines of offset, two blanks, bytes, two blanks, remark. */
function parseHex(text: string): Map<number, number> {
  const bytes = new Map<number, number>();
  for (const line of text.trimEnd().split('\n')) {
    const [, offset = '', shown = ''] =
      /^([0-9a-f]{4}) {2}([0-9a-f]{2}(?: [0-9a-f]{2})*)(?: {2,}.*)?$/.exec(line) ?? [];
    if (shown === '') throw new Error(`no line of bytes: ${line}`);
    shown.split(' ').forEach((byte, i) => {
      bytes.set(Number.parseInt(offset, 16) + i, Number.parseInt(byte, 16));
    });
  }
  return bytes;
}

/** kOffsetWriteSeq → WRITE_SEQ */
const wordName = (constant: string) => constant.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();

function offsetsInLayout(prefix: string): Map<string, number> {
  const declaration = new RegExp(`constexpr std::uint32_t ${prefix}(\\w+) = (0x[0-9A-F]+|\\d+);`, 'g');
  return new Map(
    [...layout.matchAll(declaration)].map(([, name = '', value]) => [wordName(name), Number(value)]),
  );
}

function offsetsInTables(
  isTable: (row: string[]) => boolean,
  nameColumn: (row: string[]) => string | undefined,
) {
  const rows = tableRows(document).filter((row) => /^(0x[0-9A-F]+|\d+)$/.test(row[0] ?? '') && isTable(row));
  return new Map(rows.map((row) => [codeWords(nameColumn(row) ?? '')[0], Number(row[0])]));
}

describe('docs/protocol.md', () => {
  test('shows the bytes that the package writes, and all that are not zero', () => {
    const strand = exampleStrand();
    const run = new Function('writer', 'view', block('js'));
    run(new StrandWriter(strand), new StrandView(strand));

    const shown = parseHex(block('hex'));
    const described = Array.from({ length: strand.sab.byteLength }, (_, at) => shown.get(at) ?? 0);
    expect(described).toStrictEqual([...new Uint8Array(strand.sab)]);
    expect(Math.max(...shown.keys())).toBeLessThan(strand.sab.byteLength);
  });

  test('has every word of the header at its offset', () => {
    const words = offsetsInTables(
      (row) => row.length > 2 && !isFieldType(row) && !isInConsumerSlot(row),
      (row) => row.find((cell) => /^`[A-Z_]+`$/.test(cell)),
    );
    expect(words).toStrictEqual(offsetsInLayout('kOffset'));
  });

  test('has every word of a consumer slot at its offset', () => {
    const words = offsetsInTables(isInConsumerSlot, (row) => row[2]);
    expect(words).toStrictEqual(offsetsInLayout('kSlot'));
  });

  test('has every field type with tag, width and alignment', () => {
    const listed = tableRows(document)
      .filter(isFieldType)
      .map(([tag, name = '', width, alignment]) => [Number(tag), codeWords(name)[0], width, alignment]);
    expect(listed).toStrictEqual(
      native.fieldTypes.map(({ tag, name, width, elementSize }) => [
        tag,
        name,
        width === 0 ? 'its length' : `${width}`,
        elementSize === 0 ? '' : `${elementSize}`,
      ]),
    );
  });

  test('states the limits that hold', () => {
    expect(document).toContain(`Layout version ${STRAND_VERSION}:`);
    expect(document).toContain(`to ${MAX_HEADER_SIZE.toLocaleString('en')} |`);
    expect(document.match(/up to (\d+) bytes of UTF-8/g)).toStrictEqual(
      Array.from({ length: 2 }, () => `up to ${MAX_REASON_BYTES} bytes of UTF-8`),
    );
  });

  test('links only to headings of its own that exist', () => {
    const anchors = sectionsOf(document).map(
      ({ title }) => `#${title.toLowerCase().replaceAll(/\W+/g, '-')}`,
    );
    for (const [, anchor] of document.matchAll(/\]\((#[^)]+)\)/g)) expect(anchors).toContain(anchor);
  });
});

function isFieldType([, name = '', width = '']: string[]): boolean {
  return /^`[a-z0-9_]+`$/.test(name) && /^(\d|its length)/.test(width);
}

function isInConsumerSlot([offset = '', type = '', name = '']: string[]): boolean {
  return /^(0|8|16)$/.test(offset) && /^u(32|64)$/.test(type) && /^`/.test(name);
}

describe('a peer written from docs/protocol.md', () => {
  const record = (id: number): ForeignRecord => ({
    id,
    t: id % 3 === 0 ? null : id / 2,
    s: 'x'.repeat(id % 6),
  });

  test('produces what the package reads, through many laps of index and heap', () => {
    const strand = exampleStrand(4, 16);
    const producer = new ForeignProducer(strand.sab);
    const view = new StrandView(strand);
    const cursor = view.allocateCursor();
    let written = 0;
    let read = 0;
    while (read < 1000) {
      while (written < 1000 && producer.write(record(written))) written++;
      expect(written).toBeGreaterThan(read);
      expect(view.waitForCommitSync(read, 0)).toBe(written);
      for (; read < written; read++) {
        expect(cursor.seek(read)).toBe(true);
        expect(cursor.toObject()).toStrictEqual(record(read));
      }
      view.acknowledgeRead(read);
    }
  });

  test('waits for consumers that are registered', () => {
    const strand = exampleStrand(4, 64);
    const producer = new ForeignProducer(strand.sab);
    const view = new StrandView(strand);
    const token = view.registerConsumer();
    for (let id = 0; id < 4; id++) expect(producer.write(record(id))).toBe(true);
    expect(producer.write(record(4))).toBe(false);
    view.acknowledgeRead(1, token);
    expect(producer.write(record(4))).toBe(true);
  });

  test('consumes what the package writes, through many laps of index and heap', () => {
    const strand = exampleStrand(4, 16);
    const writer = new StrandWriter(strand);
    const consumer = new ForeignConsumer(strand.sab);
    const all = Array.from({ length: 1000 }, (_, id) => record(id));
    let written = 0;
    const read: ForeignRecord[] = [];
    while (read.length < all.length) {
      written += writer.tryWriteRecordBatch(all.slice(written, written + 4));
      read.push(...consumer.drain());
      expect(read).toHaveLength(written);
    }
    expect(read).toStrictEqual(all);
  });

  test('takes the strand over from a writer of the package, and loses it to one', () => {
    const strand = exampleStrand(4, 64);
    const first = new StrandWriter(strand);
    first.write(record(1));
    const producer = new ForeignProducer(strand.sab);
    expect(() => first.write(record(2))).toThrow(StrandFencedError);
    expect(producer.write(record(2))).toBe(true);
    const last = new StrandWriter(strand);
    expect(() => producer.write(record(3))).toThrow('fenced');
    last.write(record(3));
    expect(new ForeignConsumer(strand.sab).drain()).toStrictEqual([1, 2, 3].map(record));
  });
});
