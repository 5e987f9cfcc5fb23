// @ts-check

const numbers = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 6 });
const wholes = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** @param {number} value */
export function formatNumber(value) {
  const size = Math.abs(value);
  // Grouped, a year would look odd; out of this range digits say little.
  if (size !== 0 && (size >= 1e12 || size < 1e-4)) return value.toPrecision(4);
  return Number.isInteger(value) && size < 10_000 ? String(value) : numbers.format(value);
}

/** @param {number} value */
export function formatCount(value) {
  return wholes.format(value);
}

/** @param {number} count @param {string} noun @param {string} [plural] */
export function counted(count, noun, plural = `${noun}s`) {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}

/** @param {number} bytes */
export function formatBytes(bytes) {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${value} bytes` : `${value.toFixed(value < 100 ? 1 : 0)} ${units[unit]}`;
}

/**
 * Text from a file as a terminal may be given it: nothing in it moves the cursor, changes colours or turns the line
 * around.
 *
 * @param {string} text
 */
export function printable(text) {
  return text
    .replace(/\r?\n/g, '↵')
    .replace(/[\p{Cc}\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (char) =>
      char === '\t' ? ' ' : '�',
    );
}

/**
 * JSON of a value that came from JSON.
 *
 * @param {unknown} value
 */
export function jsonText(value) {
  try {
    return JSON.stringify(value);
  } catch {
    // JSON.stringify recurses where JSON.parse does not.
    return '(nested too deeply to show)';
  }
}
