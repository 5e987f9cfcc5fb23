import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { createSharedLog, type SharedLog, type SharedLogOptions, type ShmWriter } from '../../../dist/log.js';

/** Bytes of the header that the README of shmio draws. */
export const PLAIN_HEADER = 24;

export interface WritableLog extends SharedLog {
  readonly writer: ShmWriter;
}

/** A folder of this test, which goes with it. */
export function freshFolder(parent = tmpdir()): string {
  const folder = mkdtempSync(path.join(parent, 'strand-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The path of a file that does not exist yet. */
export function freshPath(name = 'events.log', parent = tmpdir()): string {
  return path.join(freshFolder(parent), name);
}

/** A log that is closed with the test. */
export function open(options: SharedLogOptions): SharedLog {
  const log = createSharedLog(options);
  onTestFinished(() => log.close());
  return log;
}

/** A writable log of 64 KiB, unless told otherwise, in a folder of its own. */
export function openWritable(options: Partial<SharedLogOptions> = {}): WritableLog {
  const { path: file = freshPath(), capacityBytes = 65_536 } = options;
  return open({ ...options, path: file, capacityBytes, writable: true }) as WritableLog;
}

/** The frames of a text each. */
export const bytesOf = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text));

export const textsOf = (frames: readonly Uint8Array[]): string[] =>
  frames.map((frame) => Buffer.from(frame).toString());

/** Everything that an iterator over the log gives, copied. */
export function allFrames(log: SharedLog): Buffer[] {
  using iterator = log.createIterator();
  const frames: Buffer[] = [];
  for (;;) {
    const batch = iterator.nextBatch({ maxMessages: 1000, maxBytes: 2 ** 30 });
    if (batch.length === 0) return frames;
    for (const frame of batch) frames.push(Buffer.from(frame));
  }
}

/** Compares frames. `toEqual` of the runner takes a second for a megabyte. */
export function expectFrames(actual: readonly Uint8Array[], expected: readonly Uint8Array[]): void {
  const at = actual.findIndex((frame, i) => Buffer.compare(frame, expected[i] ?? Buffer.alloc(0)) !== 0);
  if (at >= 0) expect([at, actual[at]]).toEqual([at, expected[at]]);
  expect(actual.length).toBe(expected.length);
}

/** What a call throws, which it must. */
export function thrownBy(call: () => unknown): Error & { readonly code?: string } {
  try {
    call();
  } catch (error) {
    return error as Error & { readonly code?: string };
  }
  throw new Error('nothing was thrown');
}

// What follows knows of the format only what the README of shmio says, and nothing of the package.

/** A frame: its size as u16, the data, the size again. */
export function frameByHand(data: Uint8Array): Buffer {
  const frame = Buffer.alloc(data.length + 4);
  frame.writeUInt16LE(frame.length, 0);
  frame.set(data, 2);
  frame.writeUInt16LE(frame.length, frame.length - 2);
  return frame;
}

/** Makes a file as shmio lays it out. */
export function writeByHand(file: string, capacity: number, data: readonly Uint8Array[]): void {
  const bytes = Buffer.alloc(capacity);
  const frames = Buffer.concat(data.map(frameByHand));
  bytes.writeBigUInt64LE(BigInt(PLAIN_HEADER), 0);
  bytes.writeBigUInt64LE(BigInt(PLAIN_HEADER), 8);
  bytes.writeBigUInt64LE(BigInt(PLAIN_HEADER + frames.length), 16);
  frames.copy(bytes, PLAIN_HEADER);
  writeFileSync(file, bytes);
}

/** The data of a file's frames, found from its front and from its back. */
export function parseByHand(file: string): Buffer[] {
  const bytes = readFileSync(file);
  const begin = Number(bytes.readBigUInt64LE(8));
  const end = Number(bytes.readBigUInt64LE(16));
  const found: Buffer[] = [];
  for (let at = begin; at < end; ) {
    const size = bytes.readUInt16LE(at);
    if (size < 4 || bytes.readUInt16LE(at + size - 2) !== size) throw new Error(`no frame at byte ${at}`);
    found.push(bytes.subarray(at + 2, at + size - 2));
    at += size;
    if (at > end) throw new Error(`the frame before byte ${at} does not end in the data`);
  }
  let back = end;
  for (const data of [...found].reverse()) {
    if (bytes.readUInt16LE(back - 2) !== data.length + 4) throw new Error(`no frame before byte ${back}`);
    back -= data.length + 4;
  }
  return found;
}
