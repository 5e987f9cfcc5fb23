import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import ThreadStream from 'thread-stream';
import { BATCH } from '../records.mjs';

const CONSUMER = fileURLToPath(new URL('./thread_stream_consumer.mjs', import.meta.url));

/** A thread-stream that only its own listeners refer to may be collected, which ends its worker. */
const openStreams = new Set();

/**
 * Records as NDJSON through a thread-stream, which goes from the thread that makes it to a worker: here the
 * main thread sends and a worker reads. The consumer's sum comes back at the end.
 *
 * @param {import('./channel.mjs').Workload} workload
 * @param {{ workloadName: string, workloadOptions?: object, geometry: import('./channel.mjs').Geometry }} options
 */
export async function openThreadStream(workload, { workloadName, workloadOptions, geometry }) {
  const stream = new ThreadStream({
    filename: CONSUMER,
    workerData: { workloadName, workloadOptions },
    workerOpts: {},
    bufferSize: geometry.heapBytes,
  });
  openStreams.add(stream);
  const failed = once(stream, 'error').then(([error]) => {
    throw error;
  });
  failed.catch(() => {});
  await Promise.race([once(stream, 'ready'), failed]);
  const { batches } = workload;

  async function send(records, collect) {
    stream.emit('message', { records, collect });
    const answered = once(stream, 'read');
    for (let batch = 0; batch < records / BATCH; batch++) {
      let lines = '';
      for (const record of batches[batch % batches.length]) lines += `${JSON.stringify(record)}\n`;
      if (!stream.write(lines)) await Promise.race([once(stream, 'drain'), failed]);
    }
    const [answer] = await Promise.race([answered, failed]);
    return answer;
  }

  return {
    workload,
    async sum(records) {
      return (await send(records, false)).total;
    },
    async collect(records) {
      return (await send(records, true)).collected;
    },
    async close() {
      stream.end();
      await once(stream, 'close');
      openStreams.delete(stream);
    },
  };
}
