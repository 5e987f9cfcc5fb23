/** Own getters of typed arrays, out of reach of properties that user code puts on an instance. */
const prototype = Object.getPrototypeOf(Uint8Array.prototype) as object;

function getter<T>(name: string | symbol): (value: unknown) => T {
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get as () => T;
  return Function.prototype.call.bind(get) as unknown as (value: unknown) => T;
}

/** Class name of a typed array of any realm, undefined for anything else; runs no user code. */
export const typedArrayName = getter<string | undefined>(Symbol.toStringTag);

/** Bytes of a typed array as it is now; 0 once it is detached or out of bounds. */
export const typedArrayBytes = getter<number>('byteLength');

/** Elements of a typed array as it is now. */
export const typedArrayLength = getter<number>('length');
