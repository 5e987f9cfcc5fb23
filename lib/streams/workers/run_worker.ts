import { pipeline } from 'node:stream/promises';
import { argumentError, StrandAbortError } from '../../errors.js';
import { StrandView } from '../../view.js';
import { StrandWriter } from '../../writer.js';
import { BatchTaker } from '../batch_taker.js';
import { ByteTaker } from '../byte_taker.js';
import { reasonOf } from '../reason.js';
import { SABReadable } from '../sab_readable.js';
import { SABWritable } from '../sab_writable.js';
import { StrandSink } from '../strand_sink.js';
import { StrandSource } from '../strand_source.js';
import type { Taker } from '../taker.js';
import { runTickets } from './run_tickets.js';
import { EARLY, type WorkerSetup } from './setup.js';
import { type BatchFunction, classify, isStream, resultOf, type WorkerFunction } from './worker_function.js';
import { resultLayoutOf } from './worker_layout.js';
import { WorkerSource } from './worker_source.js';

/** Runs a worker's file between its rings until the input ends, the function ends, or either fails. */
export async function runWorker(setup: WorkerSetup): Promise<void> {
  const view = new StrandView(setup.input);
  const writer = new StrandWriter(setup.output);
  writer.begin();
  try {
    const { default: exported } = (await import(setup.url)) as { default?: unknown };
    await run(classify(exported, setup.url), setup, view, writer);
  } catch (error) {
    const wasToldToStop = error instanceof StrandAbortError && view.producerStatus === 'error';
    leave(view, writer, reasonOf(error));
    // The other thread has ended the stream and knows why.
    if (wasToldToStop) return;
    throw error;
  }
  view.close();
  writer.close();
}

/** Tells the rings why, and lets go of them. What they make of it replaces no error: the thread's end closes them, too. */
function leave(view: StrandView, writer: StrandWriter, reason: string): void {
  const steps = [
    () => writer.abort(reason),
    () => {
      if (view.producerStatus !== 'error') view.signalAbort(reason);
    },
    () => view.close(),
    () => writer.close(),
  ];
  for (const step of steps) {
    try {
      step();
    } catch {
      // A ring that was taken over or is closed hears of nothing.
    }
  }
}

async function run(
  worker: WorkerFunction,
  setup: WorkerSetup,
  view: StrandView,
  writer: StrandWriter,
): Promise<void> {
  const { order } = setup;
  if (order !== undefined) {
    if (worker.kind !== 'batch') {
      throw argumentError(
        `several workers keep the order only of a function from a batch to a batch, ${setup.url} exports ` +
          `${worker.kind === 'generator' ? 'a generator function' : 'one that makes a Transform'}: use one worker, or ` +
          'ordered: false',
      );
    }
    await runTickets(worker.run, order, setup, { view, writer });
  } else if (worker.kind === 'transform') {
    await runTransform(worker.run(), setup, view, writer);
  } else {
    await runFunction(worker, setup, view, writer);
  }
}

async function runTransform(
  transform: unknown,
  { url, binaryInput, binaryOutput }: WorkerSetup,
  view: StrandView,
  writer: StrandWriter,
): Promise<void> {
  if (!isStream(transform)) {
    throw argumentError(
      `${url} exports a function without parameters, which must return a Transform: a function from a batch to a batch ` +
        'takes the batch as its parameter',
    );
  }
  await pipeline(
    new SABReadable({ view, binary: binaryInput }),
    transform,
    new SABWritable({ writer, binary: binaryOutput }),
  );
}

async function runFunction(
  worker: Exclude<WorkerFunction, { kind: 'transform' }>,
  { url, binaryInput, binaryOutput, maxRecords }: WorkerSetup,
  view: StrandView,
  writer: StrandWriter,
): Promise<void> {
  const taker = (
    binaryInput ? new ByteTaker(view) : new BatchTaker(view, maxRecords, false)
  ) as Taker<unknown>;
  const strandSource = new StrandSource({
    view,
    drain: view.drain(),
    taker,
    zeroCopy: false,
    ownsView: false,
  });
  const source = new WorkerSource(strandSource, binaryInput);
  const sink = new StrandSink({
    writer,
    layout: resultLayoutOf(writer, binaryOutput),
    ownsWriter: false,
    blocking: false,
  });
  if (worker.kind === 'generator') {
    for await (const result of worker.run(source)) await sink.write(result);
  } else {
    await runBatches(worker.run, source, sink, url);
  }
  // The end of the results first: who hears that the input is read no more then knows that this is no failure.
  sink.finish();
  strandSource.close(source.ended ? undefined : EARLY);
}

async function runBatches(
  run: BatchFunction,
  source: WorkerSource,
  sink: StrandSink<unknown>,
  url: string,
): Promise<void> {
  for (;;) {
    const batch = await source.next();
    if (batch === undefined) return;
    await sink.write(await resultOf(run, batch, url));
  }
}
