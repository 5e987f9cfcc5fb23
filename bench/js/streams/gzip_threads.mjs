import { gunzipSync } from 'node:zlib';
import { startReader } from './remote_reader.mjs';

const WARM_UP = 8;

/**
 * Workers that gzip pieces of their own, with nothing between them and this thread: what the machine gives to so many
 * threads.
 *
 * @param {number} workers
 */
export async function openGzipThreads(workers) {
  const threads = Array.from({ length: workers }, () => startReader('./gzip_thread.mjs', {}));
  const ask = (count, collect) =>
    Promise.all(
      threads.map((thread, from) => thread.read({ from, step: workers, count, collect }, async () => {})),
    );
  await ask(WARM_UP * workers, false);
  return {
    /** @param {number} count */
    async gzip(count) {
      await ask(count, false);
    },
    /** @param {number} count */
    async collect(count) {
      const kept = await ask(count, true);
      return Array.from({ length: count }, (_, i) => ({
        piece: gunzipSync(kept[i % workers][Math.floor(i / workers)]).toString('latin1'),
      }));
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}
