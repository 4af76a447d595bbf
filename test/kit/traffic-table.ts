/**
 * Every way in which a Service's traffic policies, its endpoints, an address of it and a client meet on one node, and
 * what comes of it: asked of the planned rules (src/node/proxy/traffic-policy.test.ts) and of a kernel that has them
 * (test/host/traffic-policy.test.ts). Specified in kubernetes.io/docs/reference/networking/virtual-ips.
 */
import type { EndpointSlice, Service } from '../../src/api/generated/kinds.ts';
import { type Place, planServicePorts, type ServicePort, type TrafficPolicy } from '../../src/node/proxy/service-ports.ts';

export const node = { nodeName: 'a', zone: 'z', address: '172.31.0.1' } satisfies Place;
export const podCidr = '10.244.0.0/16';
/** where endpoints are: on the node, and on another one */
export const endpointIPs = { here: '10.244.0.2', there: '10.244.1.2' } as const;
type Spot = keyof typeof endpointIPs;
export const endpointPort = 8080;

/** Who asks. The host's own address is the node's. */
export const clients = {
  'a pod here': '10.244.0.9',
  'a pod elsewhere': '10.244.1.9',
  'the host': node.address,
  outside: '198.51.100.9',
} as const;
export type Client = keyof typeof clients;
const isPod = (client: Client): boolean => client.includes('pod');

/** What is asked. `guarded` is a load balancer's address that lets in `outside` alone. */
export const destinations = ['clusterIP', 'nodePort', 'externalIP', 'loadBalancer', 'guarded'] as const;
export type Destination = (typeof destinations)[number];
const letIn = '198.51.100.0/24';

const states = {
  ready: { ready: true, serving: true, terminating: false },
  draining: { ready: false, serving: true, terminating: true },
  ended: { ready: false, serving: false, terminating: true },
  unready: { ready: false, serving: false, terminating: false },
} as const;
interface Given {
  readonly state: keyof typeof states;
  /** the zone that it is meant for */
  readonly zone?: string;
}

interface EndpointsRow {
  readonly name: string;
  readonly given: Readonly<Partial<Record<Spot, Given>>>;
  /** usable with the policy Cluster, and with Local */
  readonly cluster: readonly Spot[];
  readonly local: readonly Spot[];
}
const endpointsRows: readonly EndpointsRow[] = [
  { name: 'none', given: {}, cluster: [], local: [] },
  { name: 'ready elsewhere', given: { there: { state: 'ready' } }, cluster: ['there'], local: [] },
  { name: 'ready here', given: { here: { state: 'ready' } }, cluster: ['here'], local: ['here'] },
  { name: 'ready on both', given: { here: { state: 'ready' }, there: { state: 'ready' } }, cluster: ['here', 'there'], local: ['here'] },
  { name: 'draining elsewhere', given: { there: { state: 'draining' } }, cluster: ['there'], local: [] },
  { name: 'draining here', given: { here: { state: 'draining' } }, cluster: ['here'], local: ['here'] },
  {
    name: 'draining on both',
    given: { here: { state: 'draining' }, there: { state: 'draining' } },
    cluster: ['here', 'there'],
    local: ['here'],
  },
  { name: 'ended elsewhere', given: { there: { state: 'ended' } }, cluster: [], local: [] },
  { name: 'ended here', given: { here: { state: 'ended' } }, cluster: [], local: [] },
  { name: 'ended on both', given: { here: { state: 'ended' }, there: { state: 'ended' } }, cluster: [], local: [] },
  { name: 'unready here', given: { here: { state: 'unready' } }, cluster: [], local: [] },
  {
    name: 'draining here, ready elsewhere',
    given: { here: { state: 'draining' }, there: { state: 'ready' } },
    cluster: ['there'],
    local: ['here'],
  },
  {
    name: 'ready here, draining elsewhere',
    given: { here: { state: 'ready' }, there: { state: 'draining' } },
    cluster: ['here'],
    local: ['here'],
  },
  { name: 'ended here, ready elsewhere', given: { here: { state: 'ended' }, there: { state: 'ready' } }, cluster: ['there'], local: [] },
  {
    name: 'draining here, ended elsewhere',
    given: { here: { state: 'draining' }, there: { state: 'ended' } },
    cluster: ['here'],
    local: ['here'],
  },
  {
    name: 'ready here, but meant for another zone',
    given: { here: { state: 'ready', zone: 'y' }, there: { state: 'ready', zone: node.zone } },
    cluster: ['there'],
    local: ['here'],
  },
  {
    name: 'ready on both, meant for another zone',
    given: { here: { state: 'ready', zone: 'y' }, there: { state: 'ready', zone: 'y' } },
    cluster: ['here', 'there'],
    local: ['here'],
  },
];

/** What becomes of a connection: where it may end and whether its client is seen there, or how it fails. */
export type Outcome = { readonly to: readonly string[]; readonly source: 'kept' | 'masqueraded' } | 'dropped' | 'refused';

export interface ServiceRow {
  readonly name: string;
  readonly endpoints: EndpointsRow;
  readonly internal: TrafficPolicy;
  readonly external: TrafficPolicy;
  readonly addresses: Readonly<Record<Destination, { readonly ip: string; readonly port: number }>>;
  readonly ports: readonly ServicePort[];
}

const policies = ['Cluster', 'Local'] as const;
const affinities = ['None', 'ClientIP'] as const;

/** All of them at once: each has addresses of its own. */
export const serviceRows: readonly ServiceRow[] = endpointsRows
  .flatMap((endpoints) =>
    policies.flatMap((internal) =>
      policies.flatMap((external) => affinities.map((affinity) => ({ endpoints, internal, external, affinity }))),
    ),
  )
  .map(({ endpoints, internal, external, affinity }, i) => {
    const last = `${i >> 7}.${(i & 127) + 1}`;
    const ips = { clusterIP: `10.96.${last}`, externalIP: `192.0.${last}`, loadBalancer: `192.1.${last}`, guarded: `192.2.${last}` };
    const nodePort = 30_000 + i;
    const name = `${endpoints.name}, internal ${internal}, external ${external}, affinity ${affinity}`;
    const open = serviceOf(`open-${i}`, {
      clusterIP: ips.clusterIP,
      externalIPs: [ips.externalIP],
      internal,
      external,
      affinity,
      nodePort,
    });
    const guarded = serviceOf(`guarded-${i}`, {
      clusterIP: `10.97.${last}`,
      internal,
      external,
      affinity,
      nodePort: 31_000 + i,
      loadBalancerSourceRanges: [letIn],
    });
    const plan = (service: Service, loadBalancerIP: string): ServicePort[] =>
      planServicePorts({ ...service, status: { loadBalancer: { ingress: [{ ip: loadBalancerIP }] } } }, [sliceOf(endpoints)], node);
    return {
      name,
      endpoints,
      internal,
      external,
      addresses: {
        clusterIP: { ip: ips.clusterIP, port: 80 },
        nodePort: { ip: node.address, port: nodePort },
        externalIP: { ip: ips.externalIP, port: 80 },
        loadBalancer: { ip: ips.loadBalancer, port: 80 },
        guarded: { ip: ips.guarded, port: 80 },
      },
      ports: [...plan(open, ips.loadBalancer), ...plan(guarded, ips.guarded)],
    };
  });

interface ServiceShape {
  readonly clusterIP: string;
  readonly internal: TrafficPolicy;
  readonly external: TrafficPolicy;
  readonly affinity: 'None' | 'ClientIP';
  readonly nodePort: number;
  readonly externalIPs?: readonly string[];
  readonly loadBalancerSourceRanges?: readonly string[];
}
function serviceOf(name: string, { internal, external, affinity, nodePort, ...rest }: ServiceShape): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(name),
    spec: {
      ...rest,
      type: 'LoadBalancer',
      internalTrafficPolicy: internal,
      externalTrafficPolicy: external,
      sessionAffinity: affinity,
      ports: [{ port: 80, protocol: 'TCP', nodePort }],
    },
    status: {},
  };
}
function metadataOf(name: string) {
  return { name, namespace: 'n', uid: name, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
}
function sliceOf({ given }: EndpointsRow): EndpointSlice {
  const endpoints = (['here', 'there'] as const).flatMap((spot) => {
    const endpoint = given[spot];
    if (!endpoint) return [];
    return [
      {
        addresses: [endpointIPs[spot]],
        nodeName: spot === 'here' ? node.nodeName : 'b',
        conditions: states[endpoint.state],
        ...(endpoint.zone && { hints: { forZones: [{ name: endpoint.zone }] } }),
      },
    ];
  });
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: metadataOf('slice'),
    addressType: 'IPv4',
    endpoints,
    ports: [{ name: '', port: endpointPort, protocol: 'TCP' }],
  };
}

/** The right outcome, by the words of the specification. */
export function expected({ endpoints, internal, external }: ServiceRow, destination: Destination, client: Client): Outcome {
  const to = (spots: readonly Spot[], source: 'kept' | 'masqueraded'): Outcome =>
    spots.length > 0 ? { to: spots.map((spot) => endpointIPs[spot]), source } : 'dropped';
  if (destination === 'guarded' && client !== 'outside') return 'dropped';
  if (endpoints.cluster.length === 0) return 'refused';
  if (destination === 'clusterIP') {
    return to(internal === 'Local' ? endpoints.local : endpoints.cluster, isPod(client) ? 'kept' : 'masqueraded');
  }
  if (external === 'Cluster') return to(endpoints.cluster, 'masqueraded');
  // As if it went out to the load balancer and came back in.
  if (isPod(client)) return to(endpoints.cluster, 'kept');
  if (client === 'the host') return to(endpoints.cluster, 'masqueraded');
  return to(endpoints.local, 'kept');
}
