/** What a stream between threads has come to. Of a six-word ring the counts are 32-bit and wrap around. */
export interface StreamStats {
  /** Records, or values of a six-word ring, that were written since the ring was created. */
  readonly produced: number;
  /** Those of them that were read and given back. */
  readonly consumed: number;
  /** How often the producer found the ring full, and a consumer found it empty. */
  readonly producerWaits: number;
  readonly consumerWaits: number;
  /** Written and not yet given back. */
  readonly queueDepth: number;
}
