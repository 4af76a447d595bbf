/** Which tests go into one run of the suite: those of one special interest group, as many as fit; `[Serial]` ones apart. */
export interface Groups {
  readonly together: readonly (readonly string[])[];
  /** nothing else may run at the same time */
  readonly alone: readonly (readonly string[])[];
}

export function planGroups(names: readonly string[], sizeMax: number): Groups {
  const isSerial = (name: string): boolean => name.includes('[Serial]');
  return {
    together: split(
      names.filter((name) => !isSerial(name)),
      sizeMax,
    ),
    alone: split(names.filter(isSerial), sizeMax),
  };
}

function split(names: readonly string[], sizeMax: number): string[][] {
  return [...Map.groupBy(names, (name) => name.split(' ')[0]).values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / sizeMax) }, (_, i) => group.slice(i * sizeMax, (i + 1) * sizeMax)),
  );
}
