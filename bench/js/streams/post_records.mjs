import { createChannel as createChannelToMain } from '../channels/post_message.mjs';

export { openConsumer, openProducer } from '../channels/post_message.mjs';

/**
 * As from a worker to the main thread, with the ends exchanged.
 *
 * @type {import('../channels/channel.mjs').ChannelModule['createChannel']}
 */
export function createChannel(workload, geometry) {
  const { handle: producerSide, mainSide: consumerSide } = createChannelToMain(workload, geometry);
  return { handle: consumerSide, transferList: [consumerSide.port], mainSide: producerSide };
}
