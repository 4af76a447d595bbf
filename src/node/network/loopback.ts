/**
 * Lets 127.0.0.1:hostPort lead to a pod: the kernel sends packets with a loopback source only out of a link that is
 * allowed to carry them. The permission is the pod's own link's, and goes with it.
 */
import { parseJSON } from '../../api/schema/json-scan.ts';
import type { NetworkTools } from './network-tools.ts';

/** A pod without a link of its own here (just removed) is passed over. */
export async function letLoopbackThrough(tools: NetworkTools, podIPs: ReadonlySet<string>): Promise<void> {
  for (const ip of podIPs) {
    const routes = parseJSON((await tools.ip('-json', 'route', 'show', `${ip}/32`)).trim() || '[]') as { readonly dev: string }[];
    for (const { dev } of routes) await tools.sysctl(`ipv4/conf/${dev}/route_localnet`, '1');
  }
}
