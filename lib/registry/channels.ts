import { BroadcastChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { Message } from './messages.js';

/**
 * How a member sends to the others: one channel that all of them hear, and lanes between two. What was posted is in the
 * inboxes of all that listen when the post returns. No channel keeps an event loop alive.
 *
 * A lane is a channel with two ends. It serves answers to one member, and values that Node.js gives to one receiver
 * only, such as a KeyObject.
 */
export class Channels {
  readonly #name: string;
  readonly #onMessages: (first: Message) => void;
  readonly #everybody: BroadcastChannel;
  readonly #incoming = new Map<number, BroadcastChannel>();
  readonly #outgoing = new Map<number, BroadcastChannel>();
  #serial = 0;
  #isClosed = false;

  /** @param onMessages is called by the event loop with the first of the messages; `receive` gives those behind it */
  constructor(id: string, onMessages: (first: Message) => void) {
    this.#name = `strand-registry-${id}`;
    this.#onMessages = onMessages;
    this.#everybody = this.#listen(this.#name);
  }

  /** What the lanes of this member are called by. */
  set serial(serial: number) {
    this.#serial = serial;
  }

  /** To everybody else. Throws where the value is one for a single receiver, and there are several. */
  post(message: Message): void {
    if (!this.#isClosed) this.#everybody.postMessage(message);
  }

  /** To one member, which has to listen. */
  postTo(member: number, message: Message): void {
    if (this.#isClosed) return;
    let lane = this.#outgoing.get(member);
    if (lane === undefined) {
      lane = new BroadcastChannel(this.#lane(this.#serial, member));
      lane.unref();
      this.#outgoing.set(member, lane);
    }
    lane.postMessage(message);
  }

  listenTo(member: number): void {
    if (!this.#isClosed && !this.#incoming.has(member)) {
      this.#incoming.set(member, this.#listen(this.#lane(member, this.#serial)));
    }
  }

  /** The next message that lies here. */
  receive(): Message | undefined {
    return take(this.#everybody) ?? this.receiveFromLanes();
  }

  receiveFromLanes(): Message | undefined {
    for (const lane of this.#incoming.values()) {
      const message = take(lane);
      if (message !== undefined) return message;
    }
    return undefined;
  }

  /** Gives up the lanes of members that are gone. */
  keepOnly(members: ReadonlySet<number>): void {
    for (const lanes of [this.#incoming, this.#outgoing]) {
      for (const [member, lane] of lanes) {
        if (members.has(member)) continue;
        lane.close();
        lanes.delete(member);
      }
    }
  }

  /** What is posted later goes nowhere. */
  close(): void {
    this.#isClosed = true;
    this.keepOnly(new Set());
    this.#everybody.close();
  }

  #lane(from: number, to: number): string {
    return `${this.#name}-${from}-${to}`;
  }

  #listen(name: string): BroadcastChannel {
    const channel = new BroadcastChannel(name);
    channel.onmessage = (event) => this.#onMessages((event as { readonly data: Message }).data);
    channel.unref();
    return channel;
  }
}

/** A message that cannot be read here is left out: what it said will be asked for, and asked for again. */
function take(channel: BroadcastChannel): Message | undefined {
  for (;;) {
    try {
      return receiveMessageOnPort(channel as unknown as MessagePort)?.message as Message | undefined;
    } catch {
      // The next one.
    }
  }
}
