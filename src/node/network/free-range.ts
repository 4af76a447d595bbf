/**
 * An address range that the machine does not use yet, so that two clusters on it, or a cluster and the networks it is
 * connected to, do not meet.
 */
import { type Cidr, parseCidr } from './cidr.ts';
import { networkTools } from './network-tools.ts';

/** The first candidate that overlaps no route and no address of this namespace. */
export async function findFreeRange(candidates: readonly string[]): Promise<string | undefined> {
  const tools = networkTools();
  const [routes, links] = await Promise.all([tools.ip('-json', 'route', 'show', 'table', 'all'), tools.ip('-json', 'address', 'show')]);
  const destinations = (JSON.parse(routes.trim() || '[]') as { readonly dst: string }[]).map(({ dst }) => dst);
  const addresses = (JSON.parse(links) as { readonly addr_info: readonly { readonly local: string }[] }[]).flatMap(({ addr_info }) =>
    addr_info.map(({ local }) => local),
  );
  return firstFree(candidates, [...destinations, ...addresses]);
}

/** `used` are ranges and addresses as `ip` prints them; IPv6 and the default route are passed over. */
export function firstFree(candidates: readonly string[], used: readonly string[]): string | undefined {
  const taken = used
    .filter((text) => /^\d+\.\d+\.\d+\.\d+(\/\d+)?$/.test(text))
    .map((text) => parseCidr(text.includes('/') ? text : `${text}/32`));
  return candidates.find((candidate) => !taken.some((range) => overlap(range, parseCidr(candidate))));
}

const overlap = (a: Cidr, b: Cidr): boolean => a.base < b.base + b.size && b.base < a.base + a.size;
