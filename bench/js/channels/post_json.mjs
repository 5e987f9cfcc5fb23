import { openConsumer as openMessageConsumer, openProducer as openMessageProducer } from './post_message.mjs';

export { createChannel } from './post_message.mjs';

/**
 * As postMessage, with each batch as JSON in UTF-8, whose bytes are transferred and not cloned.
 *
 * @type {import('./channel.mjs').ChannelModule['openProducer']}
 */
export function openProducer(handle) {
  const encoder = new TextEncoder();
  return openMessageProducer(handle, (batch) => {
    const bytes = encoder.encode(JSON.stringify(batch));
    handle.port.postMessage(bytes, [bytes.buffer]);
  });
}

/** @type {import('./channel.mjs').ChannelModule['openConsumer']} */
export function openConsumer(handle, workload) {
  const decoder = new TextDecoder();
  return openMessageConsumer(handle, workload, (bytes) => JSON.parse(decoder.decode(bytes)));
}
