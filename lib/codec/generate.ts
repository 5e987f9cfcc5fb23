import type { RecordPlan } from './plan.js';

/** Code for more fields than this would be compiled for longer than it runs. */
const MAX_FIELDS = 256;

let allowed: boolean | undefined;

function codeMayBeGenerated(): boolean {
  try {
    return new Function('return true')() as boolean;
  } catch {
    // --disallow-code-generation-from-strings
    return false;
  }
}

/** Whether code specialised for the schema may be generated here. */
export function mayGenerate(plan: RecordPlan): boolean {
  allowed ??= codeMayBeGenerated();
  return allowed && plan.fields.length <= MAX_FIELDS;
}

/** A string as a literal of generated code: names come from buffers. */
export function quote(text: string): string {
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

/** Small cache of generated functions by schema, so that attaching again costs no compilation and keeps code warm. */
export class SourceCache<T> {
  static readonly #LIMIT = 64;
  readonly #entries = new Map<string, T>();

  get(key: string, make: () => T): T {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    if (this.#entries.size >= SourceCache.#LIMIT) {
      const [oldest] = this.#entries.keys();
      this.#entries.delete(oldest as string);
    }
    const made = make();
    this.#entries.set(key, made);
    return made;
  }
}
