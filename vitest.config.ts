import { defineConfig } from 'vitest/config';

// Addons and worker threads need processes of their own; memory tests need the collector.
const execArgv = ['--expose-gc'];

/** What reads and writes records, by code made for the schema or, where no code may be generated, by closures. */
const CODEC = ['batches', 'claims', 'codec', 'cursor', 'record_batch', 'reset', 'values'];

/** What takes longer hangs, on a machine that is busy with other things too. */
const PATIENCE_MILLIS = 180_000;

export default defineConfig({
  test: {
    pool: 'forks',
    // Most tests wait for their own threads and processes half of the time.
    maxWorkers: '100%',
    testTimeout: PATIENCE_MILLIS,
    hookTimeout: PATIENCE_MILLIS,
    reporters: ['default', ['json', { outputFile: 'build/reports/vitest.json' }]],
    projects: [
      { extends: true, test: { name: 'node', include: ['test/js/**/*.test.ts'], execArgv } },
      {
        extends: true,
        test: {
          name: 'closures',
          include: CODEC.map((name) => `test/js/${name}.test.ts`),
          execArgv: [...execArgv, '--disallow-code-generation-from-strings'],
        },
      },
    ],
  },
});
