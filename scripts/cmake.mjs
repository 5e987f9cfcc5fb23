// Configures and builds a preset of CMakePresets.json on all processors, and with --test runs its tests.
//
//   node scripts/cmake.mjs PRESET [--test] [-DNAME=VALUE …] [other arguments for ctest]

import { availableParallelism } from 'node:os';
import { run } from './run.mjs';

const [preset, ...rest] = process.argv.slice(2);
if (!preset) {
  console.error('usage: node scripts/cmake.mjs PRESET [--test] [-DNAME=VALUE …] [arguments for ctest]');
  process.exit(2);
}
const definitions = rest.filter((argument) => argument.startsWith('-D'));
const forTests = rest.filter((argument) => argument !== '--test' && !argument.startsWith('-D'));

const missing =
  'cmake was not found. Install CMake 3.25 or later and a C++20 compiler (Debian: apt-get install cmake build-essential).';
const env = { CMAKE_BUILD_PARALLEL_LEVEL: `${availableParallelism()}` };

const steps = [
  ['cmake', ['--preset', preset, ...definitions]],
  ['cmake', ['--build', '--preset', preset]],
];
if (rest.includes('--test')) steps.push(['ctest', ['--preset', preset, ...forTests]]);

for (const [command, args] of steps) {
  const status = run(command, args, { missing, env });
  if (status !== 0) process.exit(status);
}
