import { holdLoop } from '../waits.js';
import type { Channels } from './channels.js';
import type { MemberList } from './member_list.js';
import { Kind, type Message } from './messages.js';
import type { Table } from './table.js';

/** How long a member that does not open its end is waited for. It asks for the value when it needs it. */
const PATIENCE_MS = 1000;

/** Sends to each member singly what Node.js gives to one receiver only: a KeyObject, a Blob, a BlockList. */
export class LaneSending {
  readonly #table: Table;
  readonly #channels: Channels;
  readonly #members: MemberList;
  /** Members that listen to this one's lane. */
  readonly #open = new Set<number>();
  readonly #waiting = new Set<() => void>();

  constructor(table: Table, channels: Channels, members: MemberList) {
    this.#table = table;
    this.#channels = channels;
    this.#members = members;
  }

  async send(message: Message): Promise<void> {
    if (!this.#allOpen()) await this.#opened();
    for (const member of this.#members.others())
      if (this.#open.has(member)) this.#channels.postTo(member, message);
  }

  opened(member: number): void {
    this.#open.add(member);
    this.changed();
  }

  /** To be called when a departure rings. */
  changed(): void {
    if (this.#waiting.size === 0) return;
    if (this.#allOpen()) for (const end of this.#waiting) end();
  }

  close(): void {
    for (const end of this.#waiting) end();
  }

  #allOpen(): boolean {
    return this.#members.others().every((member) => this.#open.has(member));
  }

  #opened(): Promise<void> {
    return new Promise((resolve) => {
      holdLoop(1);
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        holdLoop(-1);
        resolve();
      };
      const timer = setTimeout(end, PATIENCE_MS);
      this.#waiting.add(end);
      this.#channels.post([Kind.OPEN, this.#table.serial]);
      this.changed();
    });
  }
}
