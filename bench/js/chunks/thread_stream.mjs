import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import ThreadStream from 'thread-stream';
import { makeChunks } from './chunks.mjs';

const CONSUMER = fileURLToPath(new URL('./thread_stream_consumer.mjs', import.meta.url));

/** A thread-stream that only its own listeners refer to may be collected, which ends its worker. */
const openStreams = new Set();

/**
 * thread-stream goes from the thread that makes it to a worker: here the main thread sends and a worker
 * reads. It carries UTF-8 and keeps no boundaries, so the consumer compares the text as it comes.
 *
 * @param {import('./chunk_path.mjs').ChunkOptions} options
 */
export async function openThreadStreamPath({ chunkBytes, underWay }) {
  const stream = new ThreadStream({
    filename: CONSUMER,
    workerData: { chunkBytes },
    workerOpts: {},
    bufferSize: chunkBytes * underWay,
  });
  openStreams.add(stream);
  const failed = once(stream, 'error').then(([error]) => {
    throw error;
  });
  failed.catch(() => {});
  await Promise.race([once(stream, 'ready'), failed]);
  const chunks = makeChunks(chunkBytes);

  async function send(count, collect) {
    // Through the port, which is not in order with the stream: the worker answers when it has both.
    stream.emit('message', { count, collect });
    const answered = once(stream, 'read');
    for (let i = 0; i < count; i++) {
      if (!stream.write(chunks[i % chunks.length])) await Promise.race([once(stream, 'drain'), failed]);
    }
    const [answer] = await Promise.race([answered, failed]);
    return answer;
  }

  return {
    async transfer(count) {
      const { wrong } = await send(count, false);
      if (wrong > 0) throw new Error(`${wrong} stretches arrived changed`);
    },
    async collect(count) {
      return (await send(count, true)).collected;
    },
    async close() {
      stream.end();
      await once(stream, 'close');
      openStreams.delete(stream);
    },
  };
}
