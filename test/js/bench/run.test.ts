import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readResults, writeResult } from '../../../bench/harness/results.mjs';

const run = fileURLToPath(new URL('../../../bench/run.mjs', import.meta.url));
const bench = (...args: string[]) => promisify(execFile)(process.execPath, [run, ...args]);

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'strand-results-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('bench/run.mjs', () => {
  test('checks, measures and writes a result, and draws what it can', async () => {
    const only = ['--only', 'write-scalars', '--contender', 'strand', '--contender', 'plain ring'];
    const { stdout } = await bench('--quick', '--runs', '1', ...only, '--out', directory);
    expect(stdout).toMatch(/│ strand +│ +[\d.]+ ns \*/);

    const result = JSON.parse(readFileSync(path.join(directory, 'write-scalars.json'), 'utf8'));
    expect(result).toMatchObject({
      name: 'write-scalars',
      trials: 1,
      machine: { node: process.version, cpu: expect.any(String), cores: expect.any(Number) },
      metrics: { cost: { unit: 'ns' } },
    });
    expect(Date.parse(result.date)).toBeGreaterThan(0);
    expect(result.rows.map(({ contender, ours }: never) => [contender, ours])).toStrictEqual([
      ['strand', true],
      ['plain ring', false],
    ]);
    for (const { runs, figure } of result.rows) {
      expect(runs).toHaveLength(1);
      expect(figure).toBeGreaterThan(0);
    }
    expect(readdirSync(directory)).toContain('one-thread.svg');
  });

  test('redraws the charts from the results alone', async () => {
    const chart = path.join(directory, 'one-thread.svg');
    const drawn = readFileSync(chart, 'utf8');
    rmSync(chart);
    await bench('--charts', '--out', directory);
    expect(readFileSync(chart, 'utf8')).toBe(drawn);
  });

  test('names its cases without a build of the package', async () => {
    const { stdout } = await bench('--list');
    expect(stdout).toMatch(/^write-scalars: /m);
  });

  test.each([
    [['--only', 'no-such-case'], "there is no case 'no-such-case'"],
    [['--contender', 'nobody'], "there is no contender 'nobody'"],
    [['--runs', '0'], '--runs wants a whole number from 1'],
    [['--against', 'no-such-revision'], "'no-such-revision' names no commit"],
  ])('refuses %j with the reason', async (args, message) => {
    await expect(bench(...args)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
  });
});

describe('results', () => {
  test('come back as they were written, to six digits', async () => {
    const machine = { cpu: 'Some CPU', cores: 4, platform: 'linux-x64', node: 'v20.20.0', loadAverage: 0 };
    const result = {
      name: 'round-trip-of-results',
      title: 'a [title] with [ 1, 2 ]',
      threads: 1,
      date: '2026-01-02T03:04:05.678Z',
      machine,
      trials: 2,
      warnings: [],
      metrics: {},
      rows: [],
    };
    const written = mkdtempSync(path.join(directory, 'written-'));
    await writeResult(written, result);
    expect((await readResults(written)).get(result.name)).toStrictEqual(result);
  });

  test('are none where there is no directory', async () => {
    expect(await readResults(path.join(directory, 'nowhere'))).toStrictEqual(new Map());
  });
});
