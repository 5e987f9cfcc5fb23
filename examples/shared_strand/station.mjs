// The process that measures: writes its readings into the strand of a file.
//
//   node examples/shared_strand/station.mjs FILE

import { StrandWriter } from '@strand/core';
import { openSharedStrand } from '@strand/core/log';
import { ROUNDS, readings, SENSORS } from './readings.mjs';

const writer = new StrandWriter(openSharedStrand(process.argv[2], { schema: readings }));
writer.begin();
for (let round = 0; round < ROUNDS; round++) {
  const batch = Array.from({ length: SENSORS }, (_, sensor) => ({ sensor, celsius: 20 + sensor }));
  writer.writeRecordBatch(batch);
}
writer.finalize();
