import { everyType } from './every_type.mjs';
import { numbered } from './numbered.mjs';
import { seeded } from './seeded.mjs';
import { startThread, until } from './threads.mjs';

const OWN_COPY = new URL('../../../dist/index.js', import.meta.url).href;

/** Runs a test's function, given by its source, with everything that it may use. */
export async function inside(source, data, index, channel) {
  const load = (file) => import(file);
  const strand = index === null ? undefined : await load(index ?? OWN_COPY);
  const part = (file) => (index === null ? undefined : load(new URL(file, index ?? OWN_COPY).href));
  const streams = await part('streams.js');
  const log = await part('log.js');
  const registry = await part('registry.js');
  const body = new Function(`return (${source})`)();
  await body({
    strand,
    streams,
    log,
    registry,
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
