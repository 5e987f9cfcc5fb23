import { native } from '../native.js';
import type { NativeView } from '../native_types.js';
import type { FieldPlan } from './plan.js';
import type { RecordSource } from './record_source.js';

const { OUT_COUNT } = native.box;

/** Bit of an end that marks an absent value. */
const TEXT_ABSENT = native.constants.TEXT_ABSENT as number;

/** Records of one stretch at most. */
const MAX_STRETCH = 512;
/** How much longer the next stretch is when the last one was used. */
const GROWTH = 4;

const NOT_PARSED = Symbol('not parsed');

/**
 * The texts of one field as one cursor reads them. Going forward it has the core decode a stretch of records together
 * (at most a few kilobytes) and cuts each record's text off it; jumping about it decodes one by one.
 */
export class TextColumn {
  readonly #index: number;
  readonly #native: NativeView;
  readonly #gatherText: NativeView['gatherText'];
  readonly #box: Float64Array;
  readonly #source: RecordSource;
  readonly #isJson: boolean;
  readonly #absent: string | null;
  #ends = new Uint32Array(1);
  #stretch = '';
  #from = -1;
  #count = 0;
  #wanted = 1;
  #used = 0;
  #seq = -1;
  #text: string | null = null;
  #json: unknown = NOT_PARSED;

  constructor(field: FieldPlan, view: NativeView, source: RecordSource) {
    this.#index = field.index;
    this.#native = view;
    this.#gatherText = view.gatherText;
    this.#box = view.box;
    this.#source = source;
    this.#isJson = field.type.kind === 'json';
    this.#absent = this.#isJson || field.nullableBit >= 0 ? null : '';
  }

  /** Text of the present record, decoded once. */
  text(): string | null {
    const { seq } = this.#source;
    return seq === this.#seq ? this.#text : this.#decode(seq);
  }

  /** JSON value of the present record, parsed once; null where there is none, or what no producer of ours writes. */
  json(): unknown {
    const text = this.text();
    if (this.#json !== NOT_PARSED) return this.#json;
    let value: unknown = null;
    try {
      if (text !== null) value = JSON.parse(text);
    } catch {
      // Bytes of a foreign producer that are no JSON.
    }
    this.#json = value;
    return value;
  }

  /** Forgets everything: positions belong to a new stream. */
  clear(): void {
    this.#from = -1;
    this.#count = 0;
    this.#seq = -1;
  }

  #decode(seq: number): string | null {
    let place = seq - this.#from;
    if (this.#source.isCopy) {
      this.#count = 0;
      this.#stretch = this.#native.recordText(this.#index, this.#source.copy, this.#ends) ?? '';
      place = 0;
    } else if (!(place >= 0 && place < this.#count)) {
      this.#gather(seq);
      place = 0;
    }
    this.#used++;
    const ends = this.#ends;
    const end = ends[place] as number;
    const start = place === 0 ? 0 : (ends[place - 1] as number) % TEXT_ABSENT;
    this.#text = end >= TEXT_ABSENT ? this.#absent : this.#stretch.substring(start, end);
    this.#json = NOT_PARSED;
    this.#seq = seq;
    return this.#text;
  }

  #gather(seq: number): void {
    const used = this.#used * 2 >= this.#count && seq >= this.#from;
    this.#wanted = used ? Math.min(this.#wanted * GROWTH, MAX_STRETCH) : 1;
    if (this.#ends.length < this.#wanted) this.#ends = new Uint32Array(this.#wanted);
    const ends = this.#wanted < this.#ends.length ? this.#ends.subarray(0, this.#wanted) : this.#ends;
    this.#stretch = this.#gatherText(this.#index, seq, ends) ?? '';
    this.#from = seq;
    this.#count = this.#box[OUT_COUNT] as number;
    this.#used = 0;
    if (this.#count === 0) this.#ends[0] = TEXT_ABSENT;
  }
}
