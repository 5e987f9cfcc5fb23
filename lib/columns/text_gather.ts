import type { FieldPlan } from '../codec/plan.js';
import { native } from '../native.js';
import type { NativeView } from '../native_types.js';

const { OUT_COUNT } = native.box;

/** Bit of an end that marks an absent value. */
const { TEXT_ABSENT } = native.constants as { readonly TEXT_ABSENT: number };

/** Records of one stretch at most; short texts fill no more of the core's stretch than this many. */
const MAX_STRETCH = 1024;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Bytes of a foreign producer that are no JSON.
    return null;
  }
}

/**
 * Texts or JSON values of a field in consecutive records. The core decodes a stretch of them as one string out of a
 * private copy; each record's text is cut off it.
 *
 * @param list takes `count` values; null where there is none
 * @param validity takes a bit for each, where it is given
 */
export function gatherTexts(
  view: NativeView,
  field: FieldPlan,
  from: number,
  count: number,
  list: unknown[],
  validity: Uint32Array | undefined,
): void {
  const isJson = field.type.kind === 'json';
  const absent = isJson || field.nullableBit >= 0 ? null : '';
  const ends = new Uint32Array(Math.min(count, MAX_STRETCH));
  validity?.fill(0, 0, Math.ceil(count / 32));
  let at = 0;
  while (at < count) {
    const room = Math.min(count - at, ends.length);
    const text =
      view.gatherText(field.index, from + at, room < ends.length ? ends.subarray(0, room) : ends) ?? '';
    const gathered = view.box[OUT_COUNT] as number;
    // A reset has taken the records away, and whoever asked for them will find out.
    if (gathered === 0) return;
    let start = 0;
    for (let i = 0; i < gathered; i++) {
      const end = ends[i] as number;
      if (end >= TEXT_ABSENT) {
        list[at + i] = absent;
        // Text that is not nullable is there, and empty.
        if (validity !== undefined && absent !== null) setBit(validity, at + i);
      } else {
        const value = text.substring(start, end);
        list[at + i] = isJson ? parsed(value) : value;
        start = end;
        // Not by the value: a JSON text may say null.
        if (validity !== undefined) setBit(validity, at + i);
      }
    }
    at += gathered;
  }
}

function setBit(words: Uint32Array, index: number): void {
  words[index >> 5] = (words[index >> 5] as number) | (1 << (index & 31));
}
