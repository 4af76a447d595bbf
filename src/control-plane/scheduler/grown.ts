/** Typed arrays that grow with the cluster. */

/** A larger one with what this one holds; `filler` in the places that are new. At least doubled, so that growing stays cheap. */
export function grown<T extends Float64Array | Int32Array>(array: T, needed: number, filler = 0): T {
  const bigger = new (array.constructor as new (length: number) => T)(Math.max(needed, array.length * 2));
  if (filler !== 0) bigger.fill(filler, array.length);
  bigger.set(array);
  return bigger;
}
