import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { afterAll, describe, expect, test } from 'vitest';
import { DemoProcess, figure, type Outcome, runDemo } from './run_demo.js';

const data = fileURLToPath(new URL('../data/', import.meta.resolve('vega-datasets')));
const directory = mkdtempSync(path.join(tmpdir(), 'strand-demo-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, content: string | Buffer): string {
  const name_ = path.join(directory, name);
  writeFileSync(name_, content);
  return name_;
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** How often the producer had to wait. */
function waits(outcome: Outcome): number {
  return Number(/^[\d,]+/.exec(figure(outcome, 'producer waited') ?? '')?.[0].replaceAll(',', ''));
}

/** What the report must say of the flights, counted without any of the demo's code. */
function flightsByHour(): string[][] {
  const flights: { delay: number; time: number }[] = JSON.parse(
    readFileSync(path.join(data, 'flights-200k.json'), 'utf8'),
  );
  return Array.from({ length: 24 }, (_, hour) => {
    const delays = flights.filter(({ time }) => Math.floor(time) === hour).map(({ delay }) => delay);
    const average = delays.reduce((sum, delay) => sum + delay, 0) / delays.length;
    return [String(hour).padStart(2, '0'), average.toFixed(1), grouped(delays.length)];
  });
}

/** The hours of a report, with the bars left out. */
function reportedHours({ stdout }: Outcome): string[][] {
  return Array.from(stdout.matchAll(/^ {2}(\d\d) +(\S+) .* ([\d,]+) flights$/gm), ([, ...values]) => values);
}

describe('the demo, with the flights', () => {
  test('draws the average delay of every hour, from all 200,000 records', async () => {
    const outcome = await runDemo([]);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(figure(outcome, 'records')).toBe('200,000');
    expect(figure(outcome, 'bytes')).toBe('9,863,892 read, 5,600,000 through the ring');
    expect(figure(outcome, 'records per second')).toMatch(/^[\d,]+$/);
    expect(figure(outcome, 'JavaScript heap')).toMatch(/^[+−][\d.]+ (bytes|KiB) /);
    expect(reportedHours(outcome)).toStrictEqual(flightsByHour());
  });

  test('loses nothing when the producer has to wait for a tiny ring', async () => {
    const outcome = await runDemo(['--index-capacity', '16', '--batch', '100']);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(waits(outcome)).toBeGreaterThan(100);
    expect(reportedHours(outcome)).toStrictEqual(flightsByHour());
  });

  test('writes nothing but text when the output is no terminal', async () => {
    const { stdout } = await runDemo([]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
    expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/);
  });

  test('shows flights that have no delay, or one of another kind, beside the picture', async () => {
    const rows = ['{"delay":10,"distance":1,"time":5.5}', '{"delay":null,"distance":1,"time":5.5}'];
    const late = ['{"delay":"late","distance":1,"time":5.5}', '{"delay":20,"distance":1,"time":5.9,"x":1}'];
    const outcome = await runDemo([
      file('flights.ndjson', [...Array(10_000).fill(rows).flat(), ...late].join('\n')),
    ]);
    expect(outcome.stdout).toMatch(/^ {2}05 +10\.0 .* 10,001 flights$/m);
    expect(outcome.stdout).toContain('(10,001 without a delay or a time of day)');
    expect(outcome.stdout).toContain('  delay: 1 value, such as "late"');
    expect(outcome.stdout).toContain('  x: 1 value, such as 1');
  });
});

describe('the demo, with birdstrikes.csv', () => {
  const birdstrikes = path.join(data, 'birdstrikes.csv');
  const records = parse<Record<string, string>>(readFileSync(birdstrikes), { columns: true });

  /** The five most frequent values of a column, as a report has them. */
  function top(column: string): [string, string][] {
    const counts = new Map<string, number>();
    for (const { [column]: value = '' } of records) counts.set(value, (counts.get(value) ?? 0) + 1);
    const ranked = Array.from(counts).sort(([, a], [, b]) => b - a);
    return ranked.slice(0, 5).map(([value, count]) => [value, grouped(count)]);
  }

  test('counts values and finds ranges, with text through a tiny heap', async () => {
    const outcome = await runDemo([birdstrikes, '--heap-capacity', '512', '--index-capacity', '8']);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(figure(outcome, 'records')).toBe(grouped(records.length));
    expect(waits(outcome)).toBeGreaterThan(0);
    for (const column of ['Airport Name', 'Origin State', 'Phase of flight', 'Wildlife Species']) {
      const part = outcome.stdout.split('\n\n').find((lines) => lines.startsWith(`${column} (text)`)) ?? '';
      const shown = Array.from(part.matchAll(/^ {2}(\S.*?) {2,}([\d,]+) /gm), ([, ...pair]) => pair);
      expect(shown).toStrictEqual(top(column));
    }
    const costs = records.map((record) => Number(record['Cost Total $']));
    const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
    const number = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 6 });
    expect(outcome.stdout).toContain(
      `0 to ${number.format(Math.max(...costs))}, mean ${number.format(mean)}`,
    );
  });
});

describe('the demo, with other files', () => {
  const csv = '\uFEFFname,size\r\n"Zürich, ""ZH""",1\r\n"two\r\nlines",2\r\n';

  test('reads a byte-order mark, quotes, line breaks in quotes, CRLF and UTF-8', async () => {
    const { code, stdout } = await runDemo([file('quoted.csv', csv)]);
    expect(code).toBe(0);
    expect(stdout).toContain('name (text)');
    expect(stdout).toContain('  Zürich, "ZH"\n');
    expect(stdout).toContain('  two↵lines\n');
    expect(stdout).toContain('size (number)\n  1 to 2, mean 1.5\n');
  });

  test.each([
    ['csv', csv],
    ['json', '[{"name":"a","size":1},{"name":"b","size":2}]'],
    ['ndjson', '{"name":"a","size":1}\n{"name":"b","size":2}\n'],
  ])('reads %s from the standard input', async (format, text) => {
    const outcome = await runDemo(['-', '--format', format], text);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(figure(outcome, 'records')).toBe('2');
    expect(figure(outcome, 'file')).toBe(`the standard input, ${format}`);
    expect(outcome.stdout).toContain('1 to 2, mean 1.5');
  });

  test('counts and names malformed lines, and loses nothing else', async () => {
    const lines = Array.from({ length: 5000 }, (_, i) => `${i},"name ${i}"`);
    for (const at of [10, 20, 30, 40, 50, 4000]) lines[at] = `${at},"stray`;
    const outcome = await runDemo([file('stray.csv', ['id,name', ...lines].join('\n'))]);
    expect(outcome.code).toBe(0);
    expect(figure(outcome, 'records')).toBe('4,994');
    expect(outcome.stdout).toContain(
      [
        '6 malformed lines or records:',
        ...[12, 22, 32, 42, 52].map((line) => `  line ${line}: a quoted field is not closed`),
        '  and 1 more',
      ].join('\n'),
    );
  });

  test('keeps values that the first records do not let expect', async () => {
    const lines = Array.from({ length: 60_000 }, (_, i) => `${i},true`);
    lines[50_000] = 'n/a,maybe';
    const outcome = await runDemo([file('late.csv', ['id,ok', ...lines].join('\n'))]);
    expect(figure(outcome, 'records')).toBe('60,000');
    expect(outcome.stdout).toContain('id (number, 1 without)\n  0 to 59,999,');
    expect(outcome.stdout).toContain('  id: 1 value, such as "n/a"\n  ok: 1 value, such as "maybe"');
  });

  test('names a record that cannot fit into the heap, and writes the others', async () => {
    const lines = Array.from({ length: 2000 }, (_, i) => JSON.stringify({ id: i, text: 'x'.repeat(20) }));
    lines[1500] = JSON.stringify({ id: 1500, text: 'x'.repeat(5000) });
    const outcome = await runDemo([file('large.ndjson', lines.join('\n')), '--heap-capacity', '4K']);
    expect(figure(outcome, 'records')).toBe('1,999');
    expect(outcome.stdout).toContain(
      'record 1,501: it does not fit into the ring, whose heap holds 4,096 bytes',
    );
    expect(outcome.stdout).toContain('id (number)\n  0 to 1999,');
  });

  test('names a record that is nested too deeply, and writes the others', async () => {
    const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const text = `{"a":1}\n${deep}\n{"a":3}\n`;
    // Alone it makes a column of JSON; behind enough numbers or texts it fits none.
    for (const before of ['', '{"a":1}\n'.repeat(40_000), '{"a":"x"}\n'.repeat(40_000)]) {
      const outcome = await runDemo([file('deep.ndjson', before + text)]);
      expect(outcome.code).toBe(0);
      expect(figure(outcome, 'records')).toBe(before === '' ? '2' : '40,002');
      expect(outcome.stdout).toContain('it is nested too deeply');
    }
  });

  test('says that a file is not all UTF-8', async () => {
    const { code, stdout } = await runDemo([file('latin1.csv', Buffer.from('a\nZürich\n', 'latin1'))]);
    expect(code).toBe(0);
    expect(stdout).toContain('Z�rich');
    expect(stdout).toContain('Not all of it is UTF-8 (first at byte 3)');
  });

  test('lets no control characters of a file reach the terminal', async () => {
    const { stdout } = await runDemo([file('colour.csv', 'a\x1b[2J\n\x1b]0;title\x07x\n')]);
    expect(stdout).toContain('a�[2J (text)');
    expect(stdout).not.toContain('\x1b');
  });
});

describe('the demo, when something is wrong', () => {
  mkdirSync(path.join(directory, 'folder.csv'));
  const missing = path.join(directory, 'missing.csv');

  test.each([
    ['a missing file', [missing], 1, `error: ${missing} does not exist\n`],
    ['a directory', [path.join(directory, 'folder.csv')], 1, 'folder.csv is a directory'],
    ['an empty file', [file('empty.csv', '')], 1, 'empty.csv is empty'],
    ['a file of blanks', [file('blank.json', ' \n\n')], 1, 'blank.json holds no records'],
    ['an empty array', [file('none.json', '[]')], 1, 'none.json holds no records'],
    ['a header without records', [file('header.csv', 'a,b\n')], 1, 'header.csv holds no records'],
    [
      'a file that is malformed all through',
      [file('page.json', '<html>\n</html>')],
      1,
      'page.json is malformed: not one record could be read from it\n2 malformed lines or records:\n  line 1: ',
    ],
    ['a malformed header', [file('bad.csv', '"a,b\n1,2\n')], 1, 'the header on line 1 is malformed'],
    ['an unknown format', [file('a.what', 'hello')], 1, 'a.what is of an unknown format'],
    ['a binary file', [path.join(data, 'flights-200k.arrow')], 1, 'flights-200k.arrow is binary'],
    [
      'a capacity that makes no ring',
      ['--index-capacity', '1000'],
      1,
      'index_capacity 1000 is no power of two',
    ],
    ['an unknown option', ['--what'], 2, "Unknown option '--what'"],
  ])('names %s, in words and by its exit code', async (_, args, code, message) => {
    const outcome = await runDemo(args);
    expect(outcome.stdout).toBe('');
    expect(outcome.stderr).toContain(message);
    expect(outcome.stderr).toMatch(/^error: /);
    expect(outcome.stderr).not.toMatch(/^ +at /m);
    expect(outcome.code).toBe(code);
  });

  test('names what is wrong in the middle of a stream', async () => {
    const start = '{"a":1}\n'.repeat(2000);
    const outcome = await runDemo(['-', '--format', 'ndjson'], `${start}${'x'.repeat(70 * 1024 * 1024)}`);
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/^error: line 2001 is longer than/);
    expect(outcome.stderr).not.toMatch(/^ +at /m);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends in order at %s, also while it waits for more', async (signal, code) => {
    const demo = new DemoProcess(['-', '--format', 'ndjson']);
    // More than the pipe holds: when all of it is taken, the demo is reading.
    await demo.write('{"a":1}\n'.repeat(500_000));
    demo.kill(signal);
    expect(await demo.outcome()).toStrictEqual({ code, stdout: '', stderr: 'error: interrupted\n' });
  });

  test('explains itself', async () => {
    const outcome = await runDemo(['--help']);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).toContain('usage: npm run demo');
  });
});
