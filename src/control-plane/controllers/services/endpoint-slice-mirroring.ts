/**
 * EndpointSlices of the Endpoints that people write for Services without a selector, for proxies and DNS, which read
 * only slices. One slice for each set of ports and family of addresses, with at most a thousand addresses.
 * Endpoints say with a label that they are not to be mirrored; those that leader election writes are not either.
 * Upstream: pkg/controller/endpointslicemirroring.
 */
import { isIP } from 'node:net';
import type { EndpointAddress, EndpointSubset } from '../../../api/generated/core-v1.ts';
import type { Endpoint, EndpointPort } from '../../../api/generated/discovery-v1.ts';
import { EndpointSlice, Endpoints, Service } from '../../../api/generated/kinds.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import { nameIsDnsSubdomain } from '../../../api/meta/names.ts';
import { keyOf, type New, type ObjectKey, parseKey } from '../../../api/meta/object.ts';
import { isNotFound, messageOf } from '../../../api/meta/status-error.ts';
import { serviceNameLabel, sliceManagedByLabel } from '../../../api/meta/well-known.ts';
import { type ControllerIO, defineController, watched } from '../../../client/controllers/controller.ts';
import { controllerReference } from '../owner.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import { canonical } from '../template-hash.ts';

const manager = 'endpointslicemirroring-controller.k8s.io';
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror';
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';
const unmirroredAnnotations = new Set([
  'endpoints.kubernetes.io/last-change-trigger-time',
  'kubectl.kubernetes.io/last-applied-configuration',
]);
const addressesPerSubsetMax = 1000;

const keysOfSlice = (slice: EndpointSlice): readonly ObjectKey[] => {
  const { [sliceManagedByLabel]: by, [serviceNameLabel]: name } = slice.metadata.labels ?? {};
  return by === manager && name ? [`${slice.metadata.namespace}/${name}`] : [];
};

export const endpointSliceMirroring = defineController({
  name: 'endpoint-slice-mirroring-controller',
  serviceAccount: 'endpointslicemirroring-controller',
  watches: [
    watched(Endpoints),
    watched(Service),
    watched(EndpointSlice, (slice, old) => [...keysOfSlice(slice), ...(old ? keysOfSlice(old) : [])]),
  ],
  concurrency: 5,
  reconcile,
});

async function reconcile(key: ObjectKey, io: ControllerIO): Promise<void> {
  const endpoints = io.client.informer(Endpoints).get(key);
  const service = io.client.informer(Service).get(key);
  const existing = io.client.informer(EndpointSlice).index('mirrored', keysOfSlice)(key);
  if (!endpoints || !service || service.spec.selector || !isMirrored(endpoints)) return remove(existing, io);
  const mirror = planMirror(endpoints, existing);
  const { invalid, skipped } = mirror;
  const warn = (reason: string, message: string): void => io.events.event(endpoints, 'Warning', reason, message);
  if (invalid > 0) warn('InvalidIPAddress', `Skipped ${invalid} invalid IP addresses when mirroring to EndpointSlices`);
  if (skipped > 0) {
    const limit = `A max of ${addressesPerSubsetMax} addresses can be mirrored to EndpointSlices per Endpoints subset`;
    warn('TooManyAddressesToMirror', `${limit}. ${skipped} addresses were skipped`);
  }
  try {
    if (!endpoints.metadata.deletionTimestamp) for (const slice of mirror.create) await io.client.create(EndpointSlice, slice);
    for (const slice of mirror.update) await io.client.update(EndpointSlice, slice);
    await remove(mirror.remove, io);
  } catch (error) {
    if (isNamespaceTerminating(error)) return;
    warn('FailedToUpdateEndpointSlices', `Error updating EndpointSlices for Endpoints ${key}: ${messageOf(error)}`);
    throw error;
  }
}

const isMirrored = ({ metadata }: Endpoints): boolean =>
  metadata.labels?.[skipLabel] !== 'true' && metadata.annotations?.[leaderAnnotation] === undefined;

async function remove(slices: readonly EndpointSlice[], io: ControllerIO): Promise<void> {
  for (const slice of slices) {
    await io.client.delete(EndpointSlice, parseKey(keyOf(slice))).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}

export interface MirrorPlan {
  readonly create: readonly New<EndpointSlice>[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
  /** addresses that are none */
  readonly invalid: number;
  /** addresses above the limit */
  readonly skipped: number;
}

interface Mirrored {
  readonly addressType: 'IPv4' | 'IPv6';
  readonly ports: readonly EndpointPort[];
  /** by address and target, so that each is there once */
  readonly endpoints: Map<string, Endpoint>;
}

/** A slice that is not wanted any more takes up one that has to be made: one event instead of two. */
export function planMirror(owner: Endpoints, existing: readonly EndpointSlice[]): MirrorPlan {
  const { groups, invalid, skipped } = groupAddresses(owner.subsets ?? []);
  const left = existing.filter((slice) => !slice.metadata.deletionTimestamp);
  const update: EndpointSlice[] = [];
  const missing: Wanted[] = [];
  for (const [key, group] of groups) {
    const slice = sliceOf(owner, group);
    const at = left.findIndex((each) => groupKey(each.addressType, each.ports ?? []) === key);
    const [current] = at < 0 ? [] : left.splice(at, 1);
    if (!current) missing.push(slice);
    else if (!isSame(current, slice)) update.push(changed(current, slice));
  }
  const create = missing.filter((slice) => {
    const at = left.findIndex(({ addressType }) => addressType === slice.addressType);
    const [reused] = at < 0 ? [] : left.splice(at, 1);
    if (reused) update.push(changed(reused, slice));
    return !reused;
  });
  return { create, update, remove: left, invalid, skipped };
}

function groupAddresses(subsets: readonly EndpointSubset[]): { groups: Map<string, Mirrored>; invalid: number; skipped: number } {
  const groups = new Map<string, Mirrored>();
  let invalid = 0;
  let skipped = 0;
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
    const slicePorts = ports.map(({ name = '', port, protocol = 'TCP', appProtocol }) => ({
      name,
      port,
      protocol,
      ...(appProtocol && { appProtocol }),
    }));
    const all = [
      ...addresses.map((address) => ({ address, ready: true })),
      ...notReadyAddresses.map((address) => ({ address, ready: false })),
    ];
    const valid = all.filter(({ address }) => isIP(address.ip) !== 0);
    invalid += all.length - valid.length;
    skipped += Math.max(0, valid.length - addressesPerSubsetMax);
    for (const { address, ready } of valid.slice(0, addressesPerSubsetMax)) {
      const addressType = isIP(address.ip) === 6 ? 'IPv6' : 'IPv4';
      const key = groupKey(addressType, slicePorts);
      const group = groups.get(key) ?? { addressType, ports: slicePorts, endpoints: new Map() };
      groups.set(key, group);
      const endpoint = endpointOf(address, ready);
      group.endpoints.set(endpointKey(endpoint), endpoint);
    }
  }
  return { groups, invalid, skipped };
}

const groupKey = (addressType: string, ports: readonly EndpointPort[]): string => [addressType, ...ports.map(canonical).sort()].join();
const endpointKey = ({ addresses, targetRef }: Endpoint): string => `${addresses.join()} ${canonical(targetRef ?? {})}`;

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname && { hostname }),
    ...(nodeName && { nodeName }),
    ...(targetRef && { targetRef }),
  };
}

function sliceOf(owner: Endpoints, { addressType, ports, endpoints }: Mirrored) {
  const { name, namespace, labels, annotations } = owner.metadata;
  const kept = Object.entries(annotations ?? {}).filter(([key]) => !unmirroredAnnotations.has(key));
  const prefix = nameIsDnsSubdomain(`${name}-`, true).length === 0 ? `${name}-` : name;
  return {
    metadata: {
      namespace,
      generateName: prefix,
      labels: { ...labels, [serviceNameLabel]: name, [sliceManagedByLabel]: manager },
      annotations: Object.fromEntries(kept),
      ownerReferences: [controllerReference(Endpoints, owner)],
    },
    addressType,
    ports,
    endpoints: [...endpoints.values()],
  } satisfies New<EndpointSlice>;
}

type Wanted = ReturnType<typeof sliceOf>;

const isSame = (current: EndpointSlice, { metadata, ports, endpoints }: Wanted): boolean =>
  equalSemantically(current.endpoints, endpoints) &&
  equalSemantically(current.ports, ports) &&
  equalSemantically(current.metadata.labels, metadata.labels) &&
  equalSemantically(current.metadata.annotations ?? {}, metadata.annotations) &&
  equalSemantically(current.metadata.ownerReferences, metadata.ownerReferences);

const changed = (current: EndpointSlice, { metadata, ports, endpoints }: Wanted): EndpointSlice => ({
  ...current,
  metadata: { ...current.metadata, labels: metadata.labels, annotations: metadata.annotations, ownerReferences: metadata.ownerReferences },
  ports,
  endpoints,
});
