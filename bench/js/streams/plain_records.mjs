import { BATCH } from '../records.mjs';
import { openPlainStreams } from './plain_streams.mjs';

/** Arrays that a strand's streams hold as well. */
const FEW_CHUNKS = 2;

/**
 * @param {import('../channels/channel.mjs').Workload} workload
 * @returns {import('./record_path.mjs').RecordPath}
 */
export function openPlainRecords(workload) {
  const streams = openPlainStreams(workload.batches, { objectMode: true, highWaterMark: FEW_CHUNKS });
  const { sum, internTable } = workload;
  return {
    workload,
    async sum(records) {
      let total = 0;
      await streams.transfer(records / BATCH, records, (batch) => {
        for (const record of batch) total += sum(record);
      });
      return total;
    },
    async collect(records) {
      const collected = [];
      await streams.transfer(records / BATCH, records, (batch) => collected.push(...batch));
      return collected.map((record) => ({
        ...record,
        category: internTable[record.category],
        meta: record.meta ?? null,
      }));
    },
    async close() {},
  };
}
