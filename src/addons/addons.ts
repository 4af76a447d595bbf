/** All add-ons, in the order in which they start. */
import { dns } from './dns/dns-addon.ts';
import { ingress } from './gateway/ingress-addon.ts';
import { metrics } from './metrics/metrics-addon.ts';
import { storage } from './storage/storage-addon.ts';

export const addons = [dns, storage, metrics, ingress] as const;
export type AddonName = (typeof addons)[number]['name'];
export const addonNames: readonly AddonName[] = addons.map(({ name }) => name);

/** What is wrong with names of add-ons. */
export function addonsProblem(names: readonly string[]): string | undefined {
  const unknown = names.find((name) => !(addonNames as readonly string[]).includes(name));
  return unknown === undefined ? undefined : `there is no add-on "${unknown}"`;
}

export const addonsFix = `the add-ons are: ${addonNames.join(', ')}`;
