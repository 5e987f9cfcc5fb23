import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareCase, formatComparison } from '../../../bench/harness/against.mjs';
import { Launcher } from '../../../bench/harness/launch.mjs';
import type { JsCase } from '../../../bench/js/cases/case.mjs';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'strand-against-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** A package whose trials are this code, which sees `mode`. */
function launcherOf(name: string, trial: string): Launcher {
  const packageDirectory = path.join(directory, name);
  for (const folder of ['bench/js', 'dist'])
    mkdirSync(path.join(packageDirectory, folder), { recursive: true });
  writeFileSync(path.join(packageDirectory, 'dist/index.js'), '');
  const send = `const [, , mode] = process.argv; const send = (it) => process.send(it);`;
  writeFileSync(
    path.join(packageDirectory, 'bench/js/trial.mjs'),
    `${send}\n${trial}\nprocess.disconnect();`,
  );
  return new Launcher({ quick: true, coreDirectory: '', packageDirectory });
}

const giving = (cost: number, digest = 'same') =>
  `send(mode === 'check' ? { digest: '${digest}', count: 1 } : { metrics: { cost: ${cost} } });`;

const benchCase: JsCase = {
  name: 'some-case',
  title: 'a case',
  threads: 1,
  metrics: { cost: { unit: 'ns', over: 'minimum' } },
  replaced: {},
  contenders: { strand: { needsBuild: true }, 'plain ring': {} },
  check: async () => [],
  measure: async () => ({}),
};

const compare = (now: Launcher, base: Launcher, runs = 4) =>
  compareCase(benchCase, { now, base, runs, names: ['strand', 'plain ring'], showProgress: () => {} });

describe('compareCase', () => {
  test('measures ours on both sides, and no peer', async () => {
    const { rows, skipped } = await compare(launcherOf('fast', giving(1)), launcherOf('slow', giving(2)));
    expect(skipped).toStrictEqual(new Map());
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      contender: 'strand',
      runsNow: [1, 1, 1, 1],
      runsBase: [2, 2, 2, 2],
      ratio: 0.5,
      verdict: 'better',
    });
    expect(formatComparison(benchCase, rows, skipped)).toMatch(/strand.*1\.00 ns.*2\.00 ns.*0\.50.*better/);
  });

  test("skips what the other commit's package lacks, with what it said", async () => {
    const lacking = launcherOf('lacking', "const view = {}; view.readColumn('x');");
    const { rows, skipped } = await compare(launcherOf('present', giving(1)), lacking);
    expect(rows).toStrictEqual([]);
    expect(skipped).toStrictEqual(
      new Map([['strand', 'base: TypeError: view.readColumn is not a function']]),
    );
    expect(formatComparison(benchCase, rows, skipped)).toContain('skipped: strand (base: TypeError: ');
  });

  test('skips what gives other records', async () => {
    const other = launcherOf('other', giving(1, 'changed'));
    const { skipped } = await compare(launcherOf('same', giving(1)), other);
    expect(skipped.get('strand')).toBe('base: it gave other records');
  });

  test('fails where the present package fails', async () => {
    const broken = launcherOf('broken', "throw new RangeError('out of slots');");
    await expect(compare(broken, launcherOf('whole', giving(1)))).rejects.toThrow(
      /the check process ended with 1 and no result\n[\s\S]*out of slots/,
    );
  });
});

describe('Launcher', () => {
  test('says what to build where the package is not built', async () => {
    const launcher = launcherOf('unbuilt', giving(1));
    rmSync(path.join(launcher.packageDirectory, 'dist'), { recursive: true });
    expect(await launcher.obstacle(benchCase, 'strand')).toMatch('npm run build');
    expect(await launcher.obstacle(benchCase, 'plain ring')).toBeUndefined();
  });

  test('ends its trial when it is aborted', async () => {
    const waiting = launcherOf('waiting', 'setInterval(() => {}, 1000); await new Promise(() => {});');
    const controller = new AbortController();
    waiting.signal = controller.signal;
    const measured = waiting.measure(benchCase, 'strand');
    controller.abort();
    await expect(measured).rejects.toThrow();
  });
});
