import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Batch, OpenBatch } from './batch.js';
import type { FrameReader, LogFrame } from './frame_reader.js';
import type { AgentParts } from './parts.js';
import type { Screen } from './screen.js';

/** Verdicts that may be on their way to the disk while more is read. */
const MAX_OPEN_VERDICTS = 1024;

/** Reads frames, and makes batches of those that are to be sent. */
export class Intake<P> {
  readonly #parts: AgentParts<P>;
  readonly #reader: FrameReader;
  readonly #screen: Screen<P>;
  readonly #send: (batch: Batch<P>) => Promise<void>;
  readonly #batch = new OpenBatch<P>();
  /** Of a batch that has waited long enough: cursor behind what was there then, which still goes in. */
  #dueAt: number | undefined;
  /** Aborted to have the limits looked at again. */
  #nudge = new AbortController();
  /** Cursor at which to stop. */
  #end = Number.POSITIVE_INFINITY;
  #hasQuit = false;

  /** @param send resolves when the next batch may be made: until then nothing is read */
  constructor(
    parts: AgentParts<P>,
    reader: FrameReader,
    screen: Screen<P>,
    send: (batch: Batch<P>) => Promise<void>,
  ) {
    this.#parts = parts;
    this.#reader = reader;
    this.#screen = screen;
    this.#send = send;
  }

  /** Something has changed: a limit, or the end. */
  nudge(): void {
    this.#nudge.abort();
  }

  /** Reads no further than to a cursor. */
  endAt(cursor: number): void {
    this.#end = Math.min(this.#end, cursor);
    this.nudge();
  }

  /** Reads no more, and gives up the batch that is being filled: its frames are not settled. */
  quit(): void {
    this.#hasQuit = true;
    this.nudge();
  }

  /**
   * Reads until the end.
   *
   * @param onFailure told what keeps it from reading on
   */
  async run(onFailure: (error: unknown) => void): Promise<void> {
    try {
      let goesOn = true;
      while (goesOn && !this.#hasQuit) goesOn = await this.#step();
    } catch (error) {
      onFailure(error);
      // Otherwise those in front of a broken frame would wait for it for ever.
      await this.#flush();
    }
  }

  /** Takes what there is, or waits. → false at the end */
  async #step(): Promise<boolean> {
    const isOver = this.#reader.position >= this.#end;
    const frames = isOver ? undefined : this.#reader.read();
    if (frames !== undefined) {
      for (const frame of frames) {
        if (frame.from >= this.#end || this.#hasQuit) break;
        await this.#take(frame);
      }
      // Where nothing is sent nothing else gives the loop its turn.
      await nextTurn();
      return true;
    }
    const timeLeft = this.#batch.timeLeft(this.#parts.batching());
    if (timeLeft === undefined && isOver) return false;
    if (timeLeft === 0 || isOver) await this.#flush();
    else await this.#wait(timeLeft);
    return true;
  }

  async #take(frame: LogFrame): Promise<void> {
    const limits = this.#parts.batching();
    const [pending] = this.#screen.admit([frame]);
    if (pending !== undefined) {
      if (this.#batch.isFullFor(pending.bytes, limits)) await this.#flush();
      this.#batch.add(pending);
    } else if (this.#parts.ledger.openVerdicts > MAX_OPEN_VERDICTS) {
      await this.#screen.judged();
    }
    if (this.#batch.isFull(limits) || this.#isDue(frame)) await this.#flush();
  }

  /** Whether the batch has waited long enough, and has what was there by then. */
  #isDue({ to }: LogFrame): boolean {
    if (this.#batch.timeLeft(this.#parts.batching()) !== 0) return false;
    this.#dueAt ??= this.#reader.committed;
    return to >= this.#dueAt;
  }

  async #flush(): Promise<void> {
    this.#dueAt = undefined;
    if (!this.#batch.isEmpty && !this.#hasQuit) await this.#send(this.#batch.take());
  }

  async #wait(timeoutMs: number | undefined): Promise<void> {
    const { signal } = this.#nudge;
    try {
      await this.#reader.wait(timeoutMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    if (signal.aborted) this.#nudge = new AbortController();
  }
}
