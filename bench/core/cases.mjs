const metrics = { cost: { unit: 'ns', over: 'minimum' } };

/** Scans of a window, and what reading the same memory once costs in the same process. */
const scanMetrics = {
  cost: { unit: 'ns', over: 'minimum' },
  reading: { unit: 'ns', over: 'minimum' },
  ratio: { unit: '×', over: 'minimum' },
};

function scanCase(work, title, targets) {
  return {
    name: `core-${work}`,
    title,
    threads: 1,
    metrics: scanMetrics,
    replaced: {},
    contenders: { strand: { targets }, 'record by record': {} },
    executable: 'scan',
    arguments: { strand: ['strand', work], 'record by record': ['cursor', work] },
  };
}

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
  scanCase('filter16', 'C++: f32 between, 65,536 records of 16 bytes', { cost: 0.35 }),
  scanCase('filter32', 'C++: f32 between, 65,536 records of 32 bytes', { cost: 0.5 }),
  scanCase('filter256', 'C++: f32 between, 65,536 records of 256 bytes', { cost: 1.5 }),
  scanCase('three', 'C++: three predicates in one pass, 1,048,576 records of 32 bytes', { ratio: 1.3 }),
  scanCase('ranges', 'C++: ranges of 3 fields over 40 % of 65,536 records, per set record', { cost: 3 }),
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
