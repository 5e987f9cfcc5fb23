import { inspect } from 'node:util';
import type { ReadWindow } from './codec/read_window.js';
import { readerClass } from './codec/reader.js';
import { RecordSource } from './codec/record_source.js';
import { describeValue } from './describe_value.js';
import { argumentError, rangeError } from './errors.js';
import type { CursorAccessors, NamesOf, RowOf, Schema, ValueOf } from './schema_types.js';
import { lostError, Status, statusError } from './status_error.js';

/**
 * Reads records one at a time, in place. Allocate it once and seek: seeking and reading scalars allocates nothing.
 *
 * Accessors give null for a null, for an unknown name, for a field that another accessor reads, and before the first
 * seek. Typed arrays point into the shared heap and are valid until the record is acknowledged.
 */
export abstract class RecordCursor<S extends Schema = Schema>
  extends RecordSource
  implements CursorAccessors<S>
{
  // Stands first so that the compiler compares cursors of different schemas member by member: then one that knows
  // its fields goes where any cursor does.
  /** The record's fields as properties. A name of any kind is a field's here. */
  declare readonly row: Readonly<RowOf<S>>;

  // The accessors are methods of a class that is made for the schema.
  declare readonly getU8: CursorAccessors<S>['getU8'];
  declare readonly getU16: CursorAccessors<S>['getU16'];
  declare readonly getU32: CursorAccessors<S>['getU32'];
  declare readonly getU64: CursorAccessors<S>['getU64'];
  declare readonly getI8: CursorAccessors<S>['getI8'];
  declare readonly getI16: CursorAccessors<S>['getI16'];
  declare readonly getI32: CursorAccessors<S>['getI32'];
  declare readonly getI64: CursorAccessors<S>['getI64'];
  declare readonly getF32: CursorAccessors<S>['getF32'];
  declare readonly getF64: CursorAccessors<S>['getF64'];
  declare readonly getBool: CursorAccessors<S>['getBool'];
  declare readonly getRef: CursorAccessors<S>['getRef'];
  declare readonly getString: CursorAccessors<S>['getString'];
  declare readonly getJson: CursorAccessors<S>['getJson'];
  declare readonly getBytes: CursorAccessors<S>['getBytes'];
  declare readonly getI32Array: CursorAccessors<S>['getI32Array'];
  declare readonly getU32Array: CursorAccessors<S>['getU32Array'];
  declare readonly getF32Array: CursorAccessors<S>['getF32Array'];
  declare readonly getF64Array: CursorAccessors<S>['getF64Array'];
  declare readonly getI64Array: CursorAccessors<S>['getI64Array'];

  /** @internal */
  readonly window: ReadWindow;

  /** @internal Views allocate cursors. */
  constructor(window: ReadWindow) {
    super(window.native, window.ring, window.plan);
    this.internTable = window.internTable;
    this.window = window;
    window.cursors.add(this);
  }

  /**
   * Goes to a record.
   *
   * @returns false where it is not committed (yet); the cursor stays
   * @throws RangeError a record that may have been overwritten
   * @throws StrandResetError the stream was reset
   */
  abstract seek(seq: number): boolean;

  /** @internal For a position that the window does not show as safe to read in place. */
  seekSlow(seq: number): boolean {
    if (typeof seq !== 'number') throw argumentError(`seek takes a number, got ${describeValue(seq)}`);
    const { window } = this;
    const lost = window.refresh();
    if (lost !== Status.OK) throw lostError(lost);
    if (!Number.isInteger(seq) || seq < 0 || seq >= window.committed) return false;
    if (seq >= window.safe) return this.seek(seq);
    // Nobody holds this record for us: it is copied, or it is gone.
    const status = this.useCopy(seq);
    if (status === Status.OK) return true;
    if (status === Status.NOT_COMMITTED) return false;
    if (status !== Status.BEHIND) throw statusError(status, () => '');
    throw rangeError(
      `record ${seq} may have been overwritten: it was acknowledged, and the producer has come around. ` +
        'Seek before acknowledging, or register a consumer',
    );
  }

  /** What the console shows. */
  [inspect.custom](): object {
    return { seq: this.seq, row: this.toObject() };
  }

  /** Any field by its name. */
  abstract get<const N extends NamesOf<S>>(name: N): ValueOf<S, N>;

  /** All fields as a plain object. */
  abstract toObject(): RowOf<S>;
}

/** A cursor of the class that is made for the window's schema. */
export function cursorOf<S extends Schema>(window: ReadWindow): RecordCursor<S> {
  const CursorOfSchema = readerClass(window.plan, RecordCursor);
  return new CursorOfSchema(window) as RecordCursor<S>;
}
