/**
 * Address ranges that the machine does not use yet, so that two clusters on it, or a cluster and the networks it is
 * connected to, do not meet.
 */
import { overlap } from '../../api/predicates/service-ranges.ts';
import { parseJSON } from '../../api/schema/json-scan.ts';
import { networkTools } from './network-tools.ts';

/** The ranges that this namespace has routes to, and its addresses. */
export async function usedRanges(): Promise<readonly string[]> {
  const tools = networkTools();
  const [routes, links] = await Promise.all([tools.ip('-json', 'route', 'show', 'table', 'all'), tools.ip('-json', 'address', 'show')]);
  const destinations = (parseJSON(routes.trim() || '[]') as { readonly dst: string }[]).map(({ dst }) => dst);
  const addresses = (parseJSON(links) as { readonly addr_info: readonly { readonly local: string }[] }[]).flatMap(({ addr_info }) =>
    addr_info.map(({ local }) => local),
  );
  return [...destinations, ...addresses];
}

/** `used` are ranges and addresses as `ip` prints them; IPv6 and the default route are passed over. */
export function isFree(range: string, used: readonly string[]): boolean {
  return !used
    .filter((text) => /^\d+\.\d+\.\d+\.\d+(\/\d+)?$/.test(text))
    .some((text) => overlap(range, text.includes('/') ? text : `${text}/32`));
}
