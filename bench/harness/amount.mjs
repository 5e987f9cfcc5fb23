/**
 * A figure with about three digits, as tables and charts show it.
 *
 * @param {number} value
 * @param {string} unit
 */
export function amount(value, unit) {
  const size = Math.abs(value);
  const digits = value === 0 || size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 4;
  return `${value.toFixed(digits)} ${unit}`;
}

/**
 * How many times as much, with two digits.
 *
 * @param {number} ratio
 */
export function times(ratio) {
  const rounded =
    ratio >= 9.95 ? ratio.toFixed(0) : ratio >= 0.995 ? ratio.toFixed(1) : Number(ratio.toPrecision(2));
  return `${rounded} ×`;
}
