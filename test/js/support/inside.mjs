import { everyType } from './every_type.mjs';
import { numbered } from './numbered.mjs';
import { seeded } from './seeded.mjs';
import { startThread, until } from './threads.mjs';

const OWN_COPY = new URL('../../../dist/index.js', import.meta.url).href;

/** Runs a test's function, given by its source, with everything that it may use. */
export async function inside(source, data, index, channel) {
  const load = (file) => import(file);
  const strand = index === null ? undefined : await load(index ?? OWN_COPY);
  const streams = index === null ? undefined : await load(new URL('streams.js', index ?? OWN_COPY).href);
  const log = index === null ? undefined : await load(new URL('log.js', index ?? OWN_COPY).href);
  const body = new Function(`return (${source})`)();
  await body({
    strand,
    streams,
    log,
    data,
    load,
    startThread,
    until,
    everyType,
    numbered,
    seeded,
    ...channel,
  });
}
