import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/** A child that takes longer hangs. */
const CHILD_PATIENCE_MILLIS = 900_000;

/** Messages in the order of their arrival, for whoever asks next. */
class Inbox {
  #messages = [];
  #asking = [];
  #end;

  put(message) {
    const next = this.#asking.shift();
    if (next) next.resolve(message);
    else this.#messages.push(message);
  }

  close(error) {
    this.#end = error;
    for (const { reject } of this.#asking.splice(0)) reject(error);
  }

  take() {
    if (this.#messages.length > 0) return Promise.resolve(this.#messages.shift());
    if (this.#end) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => this.#asking.push({ resolve, reject }));
  }

  rest() {
    return this.#messages.splice(0);
  }
}

class Thread {
  #inbox = new Inbox();

  constructor(body, data, { index } = {}) {
    this.worker = new Worker(new URL('thread_main.mjs', import.meta.url), {
      workerData: { source: String(body), data, index },
    });
    this.worker.on('message', (message) => this.#inbox.put(message));
    this.ended = new Promise((resolve) => {
      let error;
      this.worker.on('error', (thrown) => {
        error = thrown;
      });
      this.worker.on('exit', (code) => {
        this.#inbox.close(error ?? new Error(`the thread ended with code ${code} and said nothing more`));
        resolve({ code, error });
      });
    });
  }

  said() {
    return this.#inbox.take();
  }

  say(message) {
    this.worker.postMessage(message);
  }

  terminate() {
    return this.worker.terminate();
  }

  async done() {
    const { code, error } = await this.ended;
    if (error) throw error;
    if (code !== 0) throw new Error(`the thread ended with code ${code}`);
  }
}

export function startThread(body, data, options) {
  return new Thread(body, data, options);
}

class Child {
  #inbox = new Inbox();
  #stderr = '';

  constructor(body, data, { env = {}, execArgv = [], index } = {}) {
    const main = fileURLToPath(new URL('child_main.mjs', import.meta.url));
    const child = spawn(process.execPath, [...execArgv, main], {
      stdio: ['ignore', 'inherit', 'pipe', 'pipe'],
      env: { ...process.env, ...env, STRAND_CHILD: JSON.stringify({ source: String(body), data, index }) },
      timeout: CHILD_PATIENCE_MILLIS,
      killSignal: 'SIGKILL',
    });
    let line = '';
    child.stdio[3].setEncoding('utf8').on('data', (text) => {
      const lines = (line + text).split('\n');
      line = lines.pop();
      for (const each of lines) this.#inbox.put(JSON.parse(each));
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#stderr += text;
    });
    this.exited = new Promise((resolve) => child.once('exit', () => resolve(performance.now())));
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#inbox.close(new Error(`the child ended with ${signal ?? `code ${code}`}: ${this.#stderr}`));
        resolve({ code, signal, stderr: this.#stderr });
      });
    });
  }

  said() {
    return this.#inbox.take();
  }

  async done() {
    const { code, signal, stderr } = await this.ended;
    if (code !== 0) throw new Error(`the child ended with ${signal ?? `code ${code}`}:\n${stderr}`);
    return this.#inbox.rest();
  }
}

export function startChild(body, data, options) {
  return new Child(body, data, options);
}

export async function until(condition) {
  while (!condition()) await delay(1);
}
