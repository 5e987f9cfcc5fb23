import { spawn } from 'node:child_process';
import { once } from 'node:events';

const isWindows = process.platform === 'win32';
const KEPT_OUTPUT = 4000;

/** Of the npm that may have started this process; another npm, for another directory, must not believe them. */
const OF_OUR_NPM = /^(npm_(package|lifecycle|command)|npm_config_(local_)?prefix$|INIT_CWD$)/;

/**
 * Runs a program to its end, with its output kept for the error. When the signal aborts, the program and
 * all that it started are ended before this rejects.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, signal?: AbortSignal }} options
 */
export async function runCommand(command, args, { cwd, signal }) {
  signal?.throwIfAborted();
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OF_OUR_NPM.test(name)));
  // A group of its own, which can be ended as a whole.
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: !isWindows });
  const endGroup = () => {
    try {
      if (isWindows) child.kill();
      else process.kill(-child.pid, 'SIGTERM');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  };
  signal?.addEventListener('abort', endGroup);
  let output = '';
  const keep = (text) => {
    output = (output + text).slice(-KEPT_OUTPUT);
  };
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);
  try {
    const [code, killedBy] = await once(child, 'close');
    signal?.throwIfAborted();
    if (code !== 0) {
      throw new Error(`${[command, ...args].join(' ')} ended with ${killedBy ?? code}:\n${output.trimEnd()}`);
    }
  } finally {
    signal?.removeEventListener('abort', endGroup);
  }
}

/**
 * @param {string[]} args
 * @param {{ cwd: string, signal?: AbortSignal }} options
 */
export function runNpm(args, options) {
  // The npm that runs us, where one does: on Windows `npm` is a script that only a shell can start.
  const cli = process.env.npm_execpath;
  return cli?.endsWith('.js')
    ? runCommand(process.execPath, [cli, ...args], options)
    : runCommand('npm', args, options);
}
