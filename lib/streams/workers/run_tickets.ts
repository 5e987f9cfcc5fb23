import { StrandView } from '../../view.js';
import { StrandWriter } from '../../writer.js';
import { BatchTaker } from '../batch_taker.js';
import { ByteTaker } from '../byte_taker.js';
import { NONE } from '../chunk_source.js';
import { StrandSink } from '../strand_sink.js';
import type { Taker } from '../taker.js';
import { Turns } from '../turns.js';
import type { WorkerOrder, WorkerSetup } from './setup.js';
import { type BatchFunction, resultOf } from './worker_function.js';
import { resultLayoutOf } from './worker_layout.js';

/** Runs a function over one write after the other, a large one in several batches, and says where the results of each end. */
export async function runTickets(
  run: BatchFunction,
  order: WorkerOrder,
  { url, binaryInput, binaryOutput, maxRecords }: WorkerSetup,
  { view, writer }: { readonly view: StrandView; readonly writer: StrandWriter },
): Promise<void> {
  const sink = new StrandSink({
    writer,
    layout: resultLayoutOf(writer, binaryOutput),
    ownsWriter: false,
    blocking: false,
  });
  const input = view.drain();
  using tickets = new StrandView(order.tickets);
  using receipts = new StrandWriter(order.receipts);
  receipts.begin();
  view.guard(true);
  const writes = tickets.drain();
  const turns = new Turns();
  const taker = (
    binaryInput ? new ByteTaker(view) : new BatchTaker(view, maxRecords, false)
  ) as Taker<unknown>;
  for (;;) {
    const { seq } = writes;
    if ((await writes.next()) === seq) break;
    const [end = 0] = tickets.readColumn('end', seq, seq + 1);
    // What a ticket stands for was committed before it; a look lets the taker see it.
    input.look(taker.next);
    while (taker.next < end) {
      const batch = binaryInput ? bytesBefore(end, taker as Taker<Buffer>) : taker.take(end);
      await sink.write(await resultOf(run, batch, url));
      if (taker.next < end) await turns.give();
    }
    const { recordsProduced } = writer.stats();
    // Behind the results, and before those of the next write.
    if (!receipts.tryWrite({ end: recordsProduced }))
      await receipts.writeRecordBatchAsync([{ end: recordsProduced }]);
    // The ticket first: there are never more of them than records.
    writes.release(seq + 1);
    input.release(end);
    // Behind the receipt, so that the other thread wakes once for both.
    await turns.give();
  }
  view.guard(false);
  receipts.finalize();
  sink.finish();
}

/** All bytes up to a position. */
function bytesBefore(end: number, taker: Taker<Buffer>): Buffer {
  const chunks: Buffer[] = [];
  while (taker.next < end) {
    const chunk = taker.take(end);
    if (chunk !== NONE) chunks.push(chunk);
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}
