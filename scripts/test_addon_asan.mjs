// Runs the vitest suites against an addon built with the address and undefined-behaviour sanitizers, in a copy of the
// package, so that no sanitized addon ever lies where the loader of this checkout looks. Arguments go to vitest.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { root } from './files.mjs';
import { run } from './run.mjs';

const built = run(process.execPath, ['scripts/cmake.mjs', 'asan', '-DSTRAND_BUILD_ADDON=ON']);
if (built !== 0) process.exit(built);

const copy = path.join(root, 'build/asan/package');
for (const name of ['dist', 'lib', 'test', 'examples', 'README.md', 'package.json', 'vitest.config.ts']) {
  rmSync(path.join(copy, name), { recursive: true, force: true });
  if (existsSync(path.join(root, name))) {
    cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
  }
}
rmSync(path.join(copy, 'node_modules'), { force: true });
symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));

// Node.js itself is not instrumented: the runtime has to be there before it, and what V8 never frees is not ours.
const architecture = { x64: 'x86_64', arm64: 'aarch64' }[process.arch] ?? process.arch;
const runtime = execFileSync('clang++', [`-print-file-name=libclang_rt.asan-${architecture}.so`], {
  encoding: 'utf8',
});
// Suites that read or compile the rest of the repository.
const notInTheCopy = ['readme', 'protocol_doc'].flatMap((name) => ['--exclude', `test/js/${name}.test.ts`]);
const env = {
  LD_PRELOAD: runtime.trim(),
  // An allocation too large to be met is an error in JavaScript, as without the sanitizer.
  ASAN_OPTIONS: 'detect_leaks=0:alloc_dealloc_mismatch=0:allocator_may_return_null=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
};
process.exit(
  run(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', ...notInTheCopy, ...process.argv.slice(2)],
    {
      cwd: copy,
      env,
    },
  ),
);
