import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../../examples/demo/main.mjs', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of the demo as a program of its own. */
export class DemoProcess {
  readonly #child;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [main, ...args]);
    this.#child.stdout.on('data', (chunk: Buffer) => this.#stdout.push(chunk));
    this.#child.stderr.on('data', (chunk: Buffer) => this.#stderr.push(chunk));
    // A program that has seen enough does not read on.
    this.#child.stdin.on('error', () => {});
  }

  /** Resolves when the program, or the pipe to it, has taken all of the text. */
  write(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#child.stdin.write(text, () => resolve());
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async end(text = ''): Promise<Outcome> {
    this.#child.stdin.end(text);
    return this.outcome();
  }

  async outcome(): Promise<Outcome> {
    const [code] = await once(this.#child, 'close');
    return {
      code,
      stdout: Buffer.concat(this.#stdout).toString(),
      stderr: Buffer.concat(this.#stderr).toString(),
    };
  }
}

/** Runs the demo with these arguments, and with this text as its standard input. */
export function runDemo(args: readonly string[], input = ''): Promise<Outcome> {
  return new DemoProcess(args).end(input);
}

/** The figure that a report gives under a name. */
export function figure({ stdout }: Outcome, name: string): string | undefined {
  return new RegExp(`^${name} {2,}(.*)$`, 'm').exec(stdout)?.[1];
}
