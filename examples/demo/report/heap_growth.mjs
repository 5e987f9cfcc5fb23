// @ts-check

import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
/** @type {() => void} */
const collectGarbage = runInNewContext('gc');

function usedHeap() {
  collectGarbage();
  return getHeapStatistics().used_heap_size;
}

/** What this thread's JavaScript heap holds more than at the start, garbage not counted. */
export class HeapGrowth {
  #before = usedHeap();

  /** @returns {number} bytes */
  measure() {
    return usedHeap() - this.#before;
  }
}
