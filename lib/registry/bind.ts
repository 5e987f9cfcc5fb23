import { Worker } from 'node:worker_threads';
import { describeValue } from '../describe_value.js';
import { argumentError } from '../errors.js';
import { Registry } from './registry.js';

/**
 * Waits for a thread to take part in a registry. A thread takes part once it has made a `Registry` of the data; nobody has to
 * wait for that.
 *
 * @param worker which thread; left out, this one
 * @returns resolves when the thread has received every value that was there, or is gone
 */
export function bind<T>(registry: Registry<T>, worker?: Worker): Promise<void> {
  if (!(registry instanceof Registry)) {
    throw argumentError(`bind takes a Registry, got ${describeValue(registry)}`);
  }
  if (worker !== undefined && !(worker instanceof Worker)) {
    throw argumentError(`bind takes a Worker of node:worker_threads, got ${describeValue(worker)}`);
  }
  return registry.bound(worker);
}
