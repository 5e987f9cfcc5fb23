// Runs clang-tidy over src/ and binding/ on all processors. A file that passed is not checked again until it, a
// header of ours that it includes, its compile command or the rules change.
//
// What the standard library's headers hold takes half of the time, so files of one room are looked at as if they were
// one. Only where something is wrong with that, each is looked at for itself, which then says what.
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
/** Files that are looked at as one, at most. */
const GROUP = 8;
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

/** Marks that the unit passed as it is now: the name of a file that is there then. */
async function markOf(unit) {
  const hash = createHash('sha256').update(version).update(rules).update(unit.command);
  for (const file of await ownSources(unit)) hash.update(file).update(readFileSync(file));
  return path.join(passedDirectory, hash.digest('hex'));
}

/** Runs clang-tidy. Resolves to what it complained about; empty where all is well. */
async function complaintsOf(file, options) {
  try {
    await execProgram('clang-tidy', ['--quiet', `--header-filter=${headerFilter}`, file, ...options], {
      maxBuffer: 2 ** 26,
    });
  } catch (error) {
    return error.stdout || error.message;
  }
  return '';
}

/** Whether the units pass as one, each header included once. Kernels of several instruction sets have the same names. */
async function passTogether(units) {
  if (units.length < 2 || /\/kernels\//.test(units[0].file)) return false;
  const seen = new Set();
  const once = (line) => !line.startsWith('#include') || (!seen.has(line) && seen.add(line));
  const text = units.flatMap(({ file }) => readFileSync(file, 'utf8').split('\n').filter(once)).join('\n');
  const file = path.join(passedDirectory, `${createHash('sha256').update(text).digest('hex')}.cc`);
  writeFileSync(file, text);
  const [, ...flags] = units[0].command.replace(/ -o \S+ -c \S+/, '').split(' ');
  return (await complaintsOf(file, ['--', ...flags])) === '';
}

let failures = 0;

/** Checks the units that have not passed yet. */
async function check(units) {
  const marks = new Map();
  for (const unit of units) {
    const mark = await markOf(unit);
    if (!existsSync(mark)) marks.set(unit, mark);
  }
  const together = await passTogether([...marks.keys()]);
  for (const [unit, mark] of marks) {
    const complaint = together ? '' : await complaintsOf(unit.file, ['-p', buildDirectory]);
    if (complaint === '') {
      writeFileSync(mark, '');
    } else {
      failures += 1;
      console.error(`${path.relative(root, unit.file)}\n${complaint}`);
    }
  }
}

/** Units of one room, a few at a time. */
function* groups() {
  const rooms = new Map();
  for (const unit of units) {
    const room = path.dirname(unit.file);
    const group = rooms.get(room) ?? [];
    group.push(unit);
    rooms.set(room, group);
    if (group.length < GROUP) continue;
    yield group;
    rooms.delete(room);
  }
  yield* rooms.values();
}

mkdirSync(passedDirectory, { recursive: true });
const queue = groups();
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (const group of queue) await check(group);
  }),
);
console.log(`clang-tidy: ${units.length - failures} of ${units.length} files clean`);
process.exit(failures === 0 ? 0 : 1);
