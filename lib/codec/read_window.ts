import type { NativeView } from '../native_types.js';
import type { WeakCollection } from '../weak_collection.js';
import type { RecordPlan } from './plan.js';
import type { RecordSource } from './record_source.js';

/**
 * What a view shares with its cursors: which records may be read in place. Refreshed with every call of the view that
 * asks the core; the epoch is looked at with every seek.
 */
export interface ReadWindow {
  readonly native: NativeView;
  readonly ring: DataView;
  readonly plan: RecordPlan;
  /** Control words. Two are looked at with every seek: one that changes with a reset, and one that changes before the
   * producer overwrites anything that could be read when `safe` was taken. */
  readonly words: Int32Array;
  epoch: number;
  gate: number;
  /** Records from `safe` to `committed` cannot be overwritten while this view holds them. */
  safe: number;
  committed: number;
  internTable: readonly string[] | undefined;
  /** Asks the core again. → Status OK, RESET where the stream was reset, GONE */
  refresh(): number;
  readonly cursors: WeakCollection<RecordSource>;
}
