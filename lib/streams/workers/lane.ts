import { Worker } from 'node:worker_threads';
import { describeValue } from '../../describe_value.js';
import { StrandAbortError, StrandError } from '../../errors.js';
import { createStrand } from '../../strand.js';
import { StrandView } from '../../view.js';
import { StrandWriter } from '../../writer.js';
import { ringOf, type WorkerStreamOptions } from './options.js';
import { TICKET_FIELDS, type TicketSchema, type WorkerOrder, type WorkerSetup } from './setup.js';

/** A thread that was told to end may take this long to clean up. */
const GRACE_MILLIS = 500;

export interface LaneOptions {
  readonly url: string;
  readonly options: WorkerStreamOptions;
  readonly maxRecords: number;
  /** Whether the results of several workers are to be put in order. */
  readonly ordered: boolean;
}

/** One worker of a stream, with the ring to it and the ring from it. */
export class Lane {
  readonly worker: Worker;
  readonly writer: StrandWriter;
  readonly view: StrandView;
  /** Of ordered workers. */
  readonly tickets: StrandWriter<TicketSchema> | undefined;
  readonly receipts: StrandView<TicketSchema> | undefined;
  /** The worker has ended its stream without having read all of its input. */
  inputClosed = false;
  readonly #gone: Promise<void>;
  #unwatch = (): void => {};
  #fault: Error | undefined;
  #exitCode: number | undefined;

  constructor({ url, options, maxRecords, ordered }: LaneOptions) {
    const into = ringOf(options.schemaIn, options);
    const from = ringOf(options.schemaOut, options);
    const input = createStrand(into.schema, into.options);
    const output = createStrand(from.schema, from.options);
    const order = ordered ? ringsForOrder(input.map.index_capacity) : undefined;
    const opened: { close(): void }[] = [];
    const open = <T extends { close(): void }>(side: T): T => {
      opened.push(side);
      return side;
    };
    let worker: Worker | undefined;
    try {
      this.writer = open(new StrandWriter(input));
      this.view = open(new StrandView(output));
      this.tickets = order && open(new StrandWriter(order.tickets));
      this.receipts = order && open(new StrandView(order.receipts));
      this.writer.begin();
      this.tickets?.begin();
      worker = new Worker(new URL('./worker_main.js', import.meta.url), {
        ...options.worker,
        workerData: options.workerData,
      });
      this.worker = worker;
      this.#gone = this.#listen(worker);
      const setup: WorkerSetup = {
        url,
        input,
        output,
        binaryInput: options.schemaIn === undefined,
        binaryOutput: options.schemaOut === undefined,
        maxRecords,
        order,
      };
      worker.postMessage(setup);
    } catch (error) {
      // Nobody gets a lane that could close them; a thread that is left would wait for its setup for ever.
      void worker?.terminate();
      for (const side of opened) side.close();
      throw error;
    }
  }

  /** @returns what settles when the thread has ended */
  #listen(worker: Worker): Promise<void> {
    worker.on('error', (error: unknown) => {
      this.#fault ??= error instanceof Error ? error : new Error(`the worker threw ${describeValue(error)}`);
    });
    return new Promise((resolve) => {
      worker.once('exit', (code) => {
        this.#exitCode = code;
        resolve();
      });
    });
  }

  /** Calls `onOver` if the worker stops reading while nothing is being written. */
  watch(onOver: (error: Error) => void): void {
    this.#unwatch = this.writer.watch(onOver);
  }

  /**
   * Whether a write was refused because the worker's function has ended its results without having read all: then the
   * other workers go on. The watch hears of that only in a later turn.
   */
  endedEarly(refusal: unknown): boolean {
    if (!(refusal instanceof StrandAbortError) || this.view.producerStatus !== 'eos') return false;
    this.inputClosed = true;
    return true;
  }

  /** There is no more input. */
  finish(): void {
    this.#unwatch();
    this.writer.finalize();
    this.tickets?.finalize();
  }

  /** Settles when the thread has ended. @returns what is wrong with that, if anything is */
  async ended(): Promise<Error | undefined> {
    await this.#gone;
    if (this.#fault !== undefined) return this.#fault;
    if (this.view.producerStatus === 'eos') return undefined;
    return new StrandError(
      'ERR_STRAND_WORKER',
      `the worker ended with code ${this.#exitCode} before its stream did: let its function return, and throw errors`,
    );
  }

  /** The thread has no more to do: it may end by itself for a moment, then it is ended. */
  async leave(): Promise<void> {
    const patience = setTimeout(() => void this.worker.terminate(), GRACE_MILLIS);
    await this.#gone;
    clearTimeout(patience);
  }

  /** Lets go of the rings. @param reason why, before the end of the streams; undefined behind it */
  close(reason: string | undefined): void {
    if (reason !== undefined) {
      if (this.view.producerStatus !== 'eos') this.view.signalAbort(reason);
      this.writer.abort(reason);
      this.tickets?.abort(reason);
      this.receipts?.signalAbort(reason);
    }
    this.writer.close();
    this.view.close();
    this.tickets?.close();
    this.receipts?.close();
  }
}

/** A ticket stands for one record at least, so a ring of tickets is never full before that of the records is. */
function ringsForOrder(indexCapacity: number): WorkerOrder {
  return {
    tickets: createStrand(TICKET_FIELDS, { indexCapacity }),
    receipts: createStrand(TICKET_FIELDS, { indexCapacity }),
  };
}
