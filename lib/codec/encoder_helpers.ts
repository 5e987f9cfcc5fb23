import { describeValue } from '../describe_value.js';
import { argumentError } from '../errors.js';
import { type Convert, converterOf, type InternHandles, type Stored, tooLongError } from './converters.js';
import type { FieldPlan, RecordPlan } from './plan.js';
import type { Sink } from './sink.js';

/** Values of the record that did not fit its run, in field order. */
export type Stash = Stored[];

/**
 * Writes records of one schema into a sink. Each property is read once, and all of a record's before anything of it
 * is stored, so that user code (getters, proxies, toJSON) never runs between two stores.
 */
export interface Encoder {
  /**
   * Encodes records[from …] into at most `count` slots; `ends[i]` becomes where record i's payloads end, from `base`.
   * → how many records were stored; fewer than `count` when the next one's payloads have no room: its values are in
   * `stash` then.
   */
  run(
    sink: Sink,
    records: readonly unknown[],
    from: number,
    count: number,
    ends: Uint32Array,
    base: number,
    stash: Stash,
  ): number;
  /** Encodes one record. → false where its payloads have no room: its values are in `stash` then. */
  one(sink: Sink, record: unknown, index: number, stash: Stash): boolean;
  /** Stores values that were stashed. → false where they have no room. */
  stashed(sink: Sink, stash: Stash, index: number): boolean;
}

/** What encoders of both kinds call for all that is rare. */
export class EncoderHelpers {
  readonly plan: RecordPlan;
  readonly convert: readonly Convert[];

  constructor(plan: RecordPlan, handles: InternHandles | undefined) {
    this.plan = plan;
    this.convert = plan.fields.map((field) => converterOf(field, handles));
  }

  notARecord(value: unknown, index: number): never {
    throw argumentError(
      `record ${index} must be an object with the schema's fields, got ${describeValue(value)}`,
      {
        record: index,
      },
    );
  }

  tooLong(index: number, bytes: number, record: number): never {
    throw tooLongError(this.plan.fields[index] as FieldPlan, bytes, record);
  }
}
