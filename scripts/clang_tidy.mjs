// Runs clang-tidy over src/ and binding/ on all processors. A file that passed is not checked again until it, a
// header of ours that it includes, its compile command or the rules change.
//
//   node scripts/clang_tidy.mjs [FILE …]   needs build/release as the CMake preset 'test' configures it

import { exec, execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { root } from './files.mjs';

const execShell = promisify(exec);
const execProgram = promisify(execFile);
const buildDirectory = path.join(root, 'build/release');
const passedDirectory = path.join(root, 'build/clang-tidy');
const headerFilter = `^${root.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(src|binding)/`;
const isOurs = (file) => new RegExp(headerFilter).test(file);

const database = path.join(buildDirectory, 'compile_commands.json');
if (!existsSync(database)) {
  console.error(`${database} is missing: run 'npm run build' first.`);
  process.exit(1);
}
const wanted = process.argv.slice(2).map((file) => path.resolve(file));
const units = JSON.parse(readFileSync(database, 'utf8')).filter(
  ({ file }) => isOurs(file) && (wanted.length === 0 || wanted.includes(file)),
);
if (units.length === 0) {
  console.error(`${database} names no file of src/ or binding/ to check.`);
  process.exit(1);
}

const rules = readFileSync(path.join(root, '.clang-tidy'));
let version;
try {
  version = (await execProgram('clang-tidy', ['--version'])).stdout;
} catch (error) {
  if (error.code !== 'ENOENT') throw error;
  console.error('clang-tidy was not found (Debian: apt-get install clang-tidy).');
  process.exit(127);
}

/** The unit and the headers of ours that it includes, as the compiler sees them. */
async function ownSources({ command, directory }) {
  const { stdout } = await execShell(`${command.replace(/ -o \S+/, '')} -MM`, { cwd: directory });
  return stdout
    .replace(/^[^:]*:/, '')
    .split(/[\s\\]+/)
    .filter((file) => isOurs(path.resolve(directory, file)))
    .sort();
}

async function contentKey(unit) {
  const hash = createHash('sha256').update(version).update(rules).update(unit.command);
  for (const file of await ownSources(unit)) hash.update(file).update(readFileSync(file));
  return hash.digest('hex');
}

/** Resolves to what clang-tidy complained about; empty where the unit is clean. */
async function check(unit) {
  const passed = path.join(passedDirectory, await contentKey(unit));
  if (existsSync(passed)) return '';
  try {
    await execProgram(
      'clang-tidy',
      ['-p', buildDirectory, '--quiet', `--header-filter=${headerFilter}`, unit.file],
      {
        maxBuffer: 2 ** 26,
      },
    );
  } catch (error) {
    return error.stdout || error.message;
  }
  writeFileSync(passed, '');
  return '';
}

mkdirSync(passedDirectory, { recursive: true });
let failures = 0;
const queue = units.values();
const workers = Array.from({ length: availableParallelism() }, async () => {
  for (const unit of queue) {
    const complaint = await check(unit);
    if (complaint === '') continue;
    failures += 1;
    console.error(`${path.relative(root, unit.file)}\n${complaint}`);
  }
});
await Promise.all(workers);
console.log(`clang-tidy: ${units.length - failures} of ${units.length} files clean`);
process.exit(failures === 0 ? 0 : 1);
