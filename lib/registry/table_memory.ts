import { randomBytes } from 'node:crypto';
import { describeValue } from '../describe_value.js';
import { argumentError, rangeError, StrandCapacityError } from '../errors.js';
import { native } from '../native.js';
import type { NativeRegistry } from '../native_types.js';
import type { RegistryData } from './registry_data.js';
import { RegistryStatus, tableError } from './registry_error.js';

const ID_BYTES = 16;
const PAGE = 4096;
/** The least that a table grows by. */
const LEAST_STEP = 16 * PAGE;
/** A table grows by this part of itself, so that little of it is unused. */
const STEP_DIVISOR = 8;
/** Address space is asked for, not memory: what the engine gives at most, and what is too little to go on with. */
const MOST_BYTES = 2 ** 32;
const FEWEST_BYTES = 2 ** 26;
/** Keys that fit into all of that. */
const MOST_KEYS = 2 ** 26;

const roundUp = (bytes: number): number => Math.ceil(bytes / PAGE) * PAGE;

function allocate(bytes: number): SharedArrayBuffer {
  for (let most = MOST_BYTES; ; most /= 2) {
    try {
      return new SharedArrayBuffer(bytes, { maxByteLength: Math.max(most, bytes) });
    } catch (error) {
      // A limit on address space, as `ulimit -v` sets one.
      if (most <= FEWEST_BYTES) throw error;
    }
  }
}

/** The shared memory of a registry's table. It grows in place, for all threads at once. */
export class TableMemory {
  readonly data: RegistryData;
  /** As long as the memory, whenever one asks. */
  readonly bytes: Uint8Array;
  /** Names the registry among others in this process. */
  readonly id: string;

  private constructor(table: SharedArrayBuffer, id: Uint8Array) {
    this.data = Object.freeze({ table });
    this.bytes = new Uint8Array(table);
    this.id = Buffer.from(id).toString('hex');
  }

  static create(capacity: number): TableMemory {
    if (!(Number.isInteger(capacity) && capacity >= 1 && capacity <= MOST_KEYS)) {
      throw rangeError(`capacity is an integer from 1 to ${MOST_KEYS}, got ${describeValue(capacity)}`);
    }
    const table = allocate(roundUp(native.registryBytes(capacity)));
    const id = randomBytes(ID_BYTES);
    native.initRegistry(new Uint8Array(table), id);
    return new TableMemory(table, id);
  }

  static of(data: unknown): TableMemory {
    const table = typeof data === 'object' && data !== null ? (data as { table?: unknown }).table : undefined;
    const id = table instanceof SharedArrayBuffer ? native.registryId(new Uint8Array(table)) : undefined;
    if (id === undefined) {
      throw argumentError(
        `new Registry() takes a capacity, or the data of another registry, got ${describeValue(data)}`,
      );
    }
    return new TableMemory(table as SharedArrayBuffer, id);
  }

  /** Makes room after the core answered NO_ROOM, or takes note of what another thread made after GROWN. */
  makeRoom(status: number, known: number, registry: NativeRegistry | undefined): number {
    const { table } = this.data;
    if (table.byteLength === known) {
      if (status === RegistryStatus.GROWN) throw tableError(RegistryStatus.CORRUPT);
      this.#grow(known);
    }
    return registry === undefined ? table.byteLength : registry.resize();
  }

  #grow(known: number): void {
    const { table } = this.data;
    const most = table.growable ? table.maxByteLength : known;
    const wanted = Math.min(most, known + Math.max(LEAST_STEP, roundUp(known / STEP_DIVISOR)));
    if (wanted <= known) {
      throw new StrandCapacityError(`a registry's table ends at ${most} bytes: spread the keys over several`);
    }
    try {
      table.grow(wanted);
    } catch (cause) {
      // Another thread was faster and went further, or there is no memory.
      if (table.byteLength <= known) {
        throw new StrandCapacityError(`there is no memory for a registry's table of ${wanted} bytes`, {
          cause,
        });
      }
    }
  }
}
