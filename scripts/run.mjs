import { spawnSync } from 'node:child_process';
import { root } from './files.mjs';

/**
 * Runs a command in the package's folder with its output shown, and returns its exit status.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ missing?: string, env?: Record<string, string>, cwd?: string }} [options] `missing`: what to say when
 *   the command is not installed
 */
export function run(command, args, { missing, env, cwd = root } = {}) {
  const { status, signal, error } = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  if (error?.code === 'ENOENT' && missing) {
    console.error(missing);
    return 127;
  }
  if (error) throw error;
  if (signal) console.error(`${command} was ended by ${signal}`);
  return status ?? 1;
}
