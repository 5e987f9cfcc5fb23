const metrics = { cost: { unit: 'ns', over: 'minimum' } };

/**
 * How fast memory is, in the same run as what is held against it. Other cases name its contenders as their limit.
 *
 * @type {import('../js/cases/case.mjs').CoreCase}
 */
export const bandwidth = {
  name: 'bandwidth',
  title: 'the limit: each cache line of a block read once, or the block copied',
  threads: 1,
  metrics: { cost: { unit: 'ns/KiB', over: 'minimum', bytes: 1024 } },
  replaced: {},
  contenders: {
    'read memory': {},
    'copy memory': {},
    'read L3': {},
    'copy L3': {},
    'read L2': {},
    'copy L2': {},
  },
  executable: 'bandwidth',
  arguments: {
    'read memory': ['read-memory'],
    'copy memory': ['copy-memory'],
    'read L3': ['read-l3'],
    'copy L3': ['copy-l3'],
    'read L2': ['read-l2'],
    'copy L2': ['copy-l2'],
  },
};

/** @type {import('../js/cases/case.mjs').CoreCase[]} */
export const coreCases = [
  {
    name: 'core-one',
    title: 'C++ threads, 24-byte records one at a time',
    threads: 2,
    metrics,
    replaced: {},
    contenders: {
      strand: { targets: { cost: 12 } },
      'strand, draining': { targets: { cost: 12 } },
      'boost spsc_queue': {},
      'boost spsc_queue, consume_all': {},
      'moodycamel ReaderWriterQueue': {},
      'moodycamel Blocking…': {},
      'moodycamel ConcurrentQueue': {},
      'moodycamel ConcurrentQueue, bulk out': {},
    },
    executable: 'spsc',
    arguments: {
      strand: ['strand', 'one'],
      'strand, draining': ['strand', 'drain'],
      'boost spsc_queue': ['boost', 'one'],
      'boost spsc_queue, consume_all': ['boost', 'drain'],
      'moodycamel ReaderWriterQueue': ['readerwriterqueue', 'one'],
      'moodycamel Blocking…': ['blocking-readerwriterqueue', 'one'],
      'moodycamel ConcurrentQueue': ['concurrentqueue', 'one'],
      'moodycamel ConcurrentQueue, bulk out': ['concurrentqueue', 'drain'],
    },
  },
  {
    name: 'core-runs',
    title: 'C++ threads, 24-byte records in runs of 256',
    threads: 2,
    metrics,
    replaced: {},
    contenders: {
      strand: { targets: { cost: 2 } },
      'boost spsc_queue': {},
      'moodycamel ConcurrentQueue': {},
    },
    executable: 'spsc',
    arguments: {
      strand: ['strand', 'runs'],
      'boost spsc_queue': ['boost', 'runs'],
      'moodycamel ConcurrentQueue': ['concurrentqueue', 'runs'],
    },
  },
];
