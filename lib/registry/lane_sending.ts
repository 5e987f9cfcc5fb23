import { holdLoop } from '../waits.js';
import type { Channels } from './channels.js';
import type { MemberList } from './member_list.js';
import { Kind, type Message } from './messages.js';
import type { Table } from './table.js';

/** How long members that do not open their ends are waited for: once each, if others do. */
const PATIENCE_MS = 1000;

/** Sends to each member singly what Node.js gives to one receiver only: a KeyObject, a Blob, a BlockList. */
export class LaneSending {
  readonly #table: Table;
  readonly #channels: Channels;
  readonly #members: MemberList;
  /** Members that listen to this one's lane. */
  readonly #open = new Set<number>();
  /** Members that did not in time. They ask for the value when they need it. */
  readonly #late = new Set<number>();
  readonly #waiting = new Set<() => void>();
  readonly #guarded: (work: () => void) => void;
  #isClosed = false;

  /** @param guarded runs work of which nobody awaits an error */
  constructor(table: Table, channels: Channels, members: MemberList, guarded: (work: () => void) => void) {
    this.#guarded = guarded;
    this.#table = table;
    this.#channels = channels;
    this.#members = members;
  }

  /** Resolves when the message is in the inboxes of all members but the late ones, and of one at least if there is one. */
  async send(message: Message): Promise<void> {
    if (!this.#enoughOpen()) await this.#opened();
    for (const member of this.#members.others())
      if (this.#open.has(member)) this.#channels.postTo(member, message);
  }

  opened(member: number): void {
    this.#open.add(member);
    this.#late.delete(member);
    this.#endIfEnough();
  }

  /** To be called when a change among the members rings. */
  changed(): void {
    const others = new Set(this.#members.others());
    for (const members of [this.#open, this.#late]) {
      for (const member of members) if (!others.has(member)) members.delete(member);
    }
    this.#endIfEnough();
  }

  #endIfEnough(): void {
    if (this.#waiting.size > 0 && this.#enoughOpen()) for (const end of this.#waiting) end();
  }

  close(): void {
    this.#isClosed = true;
    for (const end of this.#waiting) end();
  }

  #enoughOpen(): boolean {
    const others = this.#members.others();
    const late = others.filter((member) => !this.#open.has(member));
    return (
      late.every((member) => this.#late.has(member)) && (late.length === 0 || late.length < others.length)
    );
  }

  /** Goes on without those that have not opened, unless that is all. */
  #giveUpOnLate(): void {
    for (const member of this.#members.others()) if (!this.#open.has(member)) this.#late.add(member);
    this.#endIfEnough();
  }

  #opened(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      holdLoop(1);
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        holdLoop(-1);
        resolve();
      };
      const timer = setTimeout(() => this.#guarded(() => this.#giveUpOnLate()), PATIENCE_MS);
      this.#waiting.add(end);
      this.#channels.post([Kind.OPEN, this.#table.serial]);
      this.#endIfEnough();
    });
  }
}
