import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSharedLog } from '../../../dist/log.js';

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const run = promisify(execFile);

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'strand-cli-'));
  file = path.join(folder, 'a.log');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(frames: readonly (string | Uint8Array)[]): void {
  using log = createSharedLog({ path: file, capacityBytes: 65_536, writable: true });
  log.writer?.appendBatch(frames.map((frame) => Buffer.from(frame)));
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function strand(...args: string[]): Promise<Outcome> {
  try {
    return { code: 0, ...(await run(process.execPath, [MAIN, ...args])) };
  } catch (error) {
    return error as Outcome;
  }
}

const linesOf = async (...args: string[]) => (await strand(...args)).stdout.split('\n').slice(0, -1);

describe('strand log', () => {
  test('stat says what the file is and how full, for people and for programs', async () => {
    write(['one', 'three']);
    const { code, stdout } = await strand('log', 'stat', file);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^frames +2$/m);
    expect(JSON.parse((await strand('log', 'stat', '--json', file)).stdout)).toEqual({
      path: file,
      identity: expect.stringMatching(/^[0-9a-f]{16}$/),
      fileBytes: 65_536,
      maxCapacityBytes: 65_536,
      headerSize: 512,
      dataOffset: 512,
      committedSize: 16,
      frames: 2,
      payloadBytes: 8,
      frameLengthBits: 16,
      checksum: 'none',
      maxFrameBytes: 65_531,
    });
  });

  test('dump shows all frames with their cursors: text where it is text, else hex', async () => {
    write(['one', Uint8Array.of(0, 255), '', 'zwölf']);
    expect(await linesOf('log', 'dump', file)).toEqual(['0\tone', '7\t0x00ff', '13\t', '17\tzwölf']);
    expect(await linesOf('log', 'dump', file, '--from', '7', '-n', '2')).toEqual(['7\t0x00ff', '13\t']);
    expect(await linesOf('log', 'dump', file, '--encoding', 'base64', '-n', '1')).toEqual(['0\tb25l']);
    expect((await linesOf('log', 'dump', file, '--json')).map((line) => JSON.parse(line))).toEqual([
      { cursor: '0', bytes: 3, utf8: 'one' },
      { cursor: '7', bytes: 2, hex: '00ff' },
      { cursor: '13', bytes: 0, utf8: '' },
      { cursor: '17', bytes: 6, utf8: 'zwölf' },
    ]);
  });

  test('tail shows the last frames, ten unless told', async () => {
    write(Array.from({ length: 12 }, (_, i) => `${i}`));
    expect(await linesOf('log', 'tail', file)).toHaveLength(10);
    expect(await linesOf('log', 'tail', '-n', '2', file)).toEqual(['50\t10', '56\t11']);
  });

  test('tail -f goes on with the frames that another process writes', async () => {
    using log = createSharedLog({ path: file, capacityBytes: 65_536, writable: true });
    log.writer?.append(Buffer.from('before'));
    const child = spawn(process.execPath, [MAIN, 'log', 'tail', '-f', file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('0\tbefore');
    log.writer?.append(Buffer.from('behind'));
    expect((await lines.next()).value).toBe('10\tbehind');
    child.kill();
    await once(child, 'exit');
  });

  test('verify ends with 1 at the first frame that is not sound, and says where', async () => {
    write(['one', 'two', 'three']);
    expect(await strand('log', 'verify', file)).toMatchObject({
      code: 0,
      stdout: '3 frames of 11 bytes are sound\n',
    });
    const bytes = readFileSync(file);
    bytes.writeUInt16LE(9, 512 + 7 + 5); // the second frame's last length
    writeFileSync(file, bytes);
    const { code, stdout } = await strand('log', 'verify', file);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^1 frames of 3 bytes are sound, then: .*ERR_SHM_FRAME_CORRUPT.* byte 519/);
    expect(JSON.parse((await strand('log', 'verify', '--json', file)).stdout)).toMatchObject({
      sound: false,
      frames: 1,
    });
  });

  test('a file that is no log, or not there, is one line and exit code 1', async () => {
    writeFileSync(file, 'something else that is long enough');
    for (const name of [file, path.join(folder, 'none')]) {
      const { code, stderr } = await strand('log', 'dump', name);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^strand: .*\n$/);
      expect(stderr).toContain(name);
    }
    expect(readFileSync(file, 'utf8')).toBe('something else that is long enough');
  });

  test.each([
    [[], 'a command is missing'],
    [['logs'], "no command 'logs'"],
    [['log'], 'a command is missing'],
    [['log', 'constructor', 'x'], "no command 'log constructor'"],
    [['log', 'stat'], 'log stat takes one file'],
    [['log', 'stat', 'a', 'b'], 'log stat takes one file'],
    [['log', 'dump', 'a', '-n', '-1'], '-n'],
    [['log', 'dump', 'a', '--from', 'x'], '--from takes an integer'],
    [['log', 'dump', 'a', '-f'], '--follow is an option of tail'],
    [['log', 'dump', 'a', '--encoding', 'x'], "no encoding 'x'"],
    [['log', 'dump', 'a', '--what'], '--what'],
  ])('arguments that make no sense end with 2 and the usage: %j', async (args, why) => {
    const { code, stderr } = await strand(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
    expect(stderr).toContain('usage: strand log COMMAND FILE');
  });

  test('--help is no error', async () => {
    expect((await strand('--help')).stdout).toContain('usage: strand log COMMAND FILE');
    expect((await strand('log', '-h')).stdout).toContain('commands:');
  });

  test('ends quietly when its reader goes', async () => {
    write(Array.from({ length: 3_000 }, (_, i) => `frame ${i}`));
    const child = spawn(process.execPath, [MAIN, 'log', 'dump', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let errors = '';
    child.stderr.on('data', (text) => {
      errors += text;
    });
    const [code] = await once(child, 'close');
    expect([code, errors]).toEqual([0, '']);
  });
});
