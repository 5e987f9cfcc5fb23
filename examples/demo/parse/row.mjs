// @ts-check

/** @typedef {Record<string, unknown>} Row a record as it was parsed, before it is fitted to a schema */

/**
 * What turns a file's text into rows. Text comes in pieces that may end anywhere; rows come out as soon as they are
 * complete.
 *
 * @typedef {object} RowParser
 * @property {(text: string) => Row[]} push
 * @property {() => Row[]} end takes what is left as the file's end
 * @property {readonly string[]} [columns] in the file's order, where it states one; known with the first rows
 */

/** Characters of one record, beyond which a file is taken for something else. */
export const RECORD_LIMIT = 64 * 1024 * 1024;

/**
 * Sets a property of any name. Assigned to, `__proto__` would be no property.
 *
 * @param {Record<string, unknown>} object
 * @param {string} name
 * @param {unknown} value
 */
export function setOwn(object, name, value) {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[name] = value;
  }
}
