/** One process per trial. */

import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const TRIAL = fileURLToPath(new URL('../js/trial.mjs', import.meta.url));
const BUILT_PACKAGE = fileURLToPath(new URL('../../dist/index.js', import.meta.url));
const TIMEOUT_MS = 300_000;

const run = promisify(execFile);

/**
 * @typedef {import('../js/cases/case.mjs').JsCase | import('../js/cases/case.mjs').CoreCase} AnyCase
 * @typedef {{ digest: string, count: number }} CheckResult
 * @typedef {Record<string, number>} Metrics
 */

export class Launcher {
  /** @param {{ quick: boolean, coreDirectory: string }} options */
  constructor({ quick, coreDirectory }) {
    this.flags = quick ? ['--quick'] : [];
    this.coreDirectory = coreDirectory;
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
    if (benchCase.contenders[contender].needsBuild && !existsSync(BUILT_PACKAGE)) {
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
    const child = fork(TRIAL, [mode, name, contender, ...this.flags], {
      execArgv: ['--expose-gc', ...execArgv],
      timeout: TIMEOUT_MS,
    });
    let result;
    child.on('message', (message) => {
      result = message;
    });
    const [code, signal] = await once(child, 'exit');
    if (code !== 0 || result === undefined) {
      throw new Error(
        `${name}, ${contender}: the ${mode} process ended with ${signal ?? code} and no result`,
      );
    }
    return result;
  }

  async launchExecutable(mode, benchCase, contender) {
    const peerAndMode = benchCase.arguments[contender];
    const { stdout } = await run(this.executablePath(benchCase), [...peerAndMode, mode, ...this.flags], {
      timeout: TIMEOUT_MS,
    });
    return JSON.parse(stdout);
  }

  executablePath({ executable }) {
    return path.join(this.coreDirectory, executable);
  }

  contendersOf(executable) {
    if (!this.compiledIn.has(executable)) {
      const listed = run(executable, ['list']).then(({ stdout }) => stdout.trim().split('\n'));
      this.compiledIn.set(executable, listed);
    }
    return this.compiledIn.get(executable);
  }
}
