import { MalformedLog, type MalformedReport } from '../../../examples/demo/parse/malformed_log.mjs';
import type { Row, RowParser } from '../../../examples/demo/parse/row.mjs';

export interface Parsed {
  readonly rows: Row[];
  readonly malformed: MalformedReport;
}

/** Parses text that comes in the given pieces. */
export function parseAll(
  Parser: new (malformed: MalformedLog) => RowParser,
  pieces: readonly string[],
): Parsed {
  const malformed = new MalformedLog();
  const parser = new Parser(malformed);
  const rows = pieces.flatMap((piece) => parser.push(piece));
  rows.push(...parser.end());
  return { rows, malformed: malformed.report() };
}

/** Cuts a text at every position: the most that chunks can do. */
export function characters(text: string): string[] {
  return text.split('');
}

/** Cuts a text into pieces of these lengths, again and again. */
export function pieces(text: string, lengths: readonly number[]): string[] {
  const cut: string[] = [];
  for (let from = 0, turn = 0; from < text.length; turn++) {
    const length = lengths[turn % lengths.length] ?? 1;
    cut.push(text.slice(from, from + length));
    from += length;
  }
  return cut;
}
