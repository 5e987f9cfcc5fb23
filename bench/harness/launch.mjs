/** One process per trial. */

import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The package that this file belongs to. */
export const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));

const TIMEOUT_MS = 300_000;

/** Characters of what a trial wrote to stderr. */
const KEPT_COMPLAINT = 8192;

const run = promisify(execFile);

/** A trial process ended without a result; `reason` is the line that says why, where it wrote one. */
export class TrialError extends Error {
  /**
   * @param {string} what
   * @param {string | number | null} end
   * @param {string} complaint what it wrote to stderr
   */
  constructor(what, end, complaint) {
    super(`${what} ended with ${end} and no result\n${complaint.trimEnd()}`);
    this.name = 'TrialError';
    this.reason = reasonIn(complaint) ?? `the process ended with ${end}`;
  }
}

/**
 * The message in the report that Node.js makes of an uncaught error, or the last line of another program's.
 *
 * @param {string} complaint
 */
function reasonIn(complaint) {
  const lines = complaint.split('\n').filter((line) => line.trim() !== '');
  return (lines.find((line) => /^(Uncaught )?\w*(Error|Exception)\b.*: /.test(line)) ?? lines.at(-1))?.trim();
}

/**
 * @typedef {import('../js/cases/case.mjs').JsCase | import('../js/cases/case.mjs').CoreCase} AnyCase
 * @typedef {{ digest: string, count: number }} CheckResult
 * @typedef {Record<string, number>} Metrics
 */

export class Launcher {
  /**
   * @param {{ quick: boolean, coreDirectory: string, packageDirectory?: string, signal?: AbortSignal }} options
   *   the trials measure the package in that directory, by the files of its own bench/
   */
  constructor({ quick, coreDirectory, packageDirectory = PACKAGE, signal }) {
    this.flags = quick ? ['--quick'] : [];
    this.coreDirectory = coreDirectory;
    this.packageDirectory = packageDirectory;
    this.signal = signal;
    /** @type {Map<string, Promise<string[]>>} */
    this.compiledIn = new Map();
  }

  /**
   * Why a contender cannot run here, or undefined where it can.
   *
   * @param {AnyCase} benchCase
   * @param {string} contender
   */
  async obstacle(benchCase, contender) {
    if ('executable' in benchCase) {
      const [peer] = benchCase.arguments[contender];
      const executable = this.executablePath(benchCase);
      if (!existsSync(executable))
        return `${benchCase.executable} is not built: node scripts/cmake.mjs bench`;
      const compiledIn = await this.contendersOf(executable);
      return compiledIn.includes(peer) ? undefined : `${peer} was not installed when it was built`;
    }
    if (benchCase.contenders[contender].needsBuild && !existsSync(this.pathOf('dist/index.js'))) {
      return 'dist/ is not built: npm run build';
    }
    return undefined;
  }

  /**
   * @param {AnyCase} benchCase
   * @param {string} contender
   * @returns {Promise<CheckResult>}
   */
  check(benchCase, contender) {
    return this.launch('check', benchCase, contender);
  }

  /**
   * @param {AnyCase} benchCase
   * @param {string} contender
   * @returns {Promise<Metrics>}
   */
  async measure(benchCase, contender) {
    return (await this.launch('measure', benchCase, contender)).metrics;
  }

  launch(mode, benchCase, contender) {
    return 'executable' in benchCase
      ? this.launchExecutable(mode, benchCase, contender)
      : this.launchNode(mode, benchCase, contender);
  }

  async launchNode(mode, { name, execArgv = [] }, contender) {
    const child = fork(this.pathOf('bench/js/trial.mjs'), [mode, name, contender, ...this.flags], {
      execArgv: ['--expose-gc', ...execArgv],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      timeout: TIMEOUT_MS,
      signal: this.signal,
    });
    let result;
    child.on('message', (message) => {
      result = message;
    });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      complaint = (complaint + text).slice(-KEPT_COMPLAINT);
    });
    const [code, signal] = await once(child, 'close');
    if (code !== 0 || result === undefined) {
      throw new TrialError(`${name}, ${contender}: the ${mode} process`, signal ?? code, complaint);
    }
    return result;
  }

  async launchExecutable(mode, benchCase, contender) {
    const { signal } = this;
    const parameters = [...benchCase.arguments[contender], mode, ...this.flags];
    try {
      const { stdout } = await run(this.executablePath(benchCase), parameters, {
        timeout: TIMEOUT_MS,
        signal,
      });
      return JSON.parse(stdout);
    } catch (error) {
      if (signal?.aborted || error instanceof SyntaxError) throw error;
      const what = `${benchCase.name}, ${contender}: the ${mode} process`;
      throw new TrialError(what, error.signal ?? error.code, error.stderr ?? '');
    }
  }

  executablePath({ executable }) {
    return path.join(this.coreDirectory, executable);
  }

  pathOf(file) {
    return path.join(this.packageDirectory, file);
  }

  contendersOf(executable) {
    if (!this.compiledIn.has(executable)) {
      const listed = run(executable, ['list']).then(({ stdout }) => stdout.trim().split('\n'));
      this.compiledIn.set(executable, listed);
    }
    return this.compiledIn.get(executable);
  }
}
