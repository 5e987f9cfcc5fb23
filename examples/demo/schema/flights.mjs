// @ts-check

/** @import { Column } from './column.mjs' */

import { buildSchema } from '@strand/core';

/** Where the flights keep what does not fit. */
export const FLIGHTS_ASIDE = '_rest';

/** @type {readonly Column[]} */
export const FLIGHT_COLUMNS = [
  { name: 'delay', kind: 'number', type: 'i32' },
  { name: 'distance', kind: 'number', type: 'i32' },
  { name: 'time', kind: 'number', type: 'f64' },
];

/** Delay in minutes, distance in miles, local time of departure in hours. */
export const flightSchema = buildSchema([
  { name: 'delay', type: 'i32', nullable: true },
  { name: 'distance', type: 'i32', nullable: true },
  { name: 'time', type: 'f64', nullable: true },
  { name: FLIGHTS_ASIDE, type: 'large_json', nullable: true },
]);

/**
 * Whether a file's columns are those of the flights.
 *
 * @param {readonly Column[]} columns
 */
export function areFlights(columns) {
  return (
    columns.length === FLIGHT_COLUMNS.length &&
    FLIGHT_COLUMNS.every(({ name }) =>
      columns.some((column) => column.name === name && column.kind === 'number'),
    )
  );
}
