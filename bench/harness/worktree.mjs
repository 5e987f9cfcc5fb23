import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { runCommand } from './command.mjs';

/**
 * Checks a commit out in a temporary directory, and removes it when `use` is done, fails or is aborted.
 *
 * @template T
 * @param {{ repository: string, commit: string, signal?: AbortSignal }} options
 * @param {(directory: string) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withWorktree({ repository, commit, signal }, use) {
  const temporary = await mkdtemp(path.join(os.tmpdir(), 'strand-bench-'));
  const directory = path.join(temporary, 'package');
  try {
    await runCommand('git', ['worktree', 'add', '--detach', directory, commit], { cwd: repository, signal });
    return await use(directory);
  } finally {
    await rm(temporary, { recursive: true, force: true, maxRetries: 10 });
    // Forgets worktrees whose directory is gone.
    spawnSync('git', ['worktree', 'prune'], { cwd: repository, stdio: 'ignore' });
  }
}

/**
 * A signal that aborts when the process is asked to end, so that what must be tidied up can be.
 */
export function abortOnExitSignals() {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(name, () => controller.abort(new Error(`interrupted by ${name}`)));
  }
  return controller.signal;
}
