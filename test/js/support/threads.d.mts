import type { Worker } from 'node:worker_threads';
import type * as StrandPackage from '../../../dist/index.js';
import type * as LogPackage from '../../../dist/log.js';
import type * as RegistryPackage from '../../../dist/registry.js';
import type * as StreamsPackage from '../../../dist/streams.js';
import type { everyType } from './every_type.mjs';
import type { numbered } from './numbered.mjs';
import type { seeded } from './seeded.mjs';

/** What a test's function gets in another thread or process. */
export interface Inside<D> {
  /** The package, loaded in that thread. */
  readonly strand: typeof StrandPackage;
  /** Its streams. */
  readonly streams: typeof StreamsPackage;
  /** Its shared log. */
  readonly log: typeof LogPackage;
  /** Its registry. */
  readonly registry: typeof RegistryPackage;
  readonly data: D;
  /** Tells the thread that started this one. */
  say(message: unknown): void;
  /** The next message from there; in threads only. */
  hear<M>(): Promise<M>;
  load(file: string): Promise<typeof StrandPackage>;
  readonly startThread: typeof startThread;
  readonly until: typeof until;
  readonly everyType: typeof everyType;
  readonly numbered: typeof numbered;
  readonly seeded: typeof seeded;
}

/**
 * A function that runs in another thread or process. Only its source travels: it may use its argument and globals, and
 * nothing of the file around it.
 */
export type Body<D> = (inside: Inside<D>) => unknown;

export interface Thread {
  readonly worker: Worker;
  /** Settles with the thread's end, however it comes. */
  readonly ended: Promise<{ readonly code: number; readonly error?: Error & { readonly code?: string } }>;
  /** The next message; rejects when the thread has ended and there is none. */
  said<M = unknown>(): Promise<M>;
  say(message: unknown): void;
  terminate(): Promise<number>;
  /** Resolves with a clean end; throws what the thread threw. */
  done(): Promise<void>;
}

/** Options of a thread or process. */
export interface ThreadOptions {
  /** `file:` URL of the copy of the package to load; null for none. */
  readonly index?: string | null | undefined;
}

export function startThread<D>(body: Body<D>, data: D, options?: ThreadOptions): Thread;

export interface Child {
  readonly ended: Promise<{
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly stderr: string;
  }>;
  /** When the process was gone, as `performance.now()` of this one. */
  readonly exited: Promise<number>;
  said<M = unknown>(): Promise<M>;
  /** Resolves with a clean end, and with what was said and not asked for; throws what stood on stderr. */
  done<M = unknown>(): Promise<M[]>;
}

/** @param data what JSON can carry */
export function startChild<D>(
  body: Body<D>,
  data: D,
  options?: ThreadOptions & { readonly env?: NodeJS.ProcessEnv; readonly execArgv?: readonly string[] },
): Child;

/** Resolves once the condition holds. */
export function until(condition: () => boolean): Promise<void>;
