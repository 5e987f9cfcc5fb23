/** The records every contender writes and reads, and the sums that prove they arrived. */

export const BATCH = 1000;

/** Distinct batches in rotation, so that no contender works on objects of one cache-resident batch. */
const DISTINCT_BATCHES = 8;

export const CATEGORIES = ['arrival', 'departure', 'taxi', 'diverted', 'cancelled'];

export const SCALAR_FIELDS = [
  { name: 'id', type: 'u32' },
  { name: 'x', type: 'f32' },
  { name: 'y', type: 'f64' },
];

export const STRING_FIELDS = [...SCALAR_FIELDS, { name: 'label', type: 'utf8' }];

export const FIVE_FIELDS = [
  { name: 'id', type: 'u32' },
  { name: 'score', type: 'f32' },
  { name: 'category', type: 'utf8_ref' },
  { name: 'label', type: 'utf8' },
  { name: 'meta', type: 'json' },
];

export const PAYLOAD_FIELDS = [
  { name: 'id', type: 'u32' },
  { name: 'payload', type: 'bytes' },
];

export const PAYLOAD_BYTES = 100;

/** @param {(index: number) => Record<string, unknown>} makeRecord */
function makeBatches(makeRecord) {
  return Array.from({ length: DISTINCT_BATCHES }, (_, batch) =>
    Array.from({ length: BATCH }, (_, i) => makeRecord(batch * BATCH + i)),
  );
}

/**
 * A workload is its fields, its batches and the `sum` of one record, which touches every field.
 * Values of f32 fields are exact in f32, so that a contender without f32 gives the same value. Records
 * come from object literals and so share their hidden classes, as records of one place in a program do.
 *
 * @typedef {{ fields: { name: string, type: string }[], batches: object[][], sum: (record: any) => number,
 *   internTable?: string[] }} Workload
 */

/** @returns {Workload} */
export function scalarWorkload() {
  return {
    fields: SCALAR_FIELDS,
    batches: makeBatches((i) => ({ id: i, x: Math.fround(i * 0.37), y: i * 1.1 })),
    sum: sumScalars,
  };
}

/**
 * @param {{ ascii?: boolean }} [options] without ASCII every third label has characters of 2, 3 and 4 bytes
 * @returns {Workload}
 */
export function stringWorkload({ ascii = true } = {}) {
  return {
    fields: STRING_FIELDS,
    batches: makeBatches((i) => ({ id: i, x: Math.fround(i * 0.37), y: i * 1.1, label: label(i, ascii) })),
    sum: (record) => sumScalars(record) + sumText(record.label),
  };
}

/**
 * @param {{ ascii?: boolean }} [options] as for stringWorkload
 * @returns {Workload}
 */
export function fiveFieldWorkload({ ascii = true } = {}) {
  return {
    fields: FIVE_FIELDS,
    internTable: CATEGORIES,
    batches: makeBatches((i) => {
      const score = Math.fround(i * 0.37);
      const category = i % CATEGORIES.length;
      const text = label(i, ascii);
      if (i % 10 !== 0) return { id: i, score, category, label: text };
      return { id: i, score, category, label: text, meta: { gate: `B${i % 97}`, delay: i % 240 } };
    }),
    sum: (record) =>
      sumFive(record.id, record.score, CATEGORIES[record.category], record.label, record.meta ?? null),
  };
}

/** @returns {Workload} */
export function payloadWorkload() {
  return {
    fields: PAYLOAD_FIELDS,
    batches: makeBatches((i) => ({
      id: i,
      payload: Uint8Array.from({ length: PAYLOAD_BYTES }, (_, j) => (i + j) & 0xff),
    })),
    sum: (record) => sumPayload(record.id, record.payload),
  };
}

/** @param {Workload} workload */
export function hasText({ fields }) {
  return fields.some(({ name }) => name === 'label');
}

/**
 * 17 UTF-16 code units.
 * @param {number} i
 * @param {boolean} ascii
 */
function label(i, ascii) {
  const digits = String(i).padStart(8, '0');
  return ascii || i % 3 !== 0 ? `flight-${digits}-A` : `Zürich€🛬-${digits}`;
}

/** @param {{ id: number, x: number, y: number }} record */
export function sumScalars(record) {
  return record.id + record.x + record.y;
}

/** @param {string} text */
export function sumText(text) {
  return text.length + text.charCodeAt(text.length - 1);
}

/**
 * @param {number} id
 * @param {number} score
 * @param {string} category
 * @param {string} label
 * @param {{ delay: number } | null} meta
 */
export function sumFive(id, score, category, label, meta) {
  return id + score + category.length + sumText(label) + (meta === null ? 0 : meta.delay);
}

/**
 * @param {number} id
 * @param {Uint8Array} payload
 */
export function sumPayload(id, payload) {
  return id + payload.length + payload[0] + payload[payload.length - 1];
}

/**
 * The sum of the first `records` records of the batches in rotation, added in the order in which a
 * consumer adds them, so that equal records give the very same number.
 *
 * @param {Workload} workload
 * @param {number} records a multiple of the batch length
 */
export function expectedSum({ batches, sum }, records) {
  let total = 0;
  for (let batch = 0; batch < records / BATCH; batch++) {
    for (const record of batches[batch % batches.length]) total += sum(record);
  }
  return total;
}

/** By name, for workers. */
export const workloads = {
  scalars: scalarWorkload,
  string: stringWorkload,
  fiveFields: fiveFieldWorkload,
  payload: payloadWorkload,
};
