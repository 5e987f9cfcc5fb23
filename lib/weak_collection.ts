/** Objects that it does not keep alive, in the order in which they were added. */
export class WeakCollection<T extends object> implements Iterable<T> {
  readonly #references = new Set<WeakRef<T>>();
  /** How many references, dead ones among them, make a look at all of them worth while. */
  #sweepAt = 16;

  add(object: T): void {
    this.#references.add(new WeakRef(object));
    if (this.#references.size < this.#sweepAt) return;
    for (const _ of this);
    this.#sweepAt = 2 * Math.max(8, this.#references.size);
  }

  /** Forgets those that are gone. */
  *[Symbol.iterator](): Generator<T> {
    for (const reference of this.#references) {
      const object = reference.deref();
      if (object === undefined) this.#references.delete(reference);
      else yield object;
    }
  }
}
