// Two processes over one log: this one writes events, its child follows them.
//
//   node examples/log/main.mjs [FILE]

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSharedLog } from '@strand/core/log';
import { EVENT_BYTES, encodeEvent } from './events.mjs';

const [given] = process.argv.slice(2);
const folder = given === undefined ? mkdtempSync(path.join(tmpdir(), 'strand-log-')) : undefined;
const file = given ?? path.join(folder, 'events.log');

const log = createSharedLog({ path: file, capacityBytes: 1024 * 1024, writable: true });

/** @param {Omit<Parameters<typeof encodeEvent>[1], 'timestamp'>} event */
function record(event) {
  // The frame is memory of the file: what is encoded into it need not be copied.
  const frame = log.writer.allocate(EVENT_BYTES);
  encodeEvent(frame, { timestamp: BigInt(Date.now()), ...event });
  log.writer.commit();
}

record({ level: 1, message: 'written before anybody reads' });

const follower = fileURLToPath(new URL('follow.mjs', import.meta.url));
const child = spawn(process.execPath, [follower, file], { stdio: ['ignore', 'pipe', 'inherit'] });
child.stdout.pipe(process.stdout);
// Once it has said something it is asleep until there is more.
await once(child.stdout, 'data');

record({ level: 2, message: 'woke the other process' });
record({ level: 0, message: 'end' });
await once(child, 'close');

log.close();
if (folder !== undefined) rmSync(folder, { recursive: true });
