import { isUtf8 } from 'node:buffer';

const ENCODINGS = ['auto', 'utf8', 'hex', 'base64'] as const;

export type FrameEncoding = (typeof ENCODINGS)[number];

export function isEncoding(name: string): name is FrameEncoding {
  return (ENCODINGS as readonly string[]).includes(name);
}

/** Control characters but tab would spoil a terminal, and a line break the line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is these that are looked for
const UNPRINTABLE = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/;

/** One line that shows a frame. */
export function describeFrame(
  frame: Buffer,
  cursor: bigint,
  { isJson, encoding }: { readonly isJson: boolean; readonly encoding: FrameEncoding },
): string {
  const [name, text] = textOf(frame, encoding, isJson);
  if (isJson) return JSON.stringify({ cursor: cursor.toString(), bytes: frame.length, [name]: text });
  return `${cursor}\t${name === 'utf8' || encoding !== 'auto' ? text : `0x${text}`}`;
}

function textOf(frame: Buffer, encoding: FrameEncoding, isJson: boolean): [string, string] {
  if (encoding !== 'auto') return [encoding, frame.toString(encoding)];
  if (isUtf8(frame)) {
    const text = frame.toString();
    if (isJson || !UNPRINTABLE.test(text)) return ['utf8', text];
  }
  return ['hex', frame.toString('hex')];
}
