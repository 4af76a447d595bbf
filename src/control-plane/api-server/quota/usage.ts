/**
 * What one object uses of a quota, by the names that ResourceQuotas know; and which quotas look at it (scopes).
 * Pure: the same object gives the same usage.
 * What it does not do: devices asked for as extended resources; a pod that is stuck in deletion counts until it is gone.
 * Upstream: pkg/quota/v1/evaluator/core.
 */
import type { ResourceQuotaSpec, ScopedResourceSelectorRequirement } from '../../../api/generated/core-v1.ts';
import {
  ConfigMap,
  PersistentVolumeClaim,
  Pod,
  ReplicationController,
  ResourceClaim,
  ResourceQuota,
  Secret,
  Service,
} from '../../../api/generated/kinds.ts';
import { computeQOS } from '../../../api/kinds/core/qos.ts';
import { isKind, type KubeObject } from '../../../api/meta/object.ts';
import { compareQuantities } from '../../../api/meta/quantity.ts';
import { own, put } from '../../../api/meta/words.ts';
import { podResources, type ResourceList } from '../../../api/predicates/pod-resources.ts';
import { isTerminalPhase } from '../../../api/predicates/pod-state.ts';

type Resource = { readonly group: string; readonly resource: string };

const simpleNames = new Set([ConfigMap, ReplicationController, ResourceQuota, Secret].map((kind) => kind.resource));
const storageClassSuffix = '.storageclass.storage.k8s.io/';
const deviceClassSuffix = '.deviceclass.resource.k8s.io/devices';
/** What a request for all devices of a class counts as: more are never allocated to one claim. */
const devicesOfClaimMax = 32;

export const resourceName = ({ group, resource }: Resource): string => (group ? `${resource}.${group}` : resource);

export function quotaUsageOf(kind: Resource, object: KubeObject): ResourceList {
  const counted = { [`count/${resourceName(kind)}`]: '1' };
  if (isKind(kind, ResourceClaim)) return { ...counted, ...deviceUsage(object as ResourceClaim) };
  if (kind.group !== '') return counted;
  if (kind.resource === Pod.resource) return { ...counted, ...podUsage(object as Pod) };
  if (kind.resource === Service.resource) return { ...counted, ...serviceUsage(object as Service) };
  if (kind.resource === PersistentVolumeClaim.resource) return { ...counted, ...claimUsage(object as PersistentVolumeClaim) };
  return simpleNames.has(kind.resource) ? { ...counted, [kind.resource]: '1' } : counted;
}

/** The resource whose objects use this name; undefined for names that nothing here uses. */
export function resourceOfName(name: string): string | undefined {
  if (name.startsWith('count/')) return name.slice('count/'.length);
  if (name === 'services' || name.startsWith('services.')) return Service.resource;
  if (name === 'persistentvolumeclaims' || name === 'requests.storage' || name.includes(storageClassSuffix))
    return PersistentVolumeClaim.resource;
  if (name.endsWith(deviceClassSuffix)) return resourceName(ResourceClaim);
  if (simpleNames.has(name)) return name;
  return isPodName(name) ? Pod.resource : undefined;
}

const isPodName = (name: string): boolean =>
  /^(pods|cpu|memory|ephemeral-storage)$/.test(name) || /^(requests|limits)\./.test(name) || name.startsWith('hugepages-');

const isNative = (name: string): boolean => !name.includes('/') || name.split('/')[0]?.endsWith('kubernetes.io') === true;

/** What requests and limits count as. */
export function computeUsage(requests: ResourceList, limits: ResourceList): ResourceList {
  const usage: Record<string, string> = {};
  for (const name of ['cpu', 'memory', 'ephemeral-storage']) {
    const [request, limit] = [own(requests, name), own(limits, name)];
    if (request !== undefined) {
      put(usage, name, request);
      usage[`requests.${name}`] = request;
    }
    if (limit !== undefined) usage[`limits.${name}`] = limit;
  }
  for (const [name, request] of Object.entries(requests)) {
    if (name.startsWith('hugepages-')) put(usage, name, request);
    if (name.startsWith('hugepages-') || !isNative(name)) usage[`requests.${name}`] = request;
  }
  return usage;
}

function podUsage({ spec, status }: Pod): ResourceList {
  if (isTerminalPhase(status.phase)) return {};
  const of = (what: 'requests' | 'limits'): ResourceList => podResources(spec, what, { withOverhead: true });
  return { pods: '1', ...computeUsage(of('requests'), of('limits')) };
}

function serviceUsage({ spec }: Service): ResourceList {
  const ports = spec.ports ?? [];
  const isBalanced = spec.type === 'LoadBalancer';
  const onlyAsked = isBalanced && spec.allocateLoadBalancerNodePorts === false;
  const nodePorts = spec.type === 'NodePort' || isBalanced ? ports.filter((port) => !onlyAsked || port.nodePort).length : 0;
  return { services: '1', 'services.nodeports': `${nodePorts}`, 'services.loadbalancers': isBalanced ? '1' : '0' };
}

function claimUsage({ metadata, spec, status }: PersistentVolumeClaim): ResourceList {
  const storageClass = metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName ?? '';
  const asked = spec?.resources?.requests?.['storage'];
  const allocated = status?.allocatedResources?.['storage'];
  const storage = asked !== undefined && allocated !== undefined && compareQuantities(allocated, asked) > 0 ? allocated : asked;
  const both = (name: string, value: string): ResourceList => ({
    [name]: value,
    ...(storageClass && { [`${storageClass}${storageClassSuffix}${name}`]: value }),
  });
  return { ...both('persistentvolumeclaims', '1'), ...(storage !== undefined && both('requests.storage', storage)) };
}

/** The most devices of each class that the claim may get. */
function deviceUsage({ spec }: ResourceClaim): ResourceList {
  const devices = new Map<string, number>();
  for (const { exactly, firstAvailable = [] } of spec.devices?.requests ?? []) {
    const alternatives = Map.groupBy(exactly ? [exactly] : firstAvailable, ({ deviceClassName }) => deviceClassName);
    for (const [name, requests] of alternatives) {
      const most = Math.max(...requests.map(({ allocationMode, count = 1 }) => (allocationMode === 'All' ? devicesOfClaimMax : count)));
      devices.set(name, (devices.get(name) ?? 0) + most);
    }
  }
  return Object.fromEntries([...devices].map(([name, count]) => [name + deviceClassSuffix, `${count}`]));
}

/** Whether the quota counts this object at all. */
export function isInScope(spec: ResourceQuotaSpec, kind: Resource, object: KubeObject): boolean {
  const scopes: readonly ScopedResourceSelectorRequirement[] = [
    ...(spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' as const })),
    ...(spec.scopeSelector?.matchExpressions ?? []),
  ];
  if (scopes.length === 0) return true;
  if (kind.group !== '') return false;
  if (kind.resource === Pod.resource) return scopes.every((scope) => podMatches(scope, object as Pod));
  if (kind.resource === PersistentVolumeClaim.resource)
    return scopes.every((scope) => claimMatches(scope, object as PersistentVolumeClaim));
  return false;
}

export const isTerminatingPod = ({ spec }: Pod): boolean => (spec.activeDeadlineSeconds ?? -1) >= 0;

function podMatches(scope: ScopedResourceSelectorRequirement, pod: Pod): boolean {
  switch (scope.scopeName) {
    case 'Terminating':
      return isTerminatingPod(pod);
    case 'NotTerminating':
      return !isTerminatingPod(pod);
    case 'BestEffort':
      return computeQOS(pod.spec) === 'BestEffort';
    case 'NotBestEffort':
      return computeQOS(pod.spec) !== 'BestEffort';
    case 'PriorityClass':
      return valuesMatch(scope, pod.spec.priorityClassName ? [pod.spec.priorityClassName] : []);
    case 'CrossNamespacePodAffinity':
      return crossesNamespaces(pod);
    case 'VolumeAttributesClass':
      return false;
  }
}

function claimMatches(scope: ScopedResourceSelectorRequirement, { spec, status }: PersistentVolumeClaim): boolean {
  if (scope.scopeName !== 'VolumeAttributesClass') return false;
  const names = [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ];
  return valuesMatch(scope, names.filter((name) => name !== undefined && name !== '') as string[]);
}

function valuesMatch({ operator, values = [] }: ScopedResourceSelectorRequirement, names: readonly string[]): boolean {
  switch (operator) {
    case 'Exists':
      return names.length > 0;
    case 'DoesNotExist':
      return names.length === 0;
    case 'In':
      return names.some((name) => values.includes(name));
    case 'NotIn':
      return names.length === 0 || names.some((name) => !values.includes(name));
  }
}

function crossesNamespaces({ spec }: Pod): boolean {
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
  const terms = [podAffinity, podAntiAffinity].flatMap((affinity) => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((each) => each.podAffinityTerm),
  ]);
  return terms.some((term) => term.namespaces?.length || term.namespaceSelector !== undefined);
}
