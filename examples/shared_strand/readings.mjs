import { buildSchema } from '@strand/core';

/** What the station measures. */
export const readings = buildSchema([
  { name: 'sensor', type: 'u32' },
  { name: 'celsius', type: 'f32' },
]);

export const SENSORS = 4;
export const ROUNDS = 25_000;
