import { native } from '../native.js';
import type { NativeLog } from '../native_types.js';
import type { FrameMemory } from './frame_memory.js';

const { OUT_NEXT, OUT_ROOM } = native.box;

/** Behind it a committed size takes the upper word, too, which cannot be stored together with the lower one here. */
const MOST_BYTES = 2 ** 32;
const WORD_BYTES = 4;
const BYTE = 0xff;

/**
 * The writer's way past the native calls, each of which costs half as much as all of a small frame: lays frames out in the
 * room that the core has announced already, and commits them by the words of the header, as the core would.
 *
 * Where frames come and how far the room goes stands in the mailbox, from which the core catches up with its next call.
 * Not for logs whose commits are flushed or whose frames have checksums.
 */
export class FrameLane {
  readonly #native: NativeLog;
  readonly #memory: FrameMemory;
  readonly #box: Float64Array;
  readonly #words: Int32Array;
  readonly #size: number;
  readonly #waiters: number;
  readonly #isWide: boolean;
  readonly #lead: number;
  readonly #overhead: number;
  /** Where the committed frames end, if this lane was the last to commit. */
  #committed = 0;

  private constructor(log: NativeLog, memory: FrameMemory, words: Int32Array) {
    this.#native = log;
    this.#memory = memory;
    this.#box = log.box;
    this.#words = words;
    this.#size = log.sizeAt / WORD_BYTES;
    this.#waiters = log.waitersAt / WORD_BYTES;
    this.#lead = log.lead;
    this.#overhead = log.overhead;
    this.#isWide = log.lead > 2;
  }

  /** → undefined for a log that commits otherwise */
  static of(log: NativeLog, memory: FrameMemory): FrameLane | undefined {
    if (!log.commitsInMemory) return undefined;
    const header = log.window(0, log.headerSize);
    return header && new FrameLane(log, memory, new Int32Array(header, 0, header.byteLength >> 2));
  }

  /**
   * Lays a frame out, and takes its room. `memory.windowOf` its payload is where its bytes go.
   *
   * @param length there is room for
   * @returns address of its payload; 0 where the file was cut
   */
  layOut(length: number): number {
    const box = this.#box;
    const address = box[OUT_NEXT] as number;
    const lead = this.#lead;
    const total = length + this.#overhead;
    const window = this.#memory.windowOf(address - lead, total);
    const at = address - this.#memory.windowStart;
    const behind = at + length;
    window[at - lead] = total & BYTE;
    window[behind] = total & BYTE;
    window[at - lead + 1] = (total >>> 8) & BYTE;
    window[behind + 1] = (total >>> 8) & BYTE;
    if (this.#isWide) {
      window[at - lead + 2] = (total >>> 16) & BYTE;
      window[behind + 2] = (total >>> 16) & BYTE;
      window[at - lead + 3] = total >>> 24;
      window[behind + 3] = total >>> 24;
    }
    box[OUT_NEXT] = address + total;
    box[OUT_ROOM] = (box[OUT_ROOM] as number) - total;
    // Behind the stores, which may have found that out.
    return this.#isCut ? 0 : address;
  }

  /** Commits what was laid out, here or by the core. → whether that was possible; otherwise the core says why */
  commit(): boolean {
    const end = (this.#box[OUT_NEXT] as number) - this.#lead;
    if (end === this.#committed) return !this.#isCut;
    if (!(end < MOST_BYTES)) return false;
    const words = this.#words;
    // Behind the frames' bytes, and in front of the look at the waiters: a waiter raises its flag, then looks at the size.
    Atomics.store(words, this.#size, end | 0);
    if (this.#waiters >= 0 && Atomics.load(words, this.#waiters) !== 0) this.#native.wake();
    if (this.#isCut) return false;
    this.#committed = end;
    return true;
  }

  /** A header is zero then. */
  get #isCut(): boolean {
    return this.#words[0] === 0;
  }
}
