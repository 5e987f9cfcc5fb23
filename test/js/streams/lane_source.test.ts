import { expect, test } from 'vitest';
import { createStrand, StrandHeaderError, StrandView, StrandWriter } from '../../../dist/index.js';
import { NONE } from '../../../dist/streams/chunk_source.js';
import { RecordTaker } from '../../../dist/streams/record_taker.js';
import type { Lane } from '../../../dist/streams/workers/lane.js';
import { LaneSource } from '../../../dist/streams/workers/lane_source.js';
import { TICKET_FIELDS } from '../../../dist/streams/workers/setup.js';
import { NUMBER, numbers } from './support.js';

/** What an ordered worker gives, and both of its writers. */
function openLane() {
  const results = createStrand(NUMBER, { indexCapacity: 8 });
  const receipts = createStrand(TICKET_FIELDS, { indexCapacity: 8 });
  const lane = { view: new StrandView(results), receipts: new StrandView(receipts) };
  return {
    source: new LaneSource(lane as unknown as Lane, new RecordTaker(lane.view as never, false)),
    results: new StrandWriter(results),
    receipts: new StrandWriter(receipts),
  };
}

test('results that came behind the last look are seen with their receipt, and no others are taken', () => {
  const { source, results, receipts } = openLane();
  source.look();
  expect([source.takeReceipt(), source.takeSeen()]).toEqual([undefined, NONE]);
  results.writeRecordBatch(numbers(0, 3));
  receipts.write({ end: 2 });
  expect(source.takeReceipt()).toBe(2);
  expect([source.takeSeen(2), source.takeSeen(2), source.takeSeen(2)]).toEqual([...numbers(0, 2), NONE]);
  expect(source.takeReceipt()).toBeUndefined();
  expect(source.takeSeen()).toEqual({ n: 2 });
});

test('a receipt for results that are not there is an error and no wait', () => {
  const { source, results, receipts } = openLane();
  results.writeRecordBatch(numbers(0, 3));
  receipts.write({ end: 4 });
  expect(() => source.takeReceipt()).toThrow(StrandHeaderError);
});
