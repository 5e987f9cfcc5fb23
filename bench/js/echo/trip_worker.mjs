import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { expectEqual } from '../measure.mjs';
import { scalarWorkload, sumScalars } from '../records.mjs';
import { openSyncEndpoint } from './endpoint.mjs';

const { role, contender, handle, warmUp, trips } = workerData;
const allTrips = warmUp + trips;
const records = scalarWorkload().batches[0];

const runs = {
  initiator: contender === 'postMessage' ? initiateByMessages : initiate,
  echo: contender === 'postMessage' ? echoMessages : echo,
};
await runs[role]();

async function initiate() {
  const endpoint = await openSyncEndpoint(contender, handle);
  const answer = { id: 0, x: 0, y: 0 };
  const log = createLog();
  for (let trip = 0; trip < allTrips; trip++) {
    log.start();
    endpoint.send(records[trip % records.length]);
    endpoint.receive(answer);
    log.finish(trip, answer);
  }
  log.report();
}

async function echo() {
  const endpoint = await openSyncEndpoint(contender, handle);
  const record = { id: 0, x: 0, y: 0 };
  for (let trip = 0; trip < allTrips; trip++) {
    endpoint.receive(record);
    endpoint.send(record);
  }
}

function initiateByMessages() {
  const log = createLog();
  let trip = 0;
  handle.on('message', (answer) => {
    log.finish(trip, answer);
    if (++trip === allTrips) {
      handle.close();
      log.report();
      return;
    }
    next();
  });
  function next() {
    log.start();
    handle.postMessage(records[trip % records.length]);
  }
  next();
}

function echoMessages() {
  handle.on('message', (record) => handle.postMessage(record));
}

/** Checks every answer, keeps the times after the warm-up and the whole answers of a short run. */
function createLog() {
  const microseconds = new Float64Array(trips);
  const keepAnswers = warmUp === 0;
  const answers = [];
  let started = 0;
  return {
    start() {
      started = performance.now();
    },
    finish(trip, answer) {
      const elapsed = (performance.now() - started) * 1000;
      expectEqual(sumScalars(answer), sumScalars(records[trip % records.length]), 'the answer');
      if (trip >= warmUp) microseconds[trip - warmUp] = elapsed;
      if (keepAnswers) answers.push({ ...answer });
    },
    report() {
      parentPort.postMessage({ microseconds, answers });
    },
  };
}
