/** Quantities of resources are rounded up to thousandths. Upstream: pkg/apis/core/v1/defaults.go (SetDefaults_ResourceList). */
import type { ResourceRequirements } from '../../../generated/core-v1.ts';
import { parseQuantity, quantityMilliValue } from '../../../meta/quantity.ts';
import { change, isEmptyObject } from '../../fill.ts';

type Quantities = Readonly<Record<string, string>>;

/** Surely no finer than thousandths. */
const coarse = /^-?\d+(?:\.\d{1,3})?(?:m|[kMGTPE]i?)?$/;

export function roundQuantities<T extends Quantities>(list: T): T {
  let rounded: Record<string, string> | undefined;
  for (const name in list) {
    const text = list[name] as string;
    if (coarse.test(text) || parseQuantity(text).scale >= -3) continue;
    rounded ??= { ...list };
    rounded[name] = `${quantityMilliValue(text)}m`;
  }
  return (rounded as T | undefined) ?? list;
}

export function defaultResources(resources: ResourceRequirements): ResourceRequirements {
  if (isEmptyObject(resources)) return resources;
  return change(change(resources, 'limits', roundQuantities), 'requests', roundQuantities);
}
