// Formats all C++ of the package, or with --check only complains.

import { filesUnder, isCpp } from './files.mjs';
import { run } from './run.mjs';

const files = filesUnder(['src', 'binding', 'test', 'bench', 'examples'], isCpp);
const mode = process.argv.includes('--check') ? ['--dry-run', '-Werror'] : ['-i'];
const missing = 'clang-format was not found (Debian: apt-get install clang-format).';
process.exit(files.length === 0 ? 0 : run('clang-format', [...mode, ...files], { missing }));
