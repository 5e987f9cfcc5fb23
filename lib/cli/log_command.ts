import { parseArgs } from 'node:util';
import { createSharedLog } from '../log/create_shared_log.js';
import type { SharedLog } from '../log/shared_log.js';
import { describeFrame, type FrameEncoding, isEncoding } from './describe_frame.js';
import { statOf, walk } from './log_stat.js';
import type { Output } from './output.js';
import { UsageError } from './usage_error.js';

export const LOG_USAGE = `commands:
  stat FILE             what the file is and how full
  verify FILE           compares the lengths, and checksums, of all frames; ends with 1 at the first that is not sound
  tail [-f] [-n N] FILE the last N frames (10), and with -f those that come
  dump FILE             all frames

options:
  --json                an object a line, for programs
  --encoding NAME       how frames are shown: auto (text where it is text, else hex), utf8, hex, base64
  -f, --follow          of tail: go on with frames as they come
  -n, --count N         of tail, dump: frames at most
  --from CURSOR         of tail, dump: begin at this cursor
  -h, --help            this text`;

const TAIL_FRAMES = 10;

interface Request {
  readonly log: SharedLog;
  readonly output: Output;
  readonly path: string;
  readonly isJson: boolean;
  readonly encoding: FrameEncoding;
  readonly follow: boolean;
  readonly count: number | undefined;
  readonly from: bigint | undefined;
}

const COMMANDS: Readonly<Record<string, (request: Request) => Promise<number>>> = {
  stat,
  verify,
  tail,
  dump,
};

/** @param args behind `strand log` → exit code */
export async function runLog(args: readonly string[], output: Output): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.help) {
    await output.line(LOG_USAGE);
    return 0;
  }
  const [name = '', path, ...rest] = positionals;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    throw new UsageError(name === '' ? 'a command is missing' : `no command 'log ${name}'`);
  }
  if (path === undefined || rest.length > 0) throw new UsageError(`log ${name} takes one file`);
  const { encoding = 'auto' } = values;
  if (!isEncoding(encoding)) throw new UsageError(`no encoding '${encoding}'`);
  const isTail = name === 'tail';
  if (values.follow && !isTail) throw new UsageError(`--follow is an option of tail, not of ${name}`);
  const request = {
    output,
    path,
    encoding,
    isJson: values.json ?? false,
    follow: values.follow ?? false,
    count: integerOf('--count', values.count, Number),
    from: integerOf('--from', values.from, BigInt),
  };
  using log = createSharedLog({ path, debugChecks: name === 'verify' });
  return await command({ ...request, log });
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        encoding: { type: 'string' },
        follow: { type: 'boolean', short: 'f' },
        count: { type: 'string', short: 'n' },
        from: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function integerOf<T>(option: string, text: string | undefined, convert: (text: string) => T): T | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new UsageError(`${option} takes an integer of at least 0, got '${text}'`);
  return convert(text);
}

async function stat({ log, output, path, isJson }: Request): Promise<number> {
  const facts = statOf(log, path);
  if (isJson) {
    await output.line(JSON.stringify(facts));
    return 0;
  }
  const width = Math.max(...Object.keys(facts).map((name) => name.length));
  for (const [name, value] of Object.entries(facts)) await output.line(`${name.padEnd(width)}  ${value}`);
  return 0;
}

async function verify({ log, output, path, isJson }: Request): Promise<number> {
  const { frames, bytes, damage } = walk(log);
  if (isJson) {
    await output.line(JSON.stringify({ path, sound: damage === undefined, frames, bytes, damage }));
  } else {
    const found = `${frames} frames of ${bytes} bytes are sound`;
    await output.line(damage === undefined ? found : `${found}, then: ${damage}`);
  }
  return damage === undefined ? 0 : 1;
}

async function dump({
  log,
  output,
  from,
  count = Number.POSITIVE_INFINITY,
  ...show
}: Request): Promise<number> {
  using iterator = log.createIterator(from === undefined ? {} : { startCursor: from });
  for (let shown = 0; shown < count; shown++) {
    const cursor = iterator.cursor();
    const frame = iterator.next();
    if (frame === null) break;
    await output.line(describeFrame(frame, cursor, show));
  }
  return 0;
}

async function tail(request: Request): Promise<number> {
  const { log, output, follow, from, count = TAIL_FRAMES } = request;
  let cursor = from;
  if (cursor === undefined) {
    using iterator = log.createIterator();
    iterator.seek(iterator.committedSize());
    for (let back = 0; back < count && iterator.prev() !== null; back++);
    cursor = iterator.cursor();
  }
  using iterator = log.createIterator({ startCursor: cursor });
  for (let shown = 0; follow || from === undefined || shown < count; shown++) {
    const at = iterator.cursor();
    const frame = iterator.next();
    if (frame !== null) await output.line(describeFrame(frame, at, request));
    else if (!follow) break;
    else await iterator.wait();
  }
  return 0;
}
