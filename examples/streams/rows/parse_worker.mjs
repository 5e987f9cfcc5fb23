// @ts-check

import { parse } from 'csv-parse';
import { COLUMNS } from './fields.mjs';

/** A function without parameters: it gives a Transform, here the one of csv-parse. Bytes go in, rows come out. */
export default () => {
  const fieldOf = new Map(
    Object.entries(COLUMNS).map(([field, column]) => [/** @type {string} */ (column), field]),
  );
  return parse({
    bom: true,
    skip_empty_lines: true,
    columns(/** @type {string[]} */ names) {
      const missing = [...fieldOf.keys()].find((column) => !names.includes(column));
      if (missing !== undefined) throw new Error(`the first line names no column '${missing}'`);
      return names.map((name) => fieldOf.get(name) ?? false);
    },
    on_record: (row, { lines }) => ({ .../** @type {object} */ (row), line: lines }),
  });
};
