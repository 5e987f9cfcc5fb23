const LONGEST_TEXT = 40;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz';

const fields = [
  { name: 'n', type: 'f64' },
  { name: 'hash', type: 'u32' },
  { name: 'text', type: 'utf8' },
  { name: 'bytes', type: 'bytes' },
];

function hashOf(n) {
  let hash = Math.imul(n ^ (n / 0x1_0000_0000), 0x9e37_79b1);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

function textOf(n) {
  const hash = hashOf(n);
  return `${n}/${ALPHABET[hash % 26].repeat(hash % LONGEST_TEXT)}`;
}

function record(n) {
  const hash = hashOf(n);
  return { n, hash, text: textOf(n), bytes: new Uint8Array(hash % 23).fill(hash >>> 8) };
}

function records(from, count) {
  return Array.from({ length: count }, (_, i) => record(from + i));
}

function columns(from, count) {
  const all = records(from, count);
  return Object.fromEntries(fields.map(({ name }) => [name, all.map((record) => record[name])]));
}

function checkColumns({ n, hash, text, bytes }, from) {
  for (let i = 0; i < n.values.length; i++) {
    const cursor = {
      getF64: () => n.values[i],
      getU32: () => hash.values[i],
      getString: () => text.values[i],
      getBytes: () => bytes.values[i],
    };
    const wrong = fault(cursor, from + i);
    if (wrong) throw new Error(wrong);
  }
}

function fault(cursor, n) {
  const hash = hashOf(n);
  const found = cursor.getF64('n');
  if (found !== n) return `record ${n} has the number ${found}`;
  if (cursor.getU32('hash') !== hash) return `record ${n} has the hash ${cursor.getU32('hash')}, not ${hash}`;
  const text = cursor.getString('text');
  if (text !== textOf(n))
    return `record ${n} has the text ${JSON.stringify(text)}, not ${JSON.stringify(textOf(n))}`;
  const bytes = cursor.getBytes('bytes');
  if (bytes?.length !== hash % 23) return `record ${n} has ${bytes?.length} bytes, not ${hash % 23}`;
  const wrong = bytes.findIndex((byte) => byte !== ((hash >>> 8) & 0xff));
  return wrong < 0 ? '' : `record ${n} has ${bytes[wrong]} as byte ${wrong}`;
}

function check(cursor, from, to, shift = 0) {
  for (let seq = from; seq < to; seq++) {
    if (!cursor.seek(seq)) throw new Error(`record ${seq} is not committed`);
    const wrong = fault(cursor, seq + shift);
    if (wrong) throw new Error(wrong);
  }
}

function drainSync(view, { from = 0, token } = {}) {
  const cursor = view.allocateCursor();
  let seq = from;
  for (;;) {
    const committed = view.waitForCommitSync(seq);
    check(cursor, seq, committed);
    view.acknowledgeRead(committed, token);
    seq = committed;
    if (view.status === 'eos' || view.status === 'error') return seq;
  }
}

async function drain(view, { from = 0, token } = {}) {
  const cursor = view.allocateCursor();
  let seq = from;
  for (;;) {
    const committed = await view.waitForCommit(seq);
    check(cursor, seq, committed);
    view.acknowledgeRead(committed, token);
    seq = committed;
    if (view.status === 'eos' || view.status === 'error') return seq;
  }
}

export const numbered = { fields, record, records, columns, fault, check, checkColumns, drain, drainSync };
