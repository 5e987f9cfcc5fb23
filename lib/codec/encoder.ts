import { heapFullError, type InternHandles, tooLongError } from './converters.js';
import { closureEncoder } from './encoder_closures.js';
import { type Encoder, EncoderHelpers, type Stash } from './encoder_helpers.js';
import { generatedEncoder } from './encoder_source.js';
import { mayGenerate } from './generate.js';
import type { RecordPlan } from './plan.js';
import { typedArrayBytes } from './typed_arrays.js';

export interface HeapNeed {
  /** Bytes at the heap's first byte, and anywhere. */
  readonly atStart: number;
  readonly anywhere: number;
}

/**
 * Heap that stashed values need.
 *
 * @throws StrandCapacityError where a value is too long for its field, or the record for the heap
 */
export function measure(
  plan: RecordPlan,
  stash: Stash,
  record: number,
  heapStart: number,
  capacity: number,
): HeapNeed {
  let end = heapStart;
  let slack = 0;
  for (const field of plan.fields) {
    const { elementSize } = field.type;
    const value = stash[field.index];
    if (elementSize === 0 || value === null) continue;
    const bytes = typeof value === 'string' ? Buffer.byteLength(value) : typedArrayBytes(value);
    if (bytes > field.maxPayload) throw tooLongError(field, bytes, record);
    end = Math.ceil(end / elementSize) * elementSize + bytes;
    slack += elementSize - 1;
    if (end - heapStart > capacity) {
      throw heapFullError(field, record, end - heapStart, capacity);
    }
  }
  return { atStart: end - heapStart, anywhere: end - heapStart + slack };
}

/** The encoder of a schema. Generated code where the runtime allows it, closures otherwise. */
export function encoderOf(plan: RecordPlan, handles: InternHandles | undefined): Encoder {
  const helpers = new EncoderHelpers(plan, handles);
  return mayGenerate(plan) ? generatedEncoder(helpers) : closureEncoder(helpers);
}
