import { spawnSync } from 'node:child_process';
import { PACKAGE } from './launch.mjs';

/** What the benchmarks themselves write, and so no change of what they measure. */
const WRITTEN = [':(exclude)bench/results', ':(exclude)docs/charts'];

/**
 * @typedef {{ hash: string, dirty: boolean }} Commit `dirty` where files differ from the commit
 *
 * @param {string} [directory]
 * @returns {Commit | undefined} undefined outside of a repository
 */
export function describeCommit(directory = PACKAGE) {
  const hash = git(directory, ['rev-parse', 'HEAD']);
  const changes = git(directory, ['status', '--porcelain', '--', '.', ...WRITTEN]);
  return hash === undefined || changes === undefined ? undefined : { hash, dirty: changes !== '' };
}

/**
 * @param {string} revision
 * @param {string} [directory]
 * @returns {string} the commit's hash
 */
export function resolveCommit(revision, directory = PACKAGE) {
  const hash = git(directory, [
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${revision}^{commit}`,
  ]);
  if (hash === undefined) throw new Error(`'${revision}' names no commit of ${directory}`);
  return hash;
}

/** @param {Commit} commit */
export function shortCommit({ hash, dirty }) {
  return dirty ? `${hash.slice(0, 7)} with changes` : hash.slice(0, 7);
}

/** What git answers, or undefined where it fails or is not there. */
function git(cwd, args) {
  const { status, stdout } = spawnSync('git', args, { cwd, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
