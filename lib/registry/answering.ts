import type { Channels } from './channels.js';
import { Kind, PUBLISHED } from './messages.js';
import type { Replica } from './replica.js';
import type { Table } from './table.js';

/** Entries of one message. */
const ENTRIES = 256;
/** For how long one turn of the event loop sends. */
const TURN_MS = 2;

/** Answers members that ask for values. */
export class Answering {
  readonly #table: Table;
  readonly #replica: Replica;
  readonly #channels: Channels;

  constructor(table: Table, replica: Replica, channels: Channels) {
    this.#table = table;
    this.#replica = replica;
    this.#channels = channels;
  }

  /** What came in before the question has been taken. */
  answer(member: number, keys: readonly number[] | null): void {
    if (keys !== null) {
      for (const key of keys) this.#give(member, key);
      // Whether there was nothing to give, or it could not be sent, or not be read there.
      this.#post(member, [Kind.ANSWERED, this.#table.serial, keys]);
      return;
    }
    this.#giveSome(member, [...this.#replica.cells.keys()], 0);
  }

  /** Keeps the loop alive until all is sent: a thread that ends now would take the values with it. */
  #giveSome(member: number, keys: readonly number[], from: number): void {
    const end = performance.now() + TURN_MS;
    let at = from;
    do {
      this.#giveTogether(member, keys.slice(at, at + ENTRIES));
      at += ENTRIES;
    } while (at < keys.length && performance.now() < end);
    if (at < keys.length) setImmediate(() => this.#giveSome(member, keys, at));
    else this.#post(member, [Kind.END, this.#table.serial]);
  }

  #giveTogether(member: number, keys: readonly number[]): void {
    const entries = keys.flatMap((key) => {
      const cell = this.#replica.cells.get(key);
      return cell === undefined ? [] : [key, cell.version, cell.value];
    });
    // One value that does not go with others keeps none of them back.
    if (!this.#post(member, [Kind.VALUES, entries])) for (const key of keys) this.#give(member, key);
  }

  #give(member: number, key: number): void {
    const cell = this.#replica.cells.get(key);
    if (cell === undefined || cell.version !== this.#table.look(key)) return;
    this.#post(member, [Kind.VALUE, key, cell.version, PUBLISHED, PUBLISHED, cell.value]);
  }

  /** → false where the value does not go through a channel: somebody has put a function into it, say */
  #post(member: number, message: Parameters<Channels['postTo']>[1]): boolean {
    try {
      this.#channels.postTo(member, message);
      return true;
    } catch {
      return false;
    }
  }
}
