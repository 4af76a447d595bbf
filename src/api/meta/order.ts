/** Orders in which texts and objects are gone through. */

/** By code units, as Go compares what is ASCII; no language's own order. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

interface Created {
  readonly metadata: { readonly name: string; readonly creationTimestamp: string };
}

/** The oldest first; of one second, by name. */
export const byCreation = (a: Created, b: Created): number =>
  compareText(a.metadata.creationTimestamp, b.metadata.creationTimestamp) || compareText(a.metadata.name, b.metadata.name);
