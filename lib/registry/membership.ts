import { parkLightly, unparkLightly, type Waiter } from '../waits.js';
import { Answering } from './answering.js';
import { Asking } from './asking.js';
import { Channels } from './channels.js';
import { LaneSending } from './lane_sending.js';
import { MemberList, type ReadyWait } from './member_list.js';
import { Kind, type Message, PUBLISHED } from './messages.js';
import { type Cell, type RegistryChange, Replica } from './replica.js';
import { Table } from './table.js';
import type { TableMemory } from './table_memory.js';
import { nextTurn } from './turn.js';

/** Messages that one turn of the loop takes from the inbox: under a flood of them others have their turns all the same. */
const MESSAGES = 1000;
const LEAST_MESSAGES = 16;

/** Of so many messages that the event loop brings, one has the inbox looked into for more. */
const ARRIVALS_A_LOOK = 8;

/** A key's new state: its value, or undefined for none. */
export type NewValue = { readonly of: unknown } | undefined;

/** What a membership tells the registry that has it. */
export interface MembershipEvents {
  /** This thread has a new value, or one less. */
  readonly onChange: (change: RegistryChange<unknown>) => void;
  /** Locks that were waited for have been given. */
  readonly onGrants: () => void;
  /** The table is unusable. */
  readonly onFailure: (error: unknown) => void;
}

/** A thread's part in a registry: what it has received, and the exchange with the other members. */
export class Membership implements Waiter {
  readonly table: Table;
  readonly #channels: Channels;
  readonly #replica: Replica;
  readonly #members: MemberList;
  readonly #asking: Asking;
  readonly #answering: Answering;
  readonly #laneSending: LaneSending;
  readonly #events: MembershipEvents;
  /** Resolves when this thread has received what there was when it joined. */
  readonly ready: Promise<void>;
  #isDraining = false;
  /** Messages that this turn of the loop may still take. */
  #budget = MESSAGES;
  #arrivals = 0;
  /** Whether there was more in the inbox at the last look. */
  #comesMany = false;
  #isOver = false;

  /** Joins. */
  constructor(memory: TableMemory, events: MembershipEvents) {
    this.#events = events;
    // Before it becomes a member: what is set from then on is sent to it.
    this.#channels = new Channels(memory.id, (message) => this.guarded(() => this.#arrived(message)));
    try {
      this.table = new Table(memory);
    } catch (error) {
      this.#channels.close();
      throw error;
    }
    this.#channels.serial = this.table.serial;
    this.#replica = new Replica(this.table, events.onChange);
    this.#members = new MemberList(this.table);
    const guarded = (work: () => void): void => this.guarded(work);
    this.#asking = new Asking(
      this.table,
      this.#replica,
      this.#channels,
      this.#members,
      () => this.#drain(),
      guarded,
    );
    this.#answering = new Answering(this.table, this.#replica, this.#channels, this.#members, guarded);
    this.#laneSending = new LaneSending(this.table, this.#channels, this.#members, guarded);
    parkLightly(this);
    this.ready = this.#receiveAll();
  }

  /** What this thread has, by key. */
  get cells(): ReadonlyMap<number, Cell> {
    return this.#replica.cells;
  }

  /** The published value of a key: at once where this thread has it, or there is none. */
  current(key: number): unknown {
    const version = this.table.look(key);
    if (version === 0) return undefined;
    const cell = this.#replica.cells.get(key);
    return cell?.version === version ? cell.value : this.#fetch(key, version);
  }

  /**
   * Sends a key's new state to all members, then lets it count. The caller has the key's lock, and the value for itself.
   *
   * @returns a promise only where it has to wait
   */
  write(ticket: number, key: number, value: NewValue): undefined | Promise<void> {
    for (;;) {
      this.table.reserve(ticket);
      const { version, joins } = this.table;
      if (this.table.others > 0) {
        try {
          this.#channels.post(this.#messageOf(key, version, joins, value));
        } catch {
          return this.#writeSingly(ticket, key, value);
        }
      }
      if (this.#publish(ticket, key, version, joins, value)) return undefined;
    }
  }

  /** Waits for a thread to have received what there was, or to have gone. `end` gives the wait up. */
  threadReady(thread: number): ReadyWait {
    return this.#members.ready(thread);
  }

  /** @param reason what waits reject with */
  close(reason: unknown): void {
    this.#isOver = true;
    this.#asking.close(reason);
    this.#laneSending.close();
    this.#members.close();
    this.table.leave();
    this.#channels.close();
    unparkLightly(this);
  }

  woken(): void {
    this.guarded(() => {
      if (this.table.firedGrants()) this.#events.onGrants();
      if (this.table.firedChanges()) this.#tableChanged();
    });
  }

  /** Runs work that the event loop asks for, where nobody awaits an error: one of the table ends the registry. */
  guarded(work: () => void): void {
    if (this.#isOver) return;
    try {
      work();
    } catch (error) {
      this.#events.onFailure(error);
    }
  }

  #tableChanged(): void {
    this.#drain();
    // All that those who are gone have sent by them.
    this.#drainLanes();
    this.#asking.changed();
    this.#laneSending.changed();
    this.#members.changed();
    this.#channels.keepOnly(new Set(this.#members.others()));
  }

  async #receiveAll(): Promise<void> {
    try {
      await this.#asking.wantAll();
      if (!this.#isOver) this.table.setReady();
    } catch (error) {
      if (!this.#isOver) this.#events.onFailure(error);
    }
  }

  async #writeSingly(ticket: number, key: number, value: NewValue): Promise<void> {
    for (;;) {
      this.table.reserve(ticket);
      const { version, joins } = this.table;
      await this.#laneSending.send(this.#messageOf(key, version, joins, value));
      if (this.#publish(ticket, key, version, joins, value)) return;
    }
  }

  #messageOf(key: number, version: number, joins: number, value: NewValue): Message {
    const { serial } = this.table;
    return value === undefined
      ? [Kind.DELETED, key, version, joins, serial]
      : [Kind.VALUE, key, version, joins, serial, value.of];
  }

  /** → false if somebody has joined since the version was reserved */
  #publish(ticket: number, key: number, version: number, joins: number, value: NewValue): boolean {
    if (!this.table.publish(ticket, version, joins, value !== undefined)) return false;
    if (value === undefined) this.#replica.remove(key);
    else this.#replica.put(key, { version, value: value.of });
    this.#asking.arrived(key);
    return true;
  }

  /** The published value of a key that lies in the inbox, or was set before this thread listened; or a newer one. */
  async #fetch(key: number, least: number): Promise<unknown> {
    for (;;) {
      const isEmpty = this.#drain();
      const cell = this.#replica.cells.get(key);
      if (cell !== undefined && cell.version >= least) return cell.value;
      if (this.table.look(key) === 0) return undefined;
      if (isEmpty) break;
      await nextTurn();
    }
    await this.#asking.want(key, least);
    return this.#replica.cells.get(key)?.value;
  }

  /** The event loop has taken a message from the inbox. */
  #arrived(message: Message): void {
    this.#take(message);
    // To look for more costs as much as half a message, which most often comes alone; but to take one in this way costs
    // less than an event.
    this.#arrivals++;
    if (this.#budget > 0 && (this.#comesMany || this.#arrivals % ARRIVALS_A_LOOK === 0)) this.#drain();
  }

  /** Takes what lies in the inbox, as far as this turn of the loop may. → whether it is empty now */
  #drain(): boolean {
    // Inside itself it would take a later message before an earlier one.
    if (this.#isDraining || this.#isOver) return true;
    this.#isDraining = true;
    try {
      // Whoever asks more than once in a turn gets something each time.
      let left = Math.max(this.#budget, LEAST_MESSAGES);
      for (this.#comesMany = false; left > 0; left--) {
        const message = this.#channels.receive();
        if (message === undefined) return true;
        this.#take(message);
        this.#comesMany = true;
        if (this.#budget-- === MESSAGES) this.#renewBudget();
      }
      return false;
    } finally {
      this.#isDraining = false;
    }
  }

  #renewBudget(): void {
    setImmediate(() => {
      this.#budget = MESSAGES;
    }).unref();
  }

  #drainLanes(): void {
    let message = this.#channels.receiveFromLanes();
    while (message !== undefined) {
      this.#take(message);
      message = this.#channels.receiveFromLanes();
    }
  }

  #take(message: Message): void {
    switch (message[0]) {
      case Kind.VALUE:
        if (message[4] === PUBLISHED) this.#replica.takePublished(message[1], message[2], message[5]);
        else this.#replica.takeValue(message[1], message[2], message[3], message[4], message[5]);
        this.#asking.arrived(message[1]);
        return;
      case Kind.DELETED:
        this.#replica.takeDeletion(message[1], message[2], message[3], message[4]);
        this.#asking.arrived(message[1]);
        return;
      case Kind.VALUES:
        this.#takeCells(message[1]);
        return;
      case Kind.ASK:
        if (message[1] === this.table.serial) this.#answer(message[2], message[3]);
        return;
      case Kind.ANSWERED:
        this.#asking.answered(message[1], message[2]);
        return;
      case Kind.END:
        this.#asking.ended(message[1]);
        return;
      case Kind.OPEN:
        this.#channels.listenTo(message[1]);
        this.#channels.post([Kind.OPENED, message[1], this.table.serial]);
        return;
      case Kind.OPENED:
        if (message[1] === this.table.serial) this.#laneSending.opened(message[2]);
        return;
    }
  }

  #answer(member: number, keys: readonly number[] | null): void {
    // What was sent to everybody before the question has been taken. What came through lanes may be older, too.
    this.#drainLanes();
    this.#answering.answer(member, keys);
  }

  #takeCells(entries: readonly unknown[]): void {
    for (let i = 0; i < entries.length; i += 3) {
      const key = entries[i] as number;
      this.#replica.takePublished(key, entries[i + 1] as number, entries[i + 2]);
      this.#asking.arrived(key);
    }
    this.#asking.progressed();
  }
}
