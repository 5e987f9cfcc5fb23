// Prints the events of a log as they come, until the one that says 'end'.
//
//   node examples/log/follow.mjs FILE

import { createSharedLog } from '@strand/core/log';
import { decodeEvent } from './events.mjs';

const log = createSharedLog({ path: process.argv[2] });
for await (const frame of log.tail({ from: 'oldest' })) {
  const { level, message } = decodeEvent(frame);
  if (message === 'end') break;
  console.log(`[${level}] ${message}`);
}
log.close();
