import { AsyncLocalStorage } from 'node:async_hooks';
import { deadlockError } from './registry_error.js';

/** The time for which a call of `lock` has its key. */
export interface Section {
  readonly registry: string;
  readonly key: number;
  /** The section that the call stands in. */
  readonly outer: Section | undefined;
  isOver: boolean;
}

/** A lock that somebody inside a section waits for. */
interface Wait {
  readonly registry: string;
  readonly key: number;
  readonly section: Section;
}

const present = new AsyncLocalStorage<Section>();
/** Sections that have their lock, by registry and key. */
const holders = new Map<string, Map<number, Section>>();
const waits = new Set<Wait>();

/** The section that the running code stands in, if any. */
export function presentSection(): Section | undefined {
  let section = present.getStore();
  // Code that nobody awaited goes on when its section is over.
  while (section?.isOver) section = section.outer;
  return section;
}

/** Runs `work` as a section that has its lock. */
export async function runSection<R>(
  registry: string,
  key: number,
  outer: Section | undefined,
  work: () => Promise<R>,
): Promise<R> {
  const section: Section = { registry, key, outer, isOver: false };
  let keys = holders.get(registry);
  if (keys === undefined) {
    keys = new Map();
    holders.set(registry, keys);
  }
  keys.set(key, section);
  try {
    return await present.run(section, work);
  } finally {
    section.isOver = true;
    // In a registry that was closed under it, the key may have its next holder by now.
    if (keys.get(key) === section) keys.delete(key);
    if (keys.size === 0 && holders.get(registry) === keys) holders.delete(registry);
  }
}

/**
 * Notes that code in a section waits for a lock, until the returned function is called.
 *
 * @throws StrandError `ERR_STRAND_DEADLOCK` if the lock's section waits for this one, itself or through others
 */
export function noteWait(registry: string, key: number, section: Section): () => void {
  const own = new Set(around(section));
  if (leadsBack(registry, key, own, new Set())) throw deadlockError(key);
  const wait = { registry, key, section };
  waits.add(wait);
  return () => waits.delete(wait);
}

/** A section and those it stands in, as far as they are not over. */
function* around(section: Section | undefined): Generator<Section> {
  for (let one = section; one !== undefined; one = one.outer) if (!one.isOver) yield one;
}

function leadsBack(registry: string, key: number, own: ReadonlySet<Section>, seen: Set<Section>): boolean {
  const holder = holders.get(registry)?.get(key);
  if (holder === undefined || seen.has(holder)) return false;
  if (own.has(holder)) return true;
  seen.add(holder);
  for (const wait of waits) {
    for (const section of around(wait.section)) {
      if (section === holder && leadsBack(wait.registry, wait.key, own, seen)) return true;
    }
  }
  return false;
}
