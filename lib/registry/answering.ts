import type { Channels } from './channels.js';
import type { MemberList } from './member_list.js';
import { Kind, type Message, PUBLISHED } from './messages.js';
import type { Replica } from './replica.js';
import type { Table } from './table.js';

/** For how long one turn of the event loop sends, and one message of several values may take. */
const TURN_MS = 2;
const MESSAGE_MS = 0.5;
/** Values of one message: at first, as nobody knows how large they are, and at most. */
const FEW = 8;
const MANY = 256;

/** Answers members that ask for values. */
export class Answering {
  readonly #table: Table;
  readonly #replica: Replica;
  readonly #channels: Channels;
  readonly #members: MemberList;
  readonly #guarded: (work: () => void) => void;

  /** @param guarded runs work of which nobody awaits an error */
  constructor(
    table: Table,
    replica: Replica,
    channels: Channels,
    members: MemberList,
    guarded: (work: () => void) => void,
  ) {
    this.#table = table;
    this.#replica = replica;
    this.#channels = channels;
    this.#members = members;
    this.#guarded = guarded;
  }

  /** What came in before the question has been taken. @param keys null for all */
  answer(member: number, keys: readonly number[] | null): void {
    const { serial } = this.#table;
    if (keys === null) this.#give(member, [...this.#replica.cells.keys()], 0, FEW, [Kind.END, serial]);
    // Also where there was nothing to give, or it could not be sent, or not be read there.
    else this.#give(member, keys, 0, FEW, [Kind.ANSWERED, serial, keys]);
  }

  /** Keeps the loop alive until all is sent: a thread that ends now would take the values with it. */
  #give(member: number, keys: readonly number[], from: number, count: number, last: Message): void {
    const end = performance.now() + TURN_MS;
    let at = from;
    let most = count;
    while (at < keys.length) {
      const start = performance.now();
      if (start >= end) break;
      this.#giveTogether(member, keys.slice(at, at + most));
      at += most;
      most = performance.now() - start > MESSAGE_MS ? Math.ceil(most / 2) : Math.min(2 * most, MANY);
    }
    if (at >= keys.length) {
      this.#post(member, last);
    } else {
      setImmediate(() =>
        this.#guarded(() => {
          if (this.#members.others().includes(member)) this.#give(member, keys, at, most, last);
        }),
      );
    }
  }

  #giveTogether(member: number, keys: readonly number[]): void {
    const entries = keys.flatMap((key) => {
      const cell = this.#replica.cells.get(key);
      return cell === undefined ? [] : [key, cell.version, cell.value];
    });
    if (entries.length === 0 || this.#post(member, [Kind.VALUES, entries])) return;
    // One value that does not go with others keeps none of them back.
    for (const key of keys) {
      const cell = this.#replica.cells.get(key);
      if (cell === undefined) continue;
      this.#post(member, [Kind.VALUE, key, cell.version, PUBLISHED, PUBLISHED, cell.value]);
    }
  }

  /** → false where the value does not go through a channel: somebody has put a function into it, say */
  #post(member: number, message: Message): boolean {
    try {
      this.#channels.postTo(member, message);
      return true;
    } catch {
      return false;
    }
  }
}
