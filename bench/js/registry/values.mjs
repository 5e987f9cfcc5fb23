/** What the registry's cases set: values that say which one they are, so that a receiver can compare all of each. */

/** Different values of a kind, numbered from 0. */
export const VALUES = 1000;

/** Of the contender that has a channel and no registry. */
export const CHANNEL = 'strand-bench';

const VIEW_NUMBERS = 8;

/**
 * @typedef {object} Kind
 * @property {() => unknown[]} make all of them
 * @property {(value: any) => number} numberOf which one a value says it is
 * @property {(value: any, wanted: any) => boolean} isEqual
 * @property {(value: any) => object} recordOf all that arrived
 */

/** @type {Record<string, Kind>} */
export const kinds = {
  object: {
    make: () => Array.from({ length: VALUES }, (_, i) => makeObject(i)),
    numberOf: ({ id }) => id,
    isEqual: ({ id, name, flags }, wanted) =>
      id === wanted.id &&
      name === wanted.name &&
      flags.length === wanted.flags.length &&
      flags.every((flag, i) => flag === wanted.flags[i]),
    recordOf: (value) => value,
  },
  /** Views of one memory, so that no value changes while it is on its way. */
  view: {
    make() {
      const memory = new SharedArrayBuffer(VALUES * VIEW_NUMBERS * Float64Array.BYTES_PER_ELEMENT);
      new Float64Array(memory).forEach((_, i, numbers) => {
        numbers[i] = Math.floor(i / VIEW_NUMBERS) + (i % VIEW_NUMBERS) / VIEW_NUMBERS;
      });
      return Array.from({ length: VALUES }, (_, i) => {
        const from = i * VIEW_NUMBERS * Float64Array.BYTES_PER_ELEMENT;
        return new Float64Array(memory, from, VIEW_NUMBERS);
      });
    },
    numberOf: (view) => view[0],
    isEqual: (view, wanted) =>
      view.buffer instanceof SharedArrayBuffer &&
      view.length === wanted.length &&
      view.every((number, i) => number === wanted[i]),
    recordOf: (view) => ({ numbers: [...view], isShared: view.buffer instanceof SharedArrayBuffer }),
  },
};

/** @param {number} id */
export function makeObject(id) {
  return { id, name: `order ${id}`, flags: [id % 2 === 0, id % 3 === 0, true] };
}
