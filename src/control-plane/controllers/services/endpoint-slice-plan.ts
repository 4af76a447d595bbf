/**
 * Which EndpointSlices a Service should have: its endpoints, grouped by their ports, in slices of at most a hundred.
 * Pure. Slices are kept as they are where possible, since each change goes to every node: endpoints stay in their
 * slice, new ones fill the slices that change anyway, then one that has room for all, then new ones.
 * What it does not do: hints by the processors of zones (topology-mode: Auto).
 * Upstream: k8s.io/endpointslice/reconciler.go, trafficdist/trafficdist.go.
 */
import type { Endpoint, EndpointHints, EndpointPort } from '../../../api/generated/discovery-v1.ts';
import { type EndpointSlice, type Node, type Pod, Service } from '../../../api/generated/kinds.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import { nameIsDnsSubdomain } from '../../../api/meta/names.ts';
import type { New } from '../../../api/meta/object.ts';
import { headlessLabel, serviceNameLabel, sliceManagedByLabel, zoneLabel } from '../../../api/meta/well-known.ts';
import { isPodReady } from '../../../api/predicates/pod-state.ts';
import { controllerReference } from '../owner.ts';
import { canonical } from '../template-hash.ts';
import { hasEndpoint, hasNoClusterIP, hostnameOf, targetPortOf, targetRefOf } from './service-pods.ts';

export const sliceManager = 'endpointslice-controller.k8s.io';
export const endpointsMax = 100;

const reservedLabels = new Set([sliceManagedByLabel, serviceNameLabel, headlessLabel]);

export type AddressType = 'IPv4' | 'IPv6';

export interface SlicePlan {
  readonly create: readonly New<EndpointSlice>[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
  /** pods left out because their node is not known (yet) */
  readonly skipped: readonly Pod[];
}

interface Group {
  readonly ports: readonly EndpointPort[];
  /** not yet in a slice */
  readonly endpoints: Map<string, Endpoint>;
}

export interface SliceInput {
  readonly service: Service;
  readonly pods: readonly Pod[];
  readonly nodeOf: (name: string) => Node | undefined;
  /** those of the Service that we manage */
  readonly existing: readonly EndpointSlice[];
}

export function planSlices(input: SliceInput): SlicePlan {
  const types = addressTypesOf(input.service);
  const plans = [...types].map((type) => planType(input, type));
  const foreign = input.existing.filter((slice) => !types.has(slice.addressType as AddressType));
  return {
    create: plans.flatMap((plan) => plan.create),
    update: plans.flatMap((plan) => plan.update),
    remove: [...foreign, ...plans.flatMap((plan) => plan.remove)],
    skipped: plans.flatMap((plan) => plan.skipped),
  };
}

/** Older Services may not say their families: then by cluster IP, and both for a headless one. */
function addressTypesOf({ spec }: Service): ReadonlySet<AddressType> {
  if (spec.ipFamilies?.length) return new Set(spec.ipFamilies as AddressType[]);
  if (spec.clusterIP && spec.clusterIP !== 'None') return new Set([spec.clusterIP.includes(':') ? 'IPv6' : 'IPv4']);
  return new Set(['IPv4', 'IPv6']);
}

function planType(input: SliceInput, type: AddressType): SlicePlan {
  const { service } = input;
  const { groups, skipped } = groupEndpoints(input, type);
  const create: New<EndpointSlice>[] = [];
  const update: EndpointSlice[] = [];
  const remove: EndpointSlice[] = [];
  const byPorts = Map.groupBy(
    input.existing.filter((slice) => slice.addressType === type),
    (slice) => (isOwnedBy(slice, service) ? portsKey(slice.ports ?? []) : undefined),
  );
  for (const [key, slices] of byPorts) if (key === undefined || !groups.has(key)) remove.push(...slices);
  for (const [key, group] of groups) {
    const plan = planGroup(service, type, group, byPorts.get(key) ?? []);
    create.push(...plan.create);
    update.push(...plan.update);
    remove.push(...plan.remove);
  }
  const existing = [...byPorts.values()].reduce((sum, slices) => sum + slices.length, 0);
  if (remove.length === existing && create.length === 0) return { ...placeholder(service, type, remove), skipped };
  return { ...reuse(create, update, remove, service), skipped };
}

/** A Service without endpoints has one slice that says so. */
function placeholder(service: Service, type: AddressType, remove: readonly EndpointSlice[]): Omit<SlicePlan, 'skipped'> {
  const empty = newSlice(service, type, [], []);
  const [only] = remove;
  const isThere =
    remove.length === 1 &&
    only !== undefined &&
    !only.endpoints?.length &&
    !only.ports?.length &&
    isOwnedBy(only, service) &&
    equalSemantically(only.metadata.labels, empty.metadata.labels);
  if (isThere) return { create: [], update: [], remove: [] };
  return reuse([empty], [], remove, service);
}

/** A slice to be made takes the place of one to be removed: one event instead of two. */
function reuse(
  create: readonly New<EndpointSlice>[],
  update: readonly EndpointSlice[],
  remove: readonly EndpointSlice[],
  service: Service,
): Omit<SlicePlan, 'skipped'> {
  const made = [...create];
  const changed = [...update];
  const kept = remove.filter((old) => {
    const next = isOwnedBy(old, service) ? made.pop() : undefined;
    if (!next) return true;
    const metadata = { ...old.metadata, labels: next.metadata.labels ?? {} };
    changed.push({ ...old, metadata, endpoints: next.endpoints ?? [], ports: next.ports ?? [] });
    return false;
  });
  return { create: made, update: changed, remove: kept };
}

function groupEndpoints({ service, pods, nodeOf }: SliceInput, type: AddressType): { groups: Map<string, Group>; skipped: Pod[] } {
  const groups = new Map<string, Group>();
  const skipped: Pod[] = [];
  for (const pod of pods) {
    if (!hasEndpoint(pod)) continue;
    const ports = endpointPorts(service, pod);
    const key = portsKey(ports);
    let group = groups.get(key);
    if (!group) {
      group = { ports, endpoints: new Map() };
      groups.set(key, group);
    }
    const node = nodeOf(pod.spec.nodeName ?? '');
    if (!node && !service.spec.publishNotReadyAddresses) {
      skipped.push(pod);
      continue;
    }
    const endpoint = endpointOf(pod, node, service, type);
    if (endpoint.addresses.length > 0) group.endpoints.set(endpointKey(endpoint), endpoint);
  }
  return { groups, skipped };
}

function endpointOf(pod: Pod, node: Node | undefined, service: Service, type: AddressType): Endpoint {
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const hostname = hostnameOf(pod, service);
  const zone = node?.metadata.labels?.[zoneLabel];
  const addresses = (pod.status.podIPs ?? []).map(({ ip }) => ip).filter((ip) => ip.includes(':') === (type === 'IPv6'));
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  const hints = ready ? hintsOf(service, pod.spec.nodeName, zone) : undefined;
  return {
    addresses,
    conditions: { ready, serving, terminating },
    ...(hints && { hints }),
    ...(hostname && { hostname }),
    ...(pod.spec.nodeName && { nodeName: pod.spec.nodeName }),
    targetRef: targetRefOf(pod),
    ...(zone && { zone }),
  };
}

/** For whom the endpoint is, as the Service's trafficDistribution has it. */
function hintsOf({ spec }: Service, nodeName: string | undefined, zone: string | undefined): EndpointHints | undefined {
  const byNode = spec.trafficDistribution === 'PreferSameNode';
  if (!byNode && spec.trafficDistribution !== 'PreferSameZone' && spec.trafficDistribution !== 'PreferClose') return undefined;
  const forNodes = byNode && nodeName ? [{ name: nodeName }] : [];
  if (!zone && forNodes.length === 0) return undefined;
  return { ...(zone && { forZones: [{ name: zone }] }), ...(forNodes.length > 0 && { forNodes }) };
}

function endpointPorts(service: Service, pod: Pod): readonly EndpointPort[] {
  const ports: EndpointPort[] = [];
  for (const port of service.spec.ports ?? []) {
    const target = targetPortOf(pod, port);
    if (target === undefined) continue;
    const { name = '', protocol = 'TCP', appProtocol } = port;
    ports.push({ name, port: target, protocol, ...(appProtocol && { appProtocol }) });
  }
  return ports;
}

const portsKey = (ports: readonly EndpointPort[]): string => ports.map(canonical).sort().join();
const endpointKey = ({ addresses, targetRef }: Endpoint): string => `${addresses.join()} ${targetRef?.namespace}/${targetRef?.name}`;

const isOwnedBy = (slice: EndpointSlice, service: Service): boolean =>
  slice.metadata.ownerReferences?.some(({ uid }) => uid === service.metadata.uid) ?? false;

/** Puts the group's endpoints into its slices. */
function planGroup(service: Service, type: AddressType, group: Group, existing: readonly EndpointSlice[]): Omit<SlicePlan, 'skipped'> {
  const labels = labelsOf(service);
  const left = group.endpoints;
  const changed = new Map<EndpointSlice, Endpoint[]>();
  const unchanged: EndpointSlice[] = [];
  const remove: EndpointSlice[] = [];
  for (const slice of existing) {
    const { endpoints, isSame } = keep(slice.endpoints ?? [], left);
    if (endpoints.length === 0 && slice.endpoints?.length) remove.push(slice);
    else if (isSame && equalSemantically(slice.metadata.labels, labels)) unchanged.push(slice);
    else changed.set(slice, endpoints);
  }
  const fullestFirst = [...changed.values()].sort((a, b) => b.length - a.length);
  for (const endpoints of fullestFirst) fill(endpoints, left);

  const create: New<EndpointSlice>[] = [];
  while (left.size > 0) {
    const roomy = left.size < endpointsMax ? closestFit(unchanged, left.size) : undefined;
    const endpoints = [...(roomy?.endpoints ?? [])];
    fill(endpoints, left);
    if (roomy) {
      changed.set(roomy, endpoints);
      unchanged.splice(unchanged.indexOf(roomy), 1);
    } else create.push(newSlice(service, type, group.ports, endpoints));
  }
  const update = [...changed].map(([slice, endpoints]) => ({ ...slice, metadata: { ...slice.metadata, labels }, endpoints }));
  return { create, update, remove };
}

/** The endpoints that stay in a slice, as they are now; they are taken out of `left`. */
function keep(before: readonly Endpoint[], left: Map<string, Endpoint>): { endpoints: Endpoint[]; isSame: boolean } {
  const endpoints: Endpoint[] = [];
  let isSame = true;
  for (const old of before) {
    const key = endpointKey(old);
    const now = left.get(key);
    if (!now) continue;
    left.delete(key);
    endpoints.push(now);
    isSame &&= equalSemantically(old, now);
  }
  return { endpoints, isSame: isSame && endpoints.length === before.length };
}

function fill(endpoints: Endpoint[], left: Map<string, Endpoint>): void {
  for (const [key, endpoint] of left) {
    if (endpoints.length >= endpointsMax) return;
    endpoints.push(endpoint);
    left.delete(key);
  }
}

/** The slice that `count` more endpoints would fill best. */
function closestFit(slices: readonly EndpointSlice[], count: number): EndpointSlice | undefined {
  let best: EndpointSlice | undefined;
  for (const slice of slices) {
    const size = slice.endpoints?.length ?? 0;
    if (size + count <= endpointsMax && (!best || size > (best.endpoints?.length ?? 0))) best = slice;
  }
  return best;
}

function labelsOf(service: Service): Readonly<Record<string, string>> {
  const own = Object.entries(service.metadata.labels ?? {}).filter(([name]) => !reservedLabels.has(name));
  return {
    ...Object.fromEntries(own),
    ...(hasNoClusterIP(service) && { [headlessLabel]: '' }),
    [serviceNameLabel]: service.metadata.name,
    [sliceManagedByLabel]: sliceManager,
  };
}

function newSlice(service: Service, type: AddressType, ports: readonly EndpointPort[], endpoints: readonly Endpoint[]): New<EndpointSlice> {
  const { name, namespace } = service.metadata;
  const prefix = nameIsDnsSubdomain(`${name}-`, true).length === 0 ? `${name}-` : name;
  return {
    metadata: { namespace, generateName: prefix, labels: labelsOf(service), ownerReferences: [controllerReference(Service, service)] },
    addressType: type,
    endpoints,
    ports,
  };
}
