import { threadId } from 'node:worker_threads';
import { native } from '../native.js';
import type { NativeRegistry } from '../native_types.js';
import { RegistryStatus, tableError } from './registry_error.js';
import type { TableMemory } from './table_memory.js';

const {
  IN_KEY,
  IN_TICKET,
  IN_VERSION,
  IN_JOINS,
  IN_PRESENT,
  IN_WRITER,
  IN_PLACE,
  OUT_COUNT,
  OUT_JOINS,
  OUT_OTHERS,
  OUT_PLACE,
  OUT_TICKET,
  OUT_VERSION,
  OUT_WRITER,
} = native.box;
const { OK, QUEUED, GRANTED, NO_ROOM, GROWN, JOINED, NOT_HELD, CORRUPT } = RegistryStatus;

/** Numbers that tell of one found key, and of one member. */
const FOUND = 2;
const MEMBER = 3;
const MEMBERS_AT_FIRST = 16;

export interface Member {
  readonly serial: number;
  readonly thread: number;
  /** Whether it has received what there was when it joined. */
  readonly isReady: boolean;
}

export interface Found {
  readonly key: number;
  readonly version: number;
}

/** What a claim came to. */
export interface Claim {
  readonly ticket: number;
  readonly isHeld: boolean;
}

/** A registry's table as this thread, a member, sees it. */
export class Table {
  /** This member's number; no other has or had it. */
  readonly serial: number;

  readonly #memory: TableMemory;
  readonly #native: NativeRegistry;
  readonly #box: Float64Array;
  // In fields of their own: the engine keeps the native object in dictionary mode.
  readonly #look: () => number;
  readonly #claim: () => number;
  readonly #reserve: () => number;
  readonly #publish: () => number;
  readonly #release: () => number;
  readonly #accept: () => number;
  readonly #nextGrant: () => number;
  #known: number;
  #hasLeft = false;
  #members = new Uint32Array(MEMBERS_AT_FIRST * MEMBER);

  /** Of the last `look`: who published. */
  writer = 0;
  /** Of the last `reserve`. */
  version = 0;
  others = 0;
  #joins = 0;

  /** Joins. */
  constructor(memory: TableMemory) {
    this.#memory = memory;
    this.#known = memory.data.table.byteLength;
    for (;;) {
      const opened = native.openRegistry(memory.bytes, threadId);
      if (typeof opened !== 'number') {
        this.#native = opened;
        break;
      }
      if (opened !== NO_ROOM && opened !== GROWN) throw tableError(opened);
      this.#known = memory.makeRoom(opened, this.#known, undefined);
    }
    const registry = this.#native;
    this.serial = registry.serial;
    this.#box = registry.box;
    this.#look = registry.look;
    this.#claim = registry.claim;
    this.#reserve = registry.reserve;
    this.#publish = registry.publish;
    this.#release = registry.release;
    this.#accept = registry.accept;
    this.#nextGrant = registry.nextGrant;
  }

  /** The published version of a key, 0 if it has no value; `writer` besides. */
  look(key: number): number {
    const box = this.#box;
    box[IN_KEY] = key;
    const status = this.#look();
    if (status !== OK) this.#insist(status, this.#look);
    this.writer = box[OUT_WRITER] as number;
    return box[OUT_VERSION] as number;
  }

  /** Queues for a key. */
  claim(key: number): Claim {
    this.#box[IN_KEY] = key;
    let status = this.#claim();
    if (status !== OK && status !== QUEUED) status = this.#insist(status, this.#claim);
    return { ticket: this.#box[OUT_TICKET] as number, isHeld: status === OK };
  }

  /** Takes a ticket out of its queue. → false where it has been given the lock */
  withdraw(ticket: number): boolean {
    this.#box[IN_TICKET] = ticket;
    return this.#insist(this.#native.withdraw(), this.#native.withdraw) !== GRANTED;
  }

  /** The next ticket that was given its lock; 0 for none. */
  nextGrant(): number {
    return this.#nextGrant();
  }

  /** A new version, which the holder of a lock may publish. → `version`, `others` */
  reserve(ticket: number): void {
    const box = this.#box;
    box[IN_TICKET] = ticket;
    const status = this.#reserve();
    if (status !== OK) throw this.#error(status);
    this.version = box[OUT_VERSION] as number;
    this.others = box[OUT_OTHERS] as number;
    this.#joins = box[OUT_JOINS] as number;
  }

  /** How often members had joined at the last `reserve`. */
  get joins(): number {
    return this.#joins;
  }

  /** Publishes what was reserved. → false if somebody has joined since, who has to be sent it too */
  publish(ticket: number, version: number, joins: number, isPresent: boolean): boolean {
    const box = this.#box;
    box[IN_TICKET] = ticket;
    box[IN_VERSION] = version;
    box[IN_JOINS] = joins;
    box[IN_PRESENT] = isPresent ? 1 : 0;
    let status = this.#publish();
    if (status !== OK && status !== JOINED) status = this.#insist(status, this.#publish);
    return status === OK;
  }

  release(ticket: number): void {
    this.#box[IN_TICKET] = ticket;
    const status = this.#release();
    if (status !== OK) this.#insist(status, this.#release);
  }

  /** Whether what a member has sent is the key's published state, now if not before. `joins` as that one's `reserve` said. */
  accept(key: number, version: number, joins: number, writer: number, isPresent: boolean): boolean {
    const box = this.#box;
    box[IN_KEY] = key;
    box[IN_VERSION] = version;
    box[IN_JOINS] = joins;
    box[IN_WRITER] = writer;
    box[IN_PRESENT] = isPresent ? 1 : 0;
    const status = this.#accept();
    if (status !== OK) this.#insist(status, this.#accept);
    return box[OUT_COUNT] === 1;
  }

  /** Keys that have values. One that has during all of it is found, possibly twice. */
  *scan(): Generator<Found> {
    let place = 0;
    for (;;) {
      this.#box[IN_PLACE] = place;
      this.#insist(this.#native.scan(), this.#native.scan);
      const count = this.#box[OUT_COUNT] as number;
      if (count === 0) return;
      place = this.#box[OUT_PLACE] as number;
      // Whoever takes them may scan too.
      const found = this.#native.found.slice(0, count * FOUND);
      for (let i = 0; i < found.length; i += FOUND) {
        yield {
          key: found[i] as number,
          version: found[i + 1] as number,
        };
      }
    }
  }

  /** All members, this one included. */
  members(): Member[] {
    const read = (): number => this.#native.members(this.#members);
    this.#insist(read(), read);
    let count = this.#box[OUT_COUNT] as number;
    while (count * MEMBER > this.#members.length) {
      this.#members = new Uint32Array(2 * count * MEMBER);
      this.#insist(read(), read);
      count = this.#box[OUT_COUNT] as number;
    }
    return Array.from({ length: count }, (_, i) => ({
      serial: this.#members[i * MEMBER] as number,
      thread: this.#members[i * MEMBER + 1] as number,
      isReady: this.#members[i * MEMBER + 2] === 1,
    }));
  }

  /** Tells the others that this member has received what there was. */
  setReady(): void {
    this.#native.ready();
  }

  /** Whether there was a change among the members since the last call. */
  firedChanges(): boolean {
    return this.#native.firedChanges();
  }

  /** Whether locks were given to this member since the last call. */
  firedGrants(): boolean {
    return this.#native.firedGrants();
  }

  leave(): void {
    this.#hasLeft = true;
    this.#native.leave();
  }

  /** Tickets are held as long as this thread takes part, or somebody has written into the table. */
  #error(status: number): Error {
    return tableError(status === NOT_HELD && !this.#hasLeft ? CORRUPT : status);
  }

  /** Repeats a call until there is room for it. `call` takes its arguments from the box. */
  #insist(first: number, call: () => number): number {
    let status = first;
    while (status === NO_ROOM || status === GROWN) {
      this.#known = this.#memory.makeRoom(status, this.#known, this.#native);
      status = call();
    }
    if (status !== OK && status !== QUEUED && status !== GRANTED && status !== JOINED)
      throw this.#error(status);
    return status;
  }
}
