/** Whether an integer is one of 64 bits, signed or not. */
export function fits64Bits(integer: bigint): boolean {
  return BigInt.asIntN(64, integer) === integer || BigInt.asUintN(64, integer) === integer;
}
