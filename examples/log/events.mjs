import { Bendec } from 'bendec';

const TEXT_BYTES = 48;

/** What an event's frame holds: bendec's fixed-size structs. */
const bendec = new Bendec({
  types: [
    { name: 'u8', size: 1 },
    { name: 'u64', size: 8 },
    {
      name: 'LogEvent',
      fields: [
        { name: 'timestamp', type: 'u64' },
        { name: 'level', type: 'u8' },
        { name: 'message', type: 'u8', length: TEXT_BYTES },
      ],
    },
  ],
});

export const EVENT_BYTES = bendec.getSize('LogEvent');

/**
 * Writes an event into a frame, which is in the file already.
 *
 * @param {Buffer} frame
 * @param {{ timestamp: bigint, level: number, message: string }} event
 */
export function encodeEvent(frame, { timestamp, level, message }) {
  const text = Buffer.alloc(TEXT_BYTES);
  text.write(message);
  bendec.encodeAs({ timestamp, level, message: text }, 'LogEvent', frame);
}

/** @param {Buffer} frame */
export function decodeEvent(frame) {
  const { timestamp, level, message } = bendec.decodeAs(frame, 'LogEvent');
  const text = Buffer.from(message);
  return { timestamp, level, message: text.toString('utf8', 0, text.indexOf(0)) };
}
