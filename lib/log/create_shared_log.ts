import { describeValue } from '../describe_value.js';
import { argumentError, rangeError } from '../errors.js';
import { filePathOf } from '../file_path.js';
import { native } from '../native.js';
import { unwrap } from '../native_fault.js';
import { checkFlag, checkNames, optionsOf } from '../options.js';
import { SharedLog, type WritableSharedLog } from './shared_log.js';

/**
 * When commits reach the disk: whenever the system likes (they survive the process, not a loss of power), before they
 * become visible, or in the background.
 */
export type Durability = 'none' | 'commit' | { readonly everyMs: number };

export interface SharedLogOptions {
  /** The log's file. On Linux one under `/dev/shm` stays in memory. */
  readonly path: string | URL;
  /** Bytes of a file that does not exist yet. Existing files keep their size. */
  readonly capacityBytes?: number | bigint;
  /** Bytes that a new file may grow to; as many as `capacityBytes` unless given. */
  readonly maxCapacityBytes?: number | bigint;
  /** Opens the log for writing, which one writer at a time may do, and makes it where there is none. */
  readonly writable?: boolean;
  /** Compares both lengths of each frame, and its neighbour's. As `SHMIO_DEBUG` or `STRAND_DEBUG` says unless given. */
  readonly debugChecks?: boolean;
  /** Of a new file: payloads up to this size; above 65,531 bytes frames have 32-bit lengths. */
  readonly maxFrameBytes?: number;
  /** Of a new file: frames with a checksum, which tell what a loss of power has left. */
  readonly checksum?: 'crc32c' | false;
  /** `'none'` unless given. */
  readonly durability?: Durability;
  /** Of a log that is not writable: Buffers are the read-only mapping itself. Writing into one ends the process. */
  readonly zeroCopy?: boolean;
}

const OPTIONS = [
  'path',
  'capacityBytes',
  'maxCapacityBytes',
  'writable',
  'debugChecks',
  'maxFrameBytes',
  'checksum',
  'durability',
  'zeroCopy',
] satisfies (keyof SharedLogOptions)[];

/**
 * Opens a memory-mapped, append-only log of frames, or creates it.
 *
 * @throws StrandError `ERR_STRAND_LOG_LOCKED` where it has a writer, `ERR_STRAND_LOG_FORMAT` for a file that is no log (it
 *   stays as it is), `ERR_STRAND_FILE` where the system refuses
 */
export function createSharedLog(options: SharedLogOptions & { readonly writable: true }): WritableSharedLog;
export function createSharedLog(options: SharedLogOptions): SharedLog;
export function createSharedLog(options: SharedLogOptions): SharedLog {
  const given = optionsOf(options, 'createSharedLog', '{ path, capacityBytes, writable, … }');
  checkNames(given, 'createSharedLog', OPTIONS);
  const writable = checkFlag('writable', given.writable);
  const zeroCopy = checkFlag('zeroCopy', given.zeroCopy);
  const debugChecks = checkFlag('debugChecks', given.debugChecks, isDebugging());
  const path = filePathOf(given.path, "a log's");
  const log = unwrap(
    native.openLog({
      path,
      writable,
      capacity: bytesOf('capacityBytes', given.capacityBytes),
      maxCapacity: bytesOf('maxCapacityBytes', given.maxCapacityBytes),
      maxFrameBytes: bytesOf('maxFrameBytes', given.maxFrameBytes),
      checksum: checksumOf(given.checksum),
      durability: millisOf(given.durability),
    }),
  );
  return new SharedLog({
    log,
    path,
    writable,
    zeroCopy,
    debugChecks,
  });
}

function isDebugging(): boolean {
  const { SHMIO_DEBUG, STRAND_DEBUG } = process.env;
  return SHMIO_DEBUG === 'true' || STRAND_DEBUG === 'true';
}

function bytesOf(name: string, bytes: unknown): number {
  if (bytes === undefined) return 0;
  if (typeof bytes !== 'number' && typeof bytes !== 'bigint') {
    throw argumentError(`${name} is a number or bigint, got ${describeValue(bytes)}`);
  }
  const number = Number(bytes);
  if (!Number.isSafeInteger(number) || number < 1) {
    throw rangeError(`${name} is an integer from 1 to 2^53 − 1, got ${describeValue(bytes)}`);
  }
  return number;
}

function checksumOf(checksum: unknown): boolean {
  if (checksum === undefined || checksum === false) return false;
  if (checksum === 'crc32c') return true;
  throw argumentError(`checksum is 'crc32c' or left out, got ${describeValue(checksum)}`);
}

function millisOf(durability: unknown): number {
  if (durability === undefined || durability === 'none') return -1;
  if (durability === 'commit') return 0;
  const millis =
    typeof durability === 'object' && durability !== null
      ? (durability as { everyMs?: unknown }).everyMs
      : undefined;
  if (typeof millis !== 'number' || !(millis >= 1 && millis < 2 ** 31)) {
    throw argumentError(
      `durability is 'none', 'commit' or { everyMs } of at least 1, got ${describeValue(durability)}`,
    );
  }
  return millis;
}
