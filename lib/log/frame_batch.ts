/**
 * Frames without a Buffer for each: frame `i` is `bytes.subarray(starts[i], starts[i] + lengths[i])`. Good until the
 * iterator's next call, which uses the same arrays again.
 */
export interface FrameBatch {
  readonly bytes: Buffer;
  /** Where each payload begins in `bytes`. Only the first `count` are of this batch. */
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
  readonly count: number;
}
