/**
 * Serves the cluster's Ingresses from this process: where there are real nodes on the machine's ports for HTTP and HTTPS,
 * or, where they are taken or privileges are missing, on the first free ones above; else nothing listens, and only what
 * Ingresses are told is looked after.
 */
import { IngressClass } from '../../api/generated/kinds.ts';
import { isProxyable } from '../../api/meta/addresses.ts';
import { runControllers } from '../../client/controllers/controller-runner.ts';
import type { AddonContext, IngressPorts } from '../addon.ts';
import { DataPlane } from './data-plane.ts';
import { ingressClassController, ingressController, markDefault } from './ingress-controller.ts';
import { IngressRouting } from './ingress-routing.ts';
import { openUpstream } from './open-upstream.ts';

const usual = { http: [80, 8080], https: [443, 8443] } as const;
/** How many above the usual ones are tried; then any one. */
const triedMax = 20;

/** In the order in which they are tried. */
export const portsFor = (wanted: number | undefined, [first, next]: readonly [number, number]): readonly number[] =>
  wanted === undefined ? [first, ...Array.from({ length: triedMax }, (_, i) => next + i), 0] : [wanted];

export async function startIngress(
  { client, cluster, clock, random, log, tell }: AddonContext,
  stack: AsyncDisposableStack,
): Promise<void> {
  const routing = stack.use(new IngressRouting({ client, clock, open: openUpstream, isAllowed: isProxyable }));
  await routing.synced;
  await markDefault(client, client.informer(IngressClass).list());
  const { ingress: where } = cluster;
  const ports = where && (await listen(where));
  if (where && ports) tell(`http ${ports.http}, https ${ports.https}`);
  const points =
    where && ports
      ? where.published.map((ip) => ({ ip, ports: [ports.http, ports.https].map((port) => ({ port, protocol: 'TCP' as const })) }))
      : [];
  const controllers = [ingressController({ client, routing, points }), ingressClassController(client)];
  const running = stack.use(runControllers(controllers, { client, clock, random, log }));
  await running.started;

  async function listen({ hosts, httpPort, httpsPort }: IngressPorts): Promise<{ readonly http: number; readonly https: number }> {
    const plane = stack.use(new DataPlane({ routing, certificates: routing, clock, log }));
    const http = await plane.listen(hosts, portsFor(httpPort, usual.http), { isSecure: false });
    return { http, https: await plane.listen(hosts, portsFor(httpsPort, usual.https), { isSecure: true }) };
  }
}
