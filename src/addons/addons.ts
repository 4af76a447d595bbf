/** All add-ons, in the order in which they start. */
import { dns } from './dns/dns-addon.ts';

export const addons = [dns] as const;
export type AddonName = (typeof addons)[number]['name'];
export const addonNames: readonly AddonName[] = addons.map(({ name }) => name);
