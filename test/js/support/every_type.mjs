function fields(widths) {
  return Object.keys(widths).flatMap((type) =>
    ['', '?'].map((suffix) => ({
      name: `${type}${suffix}`,
      type,
      nullable: suffix === '?',
      ...(type === 'fixed_bytes' && { length: 12 }),
      ...(type === 'u32' && suffix === '' && { sorted: 'asc' }),
    })),
  );
}

const VALUES = {
  u8: (n) => n % 256,
  u16: (n) => n,
  u32: (n) => n,
  u64: (n) => BigInt(n),
  i8: (n) => (n % 256) - 128,
  i16: (n) => -n,
  i32: (n) => -n,
  i64: (n) => BigInt(-n),
  f32: (n) => n / 2,
  f64: (n) => n / 3,
  bool8: (n) => n % 2 === 0,
  utf8_ref: (n) => n % 2,
  utf8: (n) => 'crêpe '.repeat(n % 5),
  json: (n) => ({ n, list: [n, 'ü'] }),
  bytes: (n) => new Uint8Array(n % 20),
  i32_array: (n) => new Int32Array(n % 5),
  f32_array: (n) => new Float32Array(n % 5),
  fixed_bytes: () => new Uint8Array(12),
  large_utf8: (n) => 'waffle '.repeat(n % 5),
  large_json: (n) => [n],
  large_bytes: (n) => new Uint8Array(n % 20),
  f64_array: (n) => new Float64Array(n % 5),
  i64_array: (n) => new BigInt64Array(n % 5),
  u32_array: (n) => new Uint32Array(n % 5),
};

function record(n) {
  return Object.fromEntries(
    Object.entries(VALUES).flatMap(([type, value]) => [
      [type, value(n)],
      [`${type}?`, n % 3 === 0 ? null : value(n)],
    ]),
  );
}

function readAll(cursor, names, accessors) {
  cursor.toObject();
  for (const name of names) {
    cursor.get(name);
    void cursor.row[name];
    for (const accessor of accessors) cursor[accessor](name);
  }
}

function accessorsOf(cursor) {
  const prototype = Object.getPrototypeOf(cursor);
  return Object.getOwnPropertyNames(prototype).filter((name) => /^get[A-Z]/.test(name));
}

export const everyType = { fields, record, readAll, accessorsOf };
