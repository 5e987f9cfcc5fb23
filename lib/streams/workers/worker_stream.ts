import { Duplex } from 'node:stream';
import type { Worker } from 'node:worker_threads';
import { StrandAbortError, StrandClosedError } from '../../errors.js';
import { abortError } from '../../status_error.js';
import type { StrandView } from '../../view.js';
import { BatchTaker } from '../batch_taker.js';
import { ByteTaker } from '../byte_taker.js';
import { batchLayout, byteLayout, type ChunkLayout, mostBytes, recordLayout } from '../chunk_layout.js';
import { heed } from '../modes.js';
import { Pump } from '../pump.js';
import { reasonOf } from '../reason.js';
import { RecordTaker } from '../record_taker.js';
import { type StreamStats, statsOfView, statsOfWriter } from '../stream_stats.js';
import type { Taker } from '../taker.js';
import { Lane, type LaneOptions } from './lane.js';
import { LaneSource } from './lane_source.js';
import { MergedSource } from './merged_source.js';
import { checkWorkerOptions, urlOf, type WorkerStreamOptions } from './options.js';
import { OrderedSource } from './ordered_source.js';
import { PoolSink } from './pool_sink.js';
import { EARLY } from './setup.js';

type Callback = (error?: Error | null) => void;

/** The error that has ended a worker reaches this thread behind that of its rings, at most so much. */
const FAULT_PATIENCE_MILLIS = 500;

/** What has gone to the workers and come from them. */
export interface WorkerStreamStats {
  readonly input: StreamStats;
  readonly output: StreamStats;
  /** The same for each worker. */
  readonly workers: readonly { readonly input: StreamStats; readonly output: StreamStats }[];
}

/**
 * A `Duplex` whose middle runs in workers: what is written goes through a ring to one of them, what they give comes back
 * through another.
 */
export class WorkerStream<In = unknown, Out = unknown> extends Duplex {
  readonly #lanes: readonly Lane[];
  readonly #sink: PoolSink<In>;
  readonly #pump: Pump<Out>;
  readonly #ordered: OrderedSource<Out> | undefined;
  /** A write that waits for what the stream's end will be. */
  #held: Callback | undefined;
  #endedEarly: Error | undefined;
  #patience: NodeJS.Timeout | undefined;

  /** @throws TypeError, RangeError options without a meaning */
  constructor(file: string | URL, options: WorkerStreamOptions) {
    const { workers, batch, ordered, maxRecords, mark, signal } = checkWorkerOptions(options);
    const { schemaIn, schemaOut } = options;
    const url = urlOf(file);
    super({
      writableObjectMode: schemaIn !== undefined,
      readableObjectMode: schemaOut !== undefined,
      ...mark,
    });
    const lane = { url, options, maxRecords, ordered: ordered && workers > 1 };
    this.#lanes = startLanes(workers, lane);
    const sources = this.#lanes.map(
      (each) => new LaneSource<Out>(each, takerOf(each.view, options, maxRecords) as Taker<Out>),
    );
    this.#ordered = lane.ordered ? new OrderedSource(sources) : undefined;
    const [first] = this.#lanes as readonly [Lane];
    this.#sink = new PoolSink<In>(
      this.#lanes,
      layoutOf(first, schemaIn === undefined, batch) as ChunkLayout<In>,
      this.#ordered && ((each) => this.#ordered?.add(each)),
    );
    this.#pump = new Pump<Out>(this, {
      source: this.#ordered ?? new MergedSource(sources),
      zeroCopy: false,
      waitSync: undefined,
      fail: (error) => this.#ringFailed(error),
    });
    for (const each of this.#lanes) {
      each.watch((error) => this.#inputEnded(each, error));
      void each.ended().then((problem) => {
        if (problem !== undefined) this.destroy(problem);
      });
    }
    // Now, and not with the news from the rings: who has read to the end may destroy the stream behind this.
    this.once('end', () => {
      this.#endedEarly ??= abortError('a consumer', EARLY);
      this.#endEarly();
    });
    heed(signal, this);
  }

  /** The threads, for monitors and for messages of one's own. */
  get workers(): readonly Worker[] {
    return this.#lanes.map(({ worker }) => worker);
  }

  /** What has gone through the rings, and who waited for whom. */
  stats(): WorkerStreamStats {
    const workers = this.#lanes.map(({ writer, view }) => ({
      input: statsOfWriter(writer),
      output: statsOfView(view),
    }));
    return {
      input: sumOf(workers.map(({ input }) => input)),
      output: sumOf(workers.map(({ output }) => output)),
      workers,
    };
  }

  /** Of the base class's type, by which `pipeline` takes a duplex for one. */
  override read(size?: number): ReturnType<Duplex['read']> {
    const chunk: ReturnType<Duplex['read']> = super.read(size);
    this.#pump.given();
    return chunk;
  }

  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<Out> {
    return super[Symbol.asyncIterator]() as NodeJS.AsyncIterator<Out>;
  }

  override _read(): void {
    this.#pump.read();
  }

  override _write(chunk: In, _encoding: BufferEncoding, callback: Callback): void {
    this.#put([chunk], callback);
  }

  override _writev(chunks: { chunk: In; encoding: BufferEncoding }[], callback: Callback): void {
    this.#put(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  override _final(callback: Callback): void {
    try {
      this.#sink.finish();
      this.#ordered?.finish();
      callback();
    } catch (error) {
      callback(error as Error);
    }
  }

  override _destroy(error: Error | null, callback: Callback): void {
    clearTimeout(this.#patience);
    this.#sink.stop();
    const clean = this.#pump.ended && this.writableFinished;
    const reason = clean
      ? undefined
      : error === null
        ? 'the stream was destroyed before its end'
        : reasonOf(error);
    let problem: unknown = error;
    for (const close of [() => this.#pump.stop(), ...this.#lanes.map((lane) => () => lane.close(reason))]) {
      try {
        close();
      } catch (thrown) {
        problem ??= thrown;
      }
    }
    this.#held?.((problem as Error | null) ?? destroyedError());
    void Promise.all(this.#lanes.map((lane) => lane.leave())).then(() => callback(problem as Error | null));
  }

  #put(chunks: readonly In[], callback: Callback): void {
    let written: Promise<void> | undefined;
    try {
      written = this.#sink.write(chunks);
    } catch (error) {
      this.#refused(error as Error, callback);
      return;
    }
    if (written === undefined) callback();
    else
      written.then(
        () => callback(),
        (error: Error) => this.#refused(error, callback),
      );
  }

  /** A write has failed. If the workers were the reason, it fails when all is read that they gave, or with their error. */
  #refused(error: Error, callback: Callback): void {
    if (this.destroyed) {
      callback(this.errored ?? destroyedError());
      return;
    }
    if (!(error instanceof StrandAbortError)) {
      callback(error);
      return;
    }
    this.#held = callback;
    if (this.#lanes.every(({ inputClosed }) => inputClosed)) {
      this.#endedEarly ??= error;
      this.#endEarly();
    } else {
      this.#ringFailed(error);
    }
  }

  /** A worker reads no more. */
  #inputEnded(lane: Lane, error: Error): void {
    if (!lane.endedEarly(error)) {
      this.#ringFailed(error);
      return;
    }
    if (!this.#lanes.every(({ inputClosed }) => inputClosed)) return;
    this.#endedEarly = error;
    this.#endEarly();
  }

  /** Workers that ended early have given what they had: that is delivered before the writing side hears of it. */
  #endEarly(): void {
    if (this.#endedEarly !== undefined && this.readableEnded && !this.writableFinished) {
      this.destroy(this.#endedEarly);
    }
  }

  /** A ring's error says that a worker is failing; the worker's own says why. */
  #ringFailed(error: Error): void {
    if (this.destroyed) return;
    if (!(error instanceof StrandAbortError)) this.destroy(error);
    else this.#patience ??= setTimeout(() => this.destroy(error), FAULT_PATIENCE_MILLIS);
  }
}

/** What a write is told that has waited for room when its stream was destroyed without an error. */
function destroyedError(): StrandClosedError {
  return new StrandClosedError('the stream was destroyed before this write was in the ring');
}

/** All of them or none: what the second thread is refused, such as a port that the first was given, ends the first. */
function startLanes(count: number, options: LaneOptions): Lane[] {
  const lanes: Lane[] = [];
  try {
    while (lanes.length < count) lanes.push(new Lane(options));
  } catch (error) {
    for (const lane of lanes) {
      lane.close('another worker of the stream could not be started');
      void lane.leave();
    }
    throw error;
  }
  return lanes;
}

function takerOf(
  view: StrandView,
  { schemaOut, batch }: WorkerStreamOptions,
  maxRecords: number,
): Taker<unknown> {
  if (schemaOut === undefined) return new ByteTaker(view);
  return batch ? new BatchTaker(view, maxRecords, false) : new RecordTaker(view, false);
}

function layoutOf({ writer }: Lane, binary: boolean, batch: boolean): ChunkLayout<never> {
  const [only] = writer.map.schema.fields;
  if (binary && only !== undefined) return byteLayout(only.name, mostBytes(writer.map)) as ChunkLayout<never>;
  return (batch ? batchLayout : recordLayout) as ChunkLayout<never>;
}

function sumOf(all: readonly StreamStats[]): StreamStats {
  const sum = (name: keyof StreamStats): number => all.reduce((total, stats) => total + stats[name], 0);
  return {
    produced: sum('produced'),
    consumed: sum('consumed'),
    producerWaits: sum('producerWaits'),
    consumerWaits: sum('consumerWaits'),
    queueDepth: sum('queueDepth'),
  };
}
