import { createPath as createPathToMain } from '../chunks/post_message.mjs';

export { openConsumer, openProducer } from '../chunks/post_message.mjs';

/**
 * As from a worker to the main thread, with the ends exchanged.
 *
 * @type {import('../chunks/chunk_path.mjs').ChunkPathModule['createPath']}
 */
export function createPath(options) {
  const { handle: producerSide, mainSide: consumerSide } = createPathToMain(options);
  return { handle: consumerSide, transferList: [consumerSide.port], mainSide: producerSide };
}
