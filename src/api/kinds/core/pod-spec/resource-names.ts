/**
 * What resources may be called, where: cpu and memory, huge pages, extended resources of devices, quota names.
 * Upstream: pkg/apis/core/helper/helpers.go.
 */
import { checkQualifiedName, subdomainLengthMax } from '../../../meta/names.ts';

const containerResources = new Set(['cpu', 'memory', 'ephemeral-storage']);
const standardResources = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'storage',
  'requests.storage',
  'services.nodeports',
  'services.loadbalancers',
]);
const quotaResources = new Set([...standardResources].filter((name) => name !== 'storage'));
const integerResources = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]);

export const isHugePages = (name: string): boolean => name.startsWith('hugepages-');
const isQuotaHugePages = (name: string): boolean => isHugePages(name) || name.startsWith('requests.hugepages-');

/** Unprefixed, or of kubernetes.io. */
export const isNativeResource = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');

export const isStandardResource = (name: string): boolean => standardResources.has(name) || isQuotaHugePages(name);
export const isStandardContainerResource = (name: string): boolean => containerResources.has(name) || isHugePages(name);
export const isStandardQuotaResource = (name: string): boolean => quotaResources.has(name) || isQuotaHugePages(name);

/** A resource of a device plugin or other vendor: qualified, outside kubernetes.io, and still a name with `requests.` before it. */
export const isExtendedResource = (name: string): boolean => isExtendedName(name) && checkQualifiedName(name).length === 0;

/** The same of what is known to be qualified. */
export const isExtendedName = (name: string): boolean =>
  !isNativeResource(name) && !name.startsWith(quotaPrefix) && name.indexOf('/') <= subdomainLengthMax - quotaPrefix.length;

/** What is put before a resource's name in a quota. */
const quotaPrefix = 'requests.';

export const isIntegerResource = (name: string): boolean => integerResources.has(name) || isExtendedResource(name);

export const isOvercommitAllowed = (name: string): boolean => isNativeResource(name) && !isHugePages(name);
