// @ts-check

/** Columns of the file that are wanted, under the names of the fields below. */
export const COLUMNS = /** @type {const} */ ({
  species: 'Wildlife Species',
  size: 'Wildlife Size',
  phase: 'Phase of flight',
  state: 'Origin State',
  airline: 'Aircraft Airline Operator',
  time: 'Time of day',
  damage: 'Effect Amount of damage',
  cost: 'Cost Total $',
  speed: 'Speed IAS in knots',
});

/** What a line of the file is. */
export const ROW = /** @type {const} */ ([
  { name: 'line', type: 'u32' },
  { name: 'species', type: 'utf8' },
  { name: 'size', type: 'utf8' },
  { name: 'phase', type: 'utf8' },
  { name: 'state', type: 'utf8' },
  { name: 'airline', type: 'utf8' },
  { name: 'time', type: 'utf8' },
  { name: 'damage', type: 'utf8' },
  { name: 'cost', type: 'utf8' },
  { name: 'speed', type: 'utf8' },
]);

/** Columns that rows can be grouped by. */
export const GROUPS = /** @type {const} */ (['species', 'size', 'phase', 'state', 'airline', 'time']);

/** What is made of it. */
export const STRIKE = /** @type {const} */ ([
  { name: 'group', type: 'utf8' },
  { name: 'damaged', type: 'bool8' },
  { name: 'cost', type: 'f64' },
  { name: 'speed', type: 'f64', nullable: true },
]);
