import type { StrandView } from '../view.js';
import type { StrandWriter } from '../writer.js';

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

/** The same ring as its writer sees it. */
export function statsOfWriter(writer: StrandWriter): StreamStats {
  const { recordsProduced: produced, stalls, consumerWaits, queueDepth } = writer.stats();
  return { produced, consumed: produced - queueDepth, producerWaits: stalls, consumerWaits, queueDepth };
}

/** The same ring as a view sees it. */
export function statsOfView(view: StrandView): StreamStats {
  const { recordsProduced: produced, producerStalls, consumerWaits, queueDepth } = view.stats();
  return {
    produced,
    consumed: produced - queueDepth,
    producerWaits: producerStalls,
    consumerWaits,
    queueDepth,
  };
}
