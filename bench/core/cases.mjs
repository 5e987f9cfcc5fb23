const metrics = { cost: { unit: 'ns', over: 'minimum' } };

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
    },
    executable: 'spsc',
    arguments: {
      strand: ['strand', 'one'],
      'strand, draining': ['strand', 'drain'],
      'boost spsc_queue': ['boost', 'one'],
      'boost spsc_queue, consume_all': ['boost', 'drain'],
      'moodycamel ReaderWriterQueue': ['readerwriterqueue', 'one'],
      'moodycamel Blocking…': ['blocking-readerwriterqueue', 'one'],
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
    },
    executable: 'spsc',
    arguments: {
      strand: ['strand', 'runs'],
      'boost spsc_queue': ['boost', 'runs'],
    },
  },
];
