// The main module of a test's process: runs the function whose source came in the environment.

import { writeSync } from 'node:fs';
import { inside } from './inside.mjs';

const { source, data, index } = JSON.parse(process.env.STRAND_CHILD);

// At once, so that what is said right before the end arrives.
const say = (message) => writeSync(3, `${JSON.stringify(message)}\n`);

await inside(source, data, index, { say });
