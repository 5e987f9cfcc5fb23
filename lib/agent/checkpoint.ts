import { StrandError } from '../errors.js';
import type { Span } from './span.js';

/** A batch that is about to be sent, or was, and whose answer is not on record. */
export interface Intent {
  readonly batchId: string;
  readonly spans: readonly Span[];
}

/** What became of frames that were not answered; recorded before anybody is told. */
export type Verdict =
  | { readonly kind: 'expired'; readonly spans: readonly Span[] }
  | { readonly kind: 'undecodable'; readonly spans: readonly Span[]; readonly reason: string }
  | {
      readonly kind: 'failed';
      readonly spans: readonly Span[];
      readonly batchId: string;
      readonly attempts: number;
      readonly reason: string;
      readonly inDoubt: boolean;
    };

/** All that an agent has to know to go on where it was. */
export interface Checkpoint {
  /** Of the log; undefined for a plain one, which has none. */
  readonly identity: string | undefined;
  readonly settledUpTo: number;
  readonly settledBeyond: readonly Span[];
  readonly intents: readonly Intent[];
  readonly verdicts: readonly Verdict[];
}

const VERSION = 1;

export function formatCheckpoint(checkpoint: Checkpoint): string {
  const { identity, settledUpTo, settledBeyond, intents, verdicts } = checkpoint;
  return `${JSON.stringify({ version: VERSION, log: identity, settledUpTo, settledBeyond, intents, verdicts })}\n`;
}

/** @throws StrandError `ERR_STRAND_FILE` for a text that is none */
export function parseCheckpoint(text: string, path: string): Checkpoint {
  try {
    const { version, log, settledUpTo, settledBeyond, intents, verdicts } = recordOf(JSON.parse(text));
    if (version !== VERSION) throw new Error(`its version is not ${VERSION}`);
    const checkpoint = {
      identity: log === undefined ? undefined : textOf(log),
      settledUpTo: countOf(settledUpTo),
      settledBeyond: spansIn(settledBeyond),
      intents: intentsIn(intents),
      verdicts: listOf(verdicts).map(verdictOf),
    };
    checkDisjoint(checkpoint);
    return checkpoint;
  } catch (cause) {
    throw new StrandError(
      'ERR_STRAND_FILE',
      `'${path}' holds no checkpoint of an agent: ${(cause as Error).message}. Restore it from a copy. Without one an agent begins where it did at first, and sends everything again`,
      { cause },
    );
  }
}

/** A frame is settled, or sent, or judged. */
function checkDisjoint({ settledUpTo, settledBeyond, intents, verdicts }: Checkpoint): void {
  const spans = [...settledBeyond, ...[...intents, ...verdicts].flatMap((entry) => entry.spans)];
  spans.sort(([one], [other]) => one - other);
  let last = settledUpTo;
  for (const [from, to] of spans) {
    if (from < last) throw new Error('stretches of frames overlap');
    last = to;
  }
}

function intentsIn(value: unknown): Intent[] {
  const ids = new Set<string>();
  return listOf(value).map((intent) => {
    const { batchId, spans } = recordOf(intent);
    const id = textOf(batchId);
    if (ids.has(id)) throw new Error('a batch is there twice');
    ids.add(id);
    return { batchId: id, spans: someIn(spans) };
  });
}

function verdictOf(value: unknown): Verdict {
  const { kind, spans, reason, batchId, attempts, inDoubt } = recordOf(value);
  switch (kind) {
    case 'expired':
      return { kind, spans: someIn(spans) };
    case 'undecodable':
      return { kind, spans: someIn(spans), reason: textOf(reason) };
    case 'failed':
      return {
        kind,
        spans: someIn(spans),
        batchId: textOf(batchId),
        attempts: countOf(attempts),
        reason: textOf(reason),
        inDoubt: inDoubt === true,
      };
    default:
      throw new Error('a verdict is of a kind unknown');
  }
}

function recordOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new Error('an object is missing');
  return value as Record<string, unknown>;
}

function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Error('a list is missing');
  return value;
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new Error('a text is missing');
  return value;
}

function countOf(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new Error('a number is missing or negative');
  return value as number;
}

function someIn(value: unknown): Span[] {
  const spans = spansIn(value);
  if (spans.length === 0) throw new Error('an intent or a verdict has no frames');
  return spans;
}

function spansIn(value: unknown): Span[] {
  return listOf(value).map((span) => {
    const [from, to] = listOf(span).map(countOf);
    if (from === undefined || to === undefined || from >= to)
      throw new Error('a stretch of frames has no end');
    return [from, to];
  });
}
