import { describeValue } from '../describe_value.js';
import { argumentError, fieldLabel, valueRangeError } from '../errors.js';
import { internTableOf } from '../metadata.js';
import type { StrandMap } from '../strand_map.js';

/** Handles of the strings of an intern table. */
export class InternHandles {
  readonly #table: readonly string[] | undefined;
  #handles: Map<string, number> | undefined;

  /** @param given takes the place of the table that the strand carries */
  constructor(map: StrandMap, given: unknown) {
    if (given !== undefined && !(Array.isArray(given) && given.every((text) => typeof text === 'string'))) {
      throw argumentError(`an intern table is a list of strings, got ${describeValue(given)}`);
    }
    this.#table = (given as readonly string[] | undefined) ?? internTableOf(map);
  }

  /** @throws RangeError a string that the table does not have */
  handleOf(text: string, field: string, record: number): number {
    const handles = this.#of(field);
    const handle = handles.get(text);
    if (handle !== undefined) return handle;
    throw valueRangeError(field, record, `one of the ${handles.size} strings of the intern table`, text);
  }

  #of(field: string): Map<string, number> {
    if (this.#handles === undefined) {
      if (this.#table === undefined) {
        throw argumentError(
          `strings go into ${fieldLabel(field)} by an intern table, and the strand carries none: ` +
            'createStrand takes internTable, or give it to writeRecordBatch',
          { field },
        );
      }
      // Of equal strings the first one's handle counts.
      this.#handles = new Map(this.#table.map((text, handle) => [text, handle] as const).reverse());
    }
    return this.#handles;
  }
}
