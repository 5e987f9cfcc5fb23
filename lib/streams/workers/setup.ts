import type { Strand } from '../../strand.js';

/** What the thread of a worker stream is told, in the first message to it. */
export interface WorkerSetup {
  /** The module with the function. */
  readonly url: string;
  /** The rings to the worker and from it. */
  readonly input: Strand;
  readonly output: Strand;
  readonly binaryInput: boolean;
  readonly binaryOutput: boolean;
  /** Records that the function is given together at most. */
  readonly maxRecords: number;
  /** Of one of several workers whose results keep the order of what was written. */
  readonly order: WorkerOrder | undefined;
}

/** Rings that say which results belong to which write. */
export interface WorkerOrder {
  /** To the worker: where a write ends in the input. */
  readonly tickets: Strand<TicketSchema>;
  /** From the worker, one for each ticket: where its results end in the output. */
  readonly receipts: Strand<TicketSchema>;
}

/** Why a worker stops reading whose function has ended well. */
export const EARLY = "the worker's function ended before its input did";

/** Positions up to 2^53. */
export const TICKET_FIELDS = [{ name: 'end', type: 'f64' }] as const;

export type TicketSchema = import('../../schema_types.js').SchemaOf<typeof TICKET_FIELDS>;
