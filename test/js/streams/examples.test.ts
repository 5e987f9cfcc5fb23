import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { beforeAll, describe, expect, test } from 'vitest';
import { freshFolder, root } from '../support/markdown.js';

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs an example in an empty folder for its temporary files. */
async function runExample(name: string, args: readonly string[]): Promise<Outcome> {
  const main = path.join(root, 'examples/streams', name, 'main.mjs');
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, TMPDIR: temporary } });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const [code] = await once(child, 'close');
  return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
}

function failure(code: number, ...lines: readonly string[]): Outcome {
  return { code, stdout: '', stderr: `${lines.join('\n')}\n` };
}

let folder: string;
let temporary: string;

beforeAll(() => {
  folder = freshFolder('stream-examples');
  temporary = freshFolder('stream-examples-temporary');
});

describe.each([{ flags: [] }, { flags: ['--one-thread'] }])('examples/streams/bytes $flags', ({ flags }) => {
  test('makes its own input, finds it again and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await runExample('bytes', [...flags, '--megabytes', '3']);
    expect({ code, stderr }).toStrictEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^unpacked +3\.0 MiB$/m);
    expect(stdout).toMatch(/^sha3-512 +[0-9a-f]{128}, as of what went in$/m);
    expect(stdout).toMatch(/^main thread +busy for \d+ % of it$/m);
    expect(readdirSync(temporary)).toStrictEqual([]);
  });

  test('unpacks a file beside it, or where it is told to', async () => {
    const content = Buffer.concat([randomBytes(700_000), Buffer.alloc(5_000_000, 'strand ')]);
    const packed = path.join(folder, 'content.gz');
    writeFileSync(packed, gzipSync(content));
    const elsewhere = path.join(folder, 'elsewhere');
    for (const [args, output] of [
      [[packed], path.join(folder, 'content')],
      [[packed, elsewhere], elsewhere],
    ] as const) {
      const { code, stdout } = await runExample('bytes', [...flags, ...args]);
      expect(code).toBe(0);
      expect(stdout).toContain(createHash('sha3-512').update(content).digest('hex'));
      expect(readFileSync(output).equals(content), output).toBe(true);
    }
  });

  test('says what is wrong with a file, and keeps no part of the output', async () => {
    const output = path.join(folder, 'none');
    const file = (name: string, content: Buffer): string => {
      writeFileSync(path.join(folder, name), content);
      return path.join(folder, name);
    };
    const missing = path.join(folder, 'missing.gz');
    const text = file('text.gz', Buffer.from('no gzip'));
    const packed = gzipSync(randomBytes(2_000_000));
    const cut = file('cut.gz', packed.subarray(0, 1_500_000));
    const changed = file('changed.gz', Buffer.concat([packed.subarray(0, -8), Buffer.alloc(8)]));
    const damaged = (name: string, why: string) =>
      failure(1, `error: ${name} is no gzip file, or is damaged: ${why}`);
    const run = (input: string) => runExample('bytes', [...flags, input, output]);
    expect(await run(missing)).toStrictEqual(
      failure(1, `error: ENOENT: no such file or directory, open '${missing}'`),
    );
    expect(await run(text)).toStrictEqual(damaged(text, 'incorrect header check'));
    expect(await run(cut)).toStrictEqual(damaged(cut, 'unexpected end of file'));
    expect(await run(changed)).toStrictEqual(damaged(changed, 'incorrect data check'));
    expect(existsSync(output)).toBe(false);
    expect(existsSync(`${output}.part`)).toBe(false);
  });
});

describe('the command line of examples/streams', () => {
  test.each(['bytes', 'rows'])('%s: explains itself', async (name) => {
    const { code, stdout } = await runExample(name, ['--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`usage: node examples/streams/${name}/main.mjs [options]`);
  });

  test.each([
    ['bytes', ['--nonsense'], "Unknown option '--nonsense'"],
    ['bytes', ['--megabytes', '0'], "--megabytes takes a whole number from 1, got '0'"],
    ['bytes', ['a.gz', 'b', 'c'], '2 names at most, got 3: quote a name with spaces'],
    ['rows', ['--by', 'colour'], "--by takes species, size, phase, state, airline, time, got 'colour'"],
    ['rows', ['--top', 'x'], "--top takes a whole number from 1, got 'x'"],
    ['rows', ['a', 'b'], '1 names at most, got 2: quote a name with spaces'],
  ])('%s %j: says what is wrong', async (name, args, message) => {
    expect(await runExample(name, args)).toStrictEqual(failure(2, `error: ${message}`, 'try: --help'));
  });

  test('a packed file without .gz needs the name of the output', async () => {
    expect(await runExample('bytes', ['a.zip'])).toStrictEqual(
      failure(1, 'error: a.zip does not end in .gz: name the output too'),
    );
  });
});

describe('examples/streams/rows', () => {
  const file = fileURLToPath(new URL('../data/birdstrikes.csv', import.meta.resolve('vega-datasets')));
  const text = readFileSync(file, 'utf8');
  const rows: Record<string, string>[] = parse(text, { columns: true });

  /** What the table should say, made on one thread. */
  function expectedTable(column: string, wanted: (row: Record<string, string>) => boolean): string[][] {
    const groups = new Map<string, Record<string, string>[]>();
    for (const row of rows.filter((row) => row[column] !== '' && wanted(row))) {
      const name = row[column] as string;
      groups.set(name, [...(groups.get(name) ?? []), row]);
    }
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    const shown = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
    return [...groups]
      .map(([name, members]) => {
        const speeds = members.map((row) => row['Speed IAS in knots']).filter((speed) => speed !== '');
        return {
          name,
          strikes: members.length,
          damaged: members.filter((row) => row['Effect Amount of damage'] !== 'None').length,
          speed: speeds.length === 0 ? undefined : sum(speeds.map(Number)) / speeds.length,
          cost: sum(members.map((row) => Number(row['Cost Total $']?.replaceAll(',', '')))),
        };
      })
      .sort((a, b) => b.cost - a.cost || b.strikes - a.strikes)
      .map(({ name, strikes, damaged, speed, cost }) => [
        name,
        shown.format(strikes),
        shown.format(damaged),
        speed === undefined ? '' : shown.format(speed),
        shown.format(cost),
      ]);
  }

  const cellsOf = (stdout: string): string[][] =>
    stdout
      .split('\n')
      .filter((line) => line.startsWith('│'))
      .map((line) =>
        line
          .split('│')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );

  test.each([
    { args: [], column: 'Wildlife Species', top: 8, damaged: false, by: 'species' },
    { args: ['--by', 'state', '--top', '5'], column: 'Origin State', top: 5, damaged: false, by: 'state' },
    {
      args: ['--by', 'phase', '--damaged'],
      column: 'Phase of flight',
      top: 8,
      damaged: true,
      by: 'phase',
    },
  ])('$args: the table is that of the file', async ({ args, column, top, damaged, by }) => {
    const wanted = (row: Record<string, string>) => !damaged || row['Effect Amount of damage'] !== 'None';
    const expected = expectedTable(column, wanted);
    const counted = rows.filter((row) => row[column] !== '' && wanted(row)).length;
    const { code, stdout, stderr } = await runExample('rows', args);
    expect({ code, stderr }).toStrictEqual({ code: 0, stderr: '' });
    expect(cellsOf(stdout)).toStrictEqual([
      [by, 'strikes', 'damage', 'mean knots', 'cost in $'],
      ...expected.slice(0, top),
    ]);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(
      `${counted.toLocaleString('en-US')} rows, ${expected.length} groups`,
    );
  });

  test('errors of the file and of both workers come out as one line', async () => {
    const lines = text.split('\r\n');
    const write = (name: string, changed: readonly string[]): string => {
      writeFileSync(path.join(folder, name), changed.join('\r\n'));
      return path.join(folder, name);
    };
    const missing = path.join(folder, 'missing.csv');
    const columns = write('columns.csv', ['a,b', '1,2']);
    const short = write('short.csv', lines.with(4, 'a,b'));
    const cost = write('cost.csv', lines.with(6999, (lines[6999] ?? '').replace(/[^,]*,[^,]*$/, 'much,1')));
    const failed = (name: string, why: string) => failure(1, `error: cannot read ${name}: ${why}`);
    const run = (name: string) => runExample('rows', [name]);
    expect(await run(missing)).toStrictEqual(
      failed(missing, `ENOENT: no such file or directory, open '${missing}'`),
    );
    expect(await run(columns)).toStrictEqual(
      failed(columns, "the first line names no column 'Wildlife Species'"),
    );
    expect(await run(short)).toStrictEqual(
      failed(short, 'Invalid Record Length: columns length is 14, got 2 on line 5'),
    );
    expect(await run(cost)).toStrictEqual(failed(cost, "line 7000: cost is no number: 'much'"));
  });
});
