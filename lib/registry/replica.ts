import type { Table } from './table.js';

/** A value as this thread has it. */
export interface Cell {
  readonly version: number;
  readonly value: unknown;
}

/** A change of a key, as watchers see it. */
export type RegistryChange<T> =
  | { readonly type: 'set'; readonly key: number; readonly value: T }
  | { readonly type: 'delete'; readonly key: number };

/** The values that this thread has received, of published versions only. */
export class Replica {
  readonly cells = new Map<number, Cell>();
  readonly #table: Table;
  readonly #onChange: (change: RegistryChange<unknown>) => void;

  constructor(table: Table, onChange: (change: RegistryChange<unknown>) => void) {
    this.#table = table;
    this.#onChange = onChange;
  }

  /** Takes a value that a member has sent, if it counts. */
  takeValue(key: number, version: number, joins: number, writer: number, value: unknown): void {
    if (!this.#table.accept(key, version, joins, writer, true)) return;
    if ((this.cells.get(key)?.version ?? 0) < version) this.put(key, { version, value });
  }

  /** Takes a value that a member has had and gives on. It was published once: good for whoever waits for that or an older one. */
  takePublished(key: number, version: number, value: unknown): void {
    if ((this.cells.get(key)?.version ?? 0) >= version) return;
    // A key that was deleted meanwhile had a later version.
    if (version <= this.#table.look(key)) this.put(key, { version, value });
  }

  /** Takes note that a member has deleted a key, if that counts. */
  takeDeletion(key: number, version: number, joins: number, writer: number): void {
    if (!this.#table.accept(key, version, joins, writer, false)) return;
    if ((this.cells.get(key)?.version ?? 0) < version) this.remove(key);
  }

  /** What this thread itself has published. */
  put(key: number, cell: Cell): void {
    this.cells.set(key, cell);
    this.#onChange({ type: 'set', key, value: cell.value });
  }

  remove(key: number): void {
    if (this.cells.delete(key)) this.#onChange({ type: 'delete', key });
  }
}
