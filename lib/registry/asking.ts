import { holdLoop } from '../waits.js';
import type { Channels } from './channels.js';
import type { MemberList } from './member_list.js';
import { Kind } from './messages.js';
import { lostError } from './registry_error.js';
import type { Replica } from './replica.js';
import type { Table } from './table.js';

/** How long one member is waited for before the others are asked too: it may be busy for long. */
const PATIENCE_MS = 50;

interface Settler {
  /** Whether it keeps the event loop alive. */
  readonly holds: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A value that is published and has not come. */
interface Want {
  readonly settlers: Settler[];
  /** Members that were asked and have not answered. */
  readonly asked: Set<number>;
  /** Members that had none of the version below to send. */
  readonly without: Set<number>;
  version: number;
  timer: NodeJS.Timeout | undefined;
}

/** Asks other members for values that were set before this one listened. */
export class Asking {
  readonly #table: Table;
  readonly #replica: Replica;
  readonly #channels: Channels;
  readonly #members: MemberList;
  readonly #drain: () => boolean;
  readonly #wants = new Map<number, Want>();
  /** Keys to ask a member for, gathered during one turn. */
  readonly #outbox = new Map<number, number[]>();
  /** What members are asked for as a whole: how to end the wait, and the timer that does. */
  readonly #wholes = new Map<number, { readonly end: () => void; readonly timer: NodeJS.Timeout }>();

  /** Why nothing is asked any more. */
  #end: { readonly reason: unknown } | undefined;

  /** @param drain takes what lies in the inbox, and says whether it is empty */
  constructor(table: Table, replica: Replica, channels: Channels, members: MemberList, drain: () => boolean) {
    this.#table = table;
    this.#replica = replica;
    this.#channels = channels;
    this.#members = members;
    this.#drain = drain;
  }

  /** Resolves when this thread has the key's published value, or the key has none; rejects when nobody has it. */
  want(key: number, holds = true): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) {
        reject(this.#end.reason);
        return;
      }
      let want = this.#wants.get(key);
      if (want === undefined) {
        want = { settlers: [], asked: new Set(), without: new Set(), version: 0, timer: undefined };
        this.#wants.set(key, want);
      }
      if (holds) holdLoop(1);
      want.settlers.push({ holds, resolve, reject });
      this.#ask(key, want);
    });
  }

  /** Receives everything that is published when it begins. What nobody has is left out. */
  async wantAll(): Promise<void> {
    let missing = [...this.#table.scan()];
    const tried = new Set<number>();
    for (;;) {
      // A version that is not the present one any more was replaced by one that was sent here, too.
      missing = missing.filter(
        ({ key, version }) => !this.#has(key, version) && this.#table.look(key) === version,
      );
      const member = this.#members.others().find((serial) => !tried.has(serial));
      if (missing.length === 0 || member === undefined || this.#end !== undefined) break;
      tried.add(member);
      await this.#wantAllOf(member);
    }
    await Promise.allSettled(missing.map(({ key }) => this.want(key, false)));
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
    for (const { timer } of this.#wholes.values()) timer.refresh();
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

  /** Goes on with a want: it is fulfilled, has somebody to wait for, or asks the next, or nobody has the value. */
  #ask(key: number, want: Want, isLast = false): void {
    const version = this.#table.look(key);
    if (version === 0 || this.#has(key, version)) {
      this.#settle(key, want);
      return;
    }
    if (version !== want.version) {
      // Published after they were asked; who was asked for the one before may have this one.
      want.version = version;
      want.without.clear();
      want.asked.clear();
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
    const look = (): void => {
      const isEmpty = this.#drain();
      if (this.#wants.get(key) !== want) return;
      if (isEmpty) this.#ask(key, want, true);
      else setImmediate(look);
    };
    queueMicrotask(look);
  }

  #askAllLater(key: number, want: Want): NodeJS.Timeout {
    return setTimeout(() => {
      for (const member of this.#members.others()) {
        if (!want.asked.has(member) && !want.without.has(member)) this.#send(member, key, want);
      }
    }, PATIENCE_MS).unref();
  }

  #send(member: number, key: number, want: Want): void {
    want.asked.add(member);
    if (this.#outbox.size === 0) queueMicrotask(() => this.#flush());
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

  /** Resolves when a member has sent all it has, has gone, or has been busy for so long that another is worth asking. */
  #wantAllOf(member: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => end(), PATIENCE_MS);
      timer.unref();
      const end = (): void => {
        clearTimeout(timer);
        this.#wholes.delete(member);
        resolve();
      };
      this.#wholes.set(member, { end, timer });
      this.#channels.listenTo(member);
      this.#channels.post([Kind.ASK, member, this.#table.serial, null]);
    });
  }
}
