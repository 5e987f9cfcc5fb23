/**
 * What copies of shared values may gather on a thread before they are collected. The engine collects the buffers of short-lived
 * objects when 32 MiB of them have come together, however small the ring is; each collection costs a millisecond on two
 * cores, so that a fraction of it is no gain.
 */
const GATHERED_BYTES = 20 * 1024 * 1024;
/** More than the engine's limit, and more than any allocator keeps: never touched, so no page of it becomes resident. */
const BALLAST_BYTES = 33 * 1024 * 1024;

let gathered = 0;

/**
 * Tells that `bytes` of memory were allocated for a copy of something shared. Now and then a buffer that nobody uses
 * brings the engine to its limit early: the next allocation collects the copies that nobody holds any more.
 */
export function countOwnedBytes(bytes: number): void {
  gathered += bytes;
  if (gathered < GATHERED_BYTES) return;
  gathered = 0;
  try {
    Buffer.allocUnsafeSlow(BALLAST_BYTES);
  } catch {
    // Address space is short: then the copies stay until the engine's own limit.
  }
}
