import { statSync } from 'node:fs';
import { StrandError } from '../errors.js';
import type { SharedLog } from '../log/shared_log.js';

const BATCH = { maxMessages: 4096, maxBytes: 4 * 1024 * 1024 };

export interface Walk {
  readonly frames: number;
  /** Of payload. */
  readonly bytes: number;
  /** What ended the walk before the log's end. */
  readonly damage: string | undefined;
}

/** Reads all frames. */
export function walk(log: SharedLog): Walk {
  using iterator = log.createIterator();
  let frames = 0;
  let bytes = 0;
  try {
    for (;;) {
      const batch = iterator.readLargest(BATCH);
      if (batch.count === 0) return { frames, bytes, damage: undefined };
      frames += batch.count;
      for (let i = 0; i < batch.count; i++) bytes += batch.lengths[i] as number;
    }
  } catch (error) {
    if (!(error instanceof StrandError)) throw error;
    return { frames, bytes, damage: error.message };
  }
}

/** What is to be said of a log's file. */
export function statOf(log: SharedLog, path: string): Record<string, string | number> {
  const { headerSize, dataOffset, size } = log.header;
  const { frames, bytes, damage } = walk(log);
  const { frameLengthBits, checksum, maxFrameBytes, maxCapacityBytes } = log.format;
  return {
    path,
    identity: log.identity ?? 'none',
    fileBytes: statSync(path).size,
    maxCapacityBytes,
    headerSize: Number(headerSize),
    dataOffset: Number(dataOffset),
    committedSize: Number(size - dataOffset),
    frames,
    payloadBytes: bytes,
    frameLengthBits,
    checksum: checksum || 'none',
    maxFrameBytes,
    ...(damage === undefined ? {} : { damage }),
  };
}
