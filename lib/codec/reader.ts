import type { CursorBase, CursorClass } from './accessors.js';
import { mayGenerate } from './generate.js';
import type { RecordPlan } from './plan.js';
import { closureCursor } from './reader_closures.js';
import { generatedCursor } from './reader_source.js';

/** The cursor class of a schema. */
export function readerClass(plan: RecordPlan, base: CursorBase): CursorClass {
  return mayGenerate(plan) ? generatedCursor(plan, base) : closureCursor(plan, base);
}
