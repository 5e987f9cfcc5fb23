import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Utf8Decoder } from '../../../examples/demo/source/utf8_decoder.mjs';

function decode(chunks: readonly Buffer[]): { text: string; invalidAt: number | undefined } {
  const decoder = new Utf8Decoder();
  const text = chunks.map((chunk) => decoder.decode(chunk)).join('') + decoder.end();
  return { text, invalidAt: decoder.invalidAt };
}

function bytesOf(buffer: Buffer): Buffer[] {
  return Array.from(buffer, (_, at) => buffer.subarray(at, at + 1));
}

describe('Utf8Decoder', () => {
  test('joins characters that chunks divide', () => {
    const text = 'aé€😀\uFFFDz';
    expect(decode(bytesOf(Buffer.from(text)))).toStrictEqual({ text, invalidAt: undefined });
  });

  test('drops a byte-order mark at the start only', () => {
    expect(decode(bytesOf(Buffer.from('\uFEFFa\uFEFFb'))).text).toBe('a\uFEFFb');
  });

  test('replaces what is no UTF-8, and remembers where it began', () => {
    const latin1 = Buffer.from('Zürich, Genève', 'latin1');
    const expected = { text: 'Z\uFFFDrich, Gen\uFFFDve', invalidAt: 1 };
    expect(decode([latin1])).toStrictEqual(expected);
    expect(decode(bytesOf(latin1))).toStrictEqual(expected);
  });

  test('replaces a character that the end cuts off', () => {
    const cut = Buffer.from('ab€').subarray(0, -1);
    expect(decode([cut])).toStrictEqual({ text: 'ab\uFFFD', invalidAt: 2 });
  });

  test('does not hold on to memory that the chunk shares', () => {
    const decoder = new Utf8Decoder();
    const chunk = Buffer.from('€').subarray(0, 2);
    decoder.decode(chunk);
    chunk.fill(0);
    expect(decoder.decode(Buffer.from([0xac]))).toBe('€');
  });

  test('decodes any bytes as Buffer does, however they are divided', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)),
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(bytes, (buffer) => {
        const text = buffer.toString('utf8').replace(/^\uFEFF/, '');
        expect(decode(bytesOf(buffer)).text).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });
});
