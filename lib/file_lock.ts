import { native } from './native.js';
import { unwrap } from './native_fault.js';
import type { NativeFileLock } from './native_types.js';

/**
 * A file that one holder at a time has, of all threads and processes of the machine. The lock goes with its thread and with
 * its process, however they end, and with this object when it is collected.
 */
export class FileLock {
  readonly #native: NativeFileLock;

  private constructor(lock: NativeFileLock) {
    this.#native = lock;
  }

  /**
   * Takes the lock without waiting. Its file is made where there is none, and stays.
   *
   * @returns undefined where somebody else has it, in this thread or anywhere
   * @throws StrandError `ERR_STRAND_FILE` where the system refuses
   */
  static take(path: string): FileLock | undefined {
    const lock = unwrap(native.takeFileLock(path));
    return lock && new FileLock(lock);
  }

  /** Lets the next one have it. Again, it does nothing. */
  release(): void {
    this.#native.release();
  }
}
