import { MessageChannel } from 'node:worker_threads';
import { createPlainRing, PlainView, PlainWriter } from '../plain_ring.mjs';
import { SCALAR_FIELDS } from '../records.mjs';

const SLOTS = 1024;
const NUMBERS = 3;
/** Some hundred microseconds: a round trip takes a few. */
const LOOKS_BEFORE_A_REST = 10_000;
const REST_MS = 0.05;

/**
 * An end of a two-way path for single records.
 *
 * @typedef {{ id: number, x: number, y: number }} ScalarRecord
 *
 * @typedef {object} SyncEndpoint
 * @property {(record: ScalarRecord) => void} send
 * @property {(into: ScalarRecord) => void} receive sleeps or spins until there is a record
 */

const pairs = {
  strand: async () => {
    const { createStrand } = await import('@strand/core');
    return crossed(() => createStrand(SCALAR_FIELDS, { indexCapacity: SLOTS }));
  },
  'plain ring': async () => crossed(() => createPlainRing(SCALAR_FIELDS, { slots: SLOTS })),
  'ringbuf.js, polling': async () => {
    const { RingBuffer } = await import('ringbuf.js');
    return crossed(() => RingBuffer.getStorageForCapacity(SLOTS * NUMBERS, Float64Array));
  },
  postMessage: async () => {
    const { port1, port2 } = new MessageChannel();
    return {
      initiatorEnd: { handle: port1, transferList: [port1] },
      echoEnd: { handle: port2, transferList: [port2] },
    };
  },
};

/** @type {Record<string, (handle: any) => Promise<SyncEndpoint>>} */
const endpoints = {
  strand: async ({ inbound, outbound }) => {
    const { StrandView, StrandWriter } = await import('@strand/core');
    const writer = new StrandWriter(outbound);
    writer.begin();
    return ringEndpoint(writer, new StrandView(inbound));
  },
  'plain ring': async ({ inbound, outbound }) =>
    ringEndpoint(new PlainWriter(outbound), new PlainView(inbound)),
  'ringbuf.js, polling': async ({ inbound, outbound }) => {
    const { RingBuffer } = await import('ringbuf.js');
    return pollingEndpoint(new RingBuffer(outbound, Float64Array), new RingBuffer(inbound, Float64Array));
  },
};

/** @param {string} contender */
export async function createEchoPair(contender) {
  return pairs[contender]();
}

/**
 * @param {string} contender
 * @param {any} handle
 */
export async function openSyncEndpoint(contender, handle) {
  return endpoints[contender](handle);
}

/** @param {() => unknown} createRing */
function crossed(createRing) {
  const there = createRing();
  const back = createRing();
  return {
    initiatorEnd: { handle: { outbound: there, inbound: back } },
    echoEnd: { handle: { outbound: back, inbound: there } },
  };
}

/**
 * @param {StrandWriter | PlainWriter} writer
 * @param {StrandView | PlainView} view
 * @returns {SyncEndpoint}
 */
function ringEndpoint(writer, view) {
  const cursor = view.allocateCursor();
  let next = 0;
  return {
    send: (record) => writer.write(record),
    receive(into) {
      view.waitForCommitSync(next);
      cursor.seek(next);
      into.id = cursor.getU32('id');
      into.x = cursor.getF32('x');
      into.y = cursor.getF64('y');
      view.acknowledgeRead(++next);
    },
  };
}

/**
 * ringbuf.js never waits, so its reader looks until there is something, and rests for a moment now and then:
 * the other thread may be waiting for this one's core. Records go as three f64, which
 * all of their values are exact in.
 *
 * @param {import('ringbuf.js').RingBuffer} writer
 * @param {import('ringbuf.js').RingBuffer} reader
 * @returns {SyncEndpoint}
 */
function pollingEndpoint(writer, reader) {
  const outgoing = new Float64Array(NUMBERS);
  const incoming = new Float64Array(NUMBERS);
  const neverChanged = new Int32Array(new SharedArrayBuffer(4));
  return {
    send({ id, x, y }) {
      outgoing[0] = id;
      outgoing[1] = x;
      outgoing[2] = y;
      writer.push(outgoing);
    },
    receive(into) {
      for (let looks = 1; reader.pop(incoming) === 0; looks++) {
        if (looks % LOOKS_BEFORE_A_REST === 0) Atomics.wait(neverChanged, 0, 0, REST_MS);
      }
      into.id = incoming[0];
      into.x = incoming[1];
      into.y = incoming[2];
    },
  };
}
