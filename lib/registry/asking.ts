import { holdLoop } from '../waits.js';
import type { Channels } from './channels.js';
import type { MemberList } from './member_list.js';
import { Kind } from './messages.js';
import { lostError } from './registry_error.js';
import type { Replica } from './replica.js';
import type { Found, Table } from './table.js';
import { nextTurn } from './turn.js';

/** How long one member is waited for before others are asked too: it may be busy for long. */
const PATIENCE_MS = 50;
/** Keys that are looked at in one turn of the event loop. */
const KEYS_A_TURN = 4096;
/** Looks into the inbox before a value counts as lost, if it never becomes empty. */
const LAST_LOOKS = 100;

interface Settler {
  /** Whether it keeps the event loop alive. */
  readonly holds: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A value that is published and has not come. */
interface Want {
  /** What was published when it was first wanted: that, or a newer one. */
  readonly least: number;
  readonly settlers: Settler[];
  /** Members that were asked and have not answered. */
  readonly asked: Set<number>;
  /** Members that had none of the version below to send. */
  readonly without: Set<number>;
  version: number;
  timer: NodeJS.Timeout | undefined;
}

/** A member that was asked for all it has. */
interface Whole {
  readonly done: Promise<void>;
  readonly end: () => void;
}

/** Asks other members for values that were set before this one listened. */
export class Asking {
  readonly #table: Table;
  readonly #replica: Replica;
  readonly #channels: Channels;
  readonly #members: MemberList;
  readonly #drain: () => boolean;
  readonly #guarded: (work: () => void) => void;
  readonly #wants = new Map<number, Want>();
  /** Keys to ask a member for, gathered during one turn. */
  readonly #outbox = new Map<number, number[]>();
  readonly #wholes = new Map<number, Whole>();
  /** When a part of what was asked for as a whole came last. */
  #progress = 0;
  /** Why nothing is asked any more. */
  #end: { readonly reason: unknown } | undefined;

  /**
   * @param drain takes what lies in the inbox, and says whether it is empty
   * @param guarded runs work of which nobody awaits an error
   */
  constructor(
    table: Table,
    replica: Replica,
    channels: Channels,
    members: MemberList,
    drain: () => boolean,
    guarded: (work: () => void) => void,
  ) {
    this.#table = table;
    this.#replica = replica;
    this.#channels = channels;
    this.#members = members;
    this.#drain = drain;
    this.#guarded = guarded;
  }

  /**
   * Resolves when this thread has a version of the key that is at least `least`, or the key has no value; rejects when
   * nobody has it.
   */
  want(key: number, least: number, holds = true): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) {
        reject(this.#end.reason);
        return;
      }
      let want = this.#wants.get(key);
      if (want === undefined || want.least < least) {
        const settlers = want?.settlers ?? [];
        clearTimeout(want?.timer);
        want = { least, settlers, asked: new Set(), without: new Set(), version: 0, timer: undefined };
        this.#wants.set(key, want);
      }
      if (holds) holdLoop(1);
      want.settlers.push({ holds, resolve, reject });
      try {
        this.#ask(key, want);
      } catch (error) {
        this.#settle(key, want, error);
      }
    });
  }

  /** Receives everything that is published when it begins. What nobody has is left out. */
  async wantAll(): Promise<void> {
    let missing = await this.#missingOf(this.#table.scan());
    const tried = new Set<number>();
    while (missing.length > 0 && this.#end === undefined) {
      const member = this.#members.others().find((serial) => !tried.has(serial));
      if (member === undefined && this.#wholes.size === 0) break;
      if (member === undefined) {
        // Everybody was asked, and somebody has not come to an end.
        await Promise.race([...this.#wholes.values()].map(({ done }) => done));
      } else {
        tried.add(member);
        await this.#wholeOf(member);
      }
      missing = await this.#missingOf(missing);
    }
    await Promise.allSettled(missing.map(({ key, version }) => this.want(key, version, false)));
  }

  /** A member has sent what it had of some keys. */
  answered(member: number, keys: readonly number[]): void {
    for (const key of keys) {
      const want = this.#wants.get(key);
      if (want === undefined || !want.asked.delete(member)) continue;
      want.without.add(member);
      this.#ask(key, want);
    }
  }

  /** A part of what a member was asked for as a whole has come. */
  progressed(): void {
    this.#progress = performance.now();
  }

  ended(member: number): void {
    this.#wholes.get(member)?.end();
  }

  /** A key has changed here. */
  arrived(key: number): void {
    const want = this.#wants.get(key);
    if (want !== undefined) this.#ask(key, want);
  }

  /** To be called when a change among the members rings. */
  changed(): void {
    if (this.#wants.size === 0 && this.#wholes.size === 0) return;
    const others = new Set(this.#members.others());
    for (const [member, { end }] of this.#wholes) if (!others.has(member)) end();
    for (const [key, want] of [...this.#wants]) {
      for (const member of want.asked) if (!others.has(member)) want.asked.delete(member);
      this.#ask(key, want);
    }
  }

  close(reason: unknown): void {
    this.#end = { reason };
    for (const { end } of this.#wholes.values()) end();
    for (const [key, want] of [...this.#wants]) this.#settle(key, want, reason);
  }

  #has(key: number, version: number): boolean {
    return (this.#replica.cells.get(key)?.version ?? 0) >= version;
  }

  async #missingOf(found: Iterable<Found>): Promise<Found[]> {
    const missing: Found[] = [];
    let looked = 0;
    for (const one of found) {
      const { key, version } = one;
      // A version that is not the present one any more was replaced by one that was sent here, too.
      if (!this.#has(key, version) && this.#table.look(key) === version) missing.push(one);
      if (++looked % KEYS_A_TURN !== 0) continue;
      await nextTurn();
      if (this.#end !== undefined) return [];
    }
    return missing;
  }

  /** Goes on with a want: it is fulfilled, has somebody to wait for, or asks the next, or nobody has the value. */
  #ask(key: number, want: Want, isLast = false): void {
    const version = this.#table.look(key);
    if (version === 0 || this.#has(key, want.least)) {
      this.#settle(key, want);
      return;
    }
    if (version !== want.version) {
      // Published after they were asked; who was asked for the one before may have this one.
      want.version = version;
      want.without.clear();
    }
    if (want.asked.size > 0) return;
    const { writer } = this.#table;
    const candidates = this.#members.others().filter((member) => !want.without.has(member));
    if (candidates.length === 0) {
      if (isLast) this.#settle(key, want, lostError(key));
      else this.#askOnceMore(key, want);
      return;
    }
    const first = candidates.includes(writer) ? writer : (candidates[0] as number);
    // Those that said no were the likeliest: now all at once.
    const members = want.without.size === 0 ? [first] : candidates;
    for (const member of members) this.#send(member, key, want);
    clearTimeout(want.timer);
    want.timer = members.length === candidates.length ? undefined : this.#askAllLater(key, want);
  }

  /** Who has gone may have left it in the inbox. */
  #askOnceMore(key: number, want: Want): void {
    let looks = 0;
    const look = (): void =>
      this.#guarded(() => {
        const isEmpty = this.#drain();
        if (this.#wants.get(key) !== want) return;
        if (isEmpty || ++looks === LAST_LOOKS) this.#ask(key, want, true);
        else setImmediate(look);
      });
    queueMicrotask(look);
  }

  #askAllLater(key: number, want: Want): NodeJS.Timeout {
    const ask = (): void => {
      for (const member of this.#members.others()) {
        if (!want.asked.has(member) && !want.without.has(member)) this.#send(member, key, want);
      }
    };
    return setTimeout(() => this.#guarded(ask), PATIENCE_MS).unref();
  }

  #send(member: number, key: number, want: Want): void {
    want.asked.add(member);
    if (this.#outbox.size === 0) queueMicrotask(() => this.#guarded(() => this.#flush()));
    const keys = this.#outbox.get(member);
    if (keys === undefined) this.#outbox.set(member, [key]);
    else keys.push(key);
  }

  #flush(): void {
    const outbox = [...this.#outbox];
    this.#outbox.clear();
    for (const [member, keys] of outbox) {
      this.#channels.listenTo(member);
      this.#channels.post([Kind.ASK, member, this.#table.serial, keys]);
    }
  }

  #settle(key: number, want: Want, error?: unknown): void {
    clearTimeout(want.timer);
    this.#wants.delete(key);
    for (const { holds, resolve, reject } of want.settlers) {
      if (holds) holdLoop(-1);
      if (error === undefined) resolve();
      else reject(error);
    }
  }

  /** Asks a member for all it has. Resolves when that has come, or the member has gone, or nothing comes for a while. */
  #wholeOf(member: number): Promise<void> {
    let end = (): void => {};
    const done = new Promise<void>((resolve) => {
      end = () => {
        this.#wholes.delete(member);
        resolve();
      };
    });
    this.#wholes.set(member, { done, end });
    this.#progress = performance.now();
    this.#channels.listenTo(member);
    this.#channels.post([Kind.ASK, member, this.#table.serial, null]);
    return Promise.race([done, this.#idle(done)]);
  }

  /** Resolves when no part of anything has come for a while, or there is no need to wait any more. */
  #idle(done: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        const rest = this.#progress + PATIENCE_MS - performance.now();
        if (rest <= 0) resolve();
        else timer = setTimeout(look, rest).unref();
      };
      let timer = setTimeout(look, PATIENCE_MS).unref();
      void done.then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
