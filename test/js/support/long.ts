/** Whether the tests run in their long form, with the full durations and counts: `STRAND_LONG=1 npm run test:js`. */
export const LONG = process.env.STRAND_LONG === '1';
