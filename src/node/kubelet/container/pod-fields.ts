/**
 * What the downward API can tell: fields of the pod, and resources of its containers. Pure.
 * Upstream: pkg/fieldpath/fieldpath.go, pkg/api/v1/resource/helpers.go, pkg/kubelet/kubelet_resources.go.
 */

import type { Container, ObjectFieldSelector, Pod, ResourceFieldSelector } from '../../../api/generated/core-v1.ts';
import { quantityMilliValue, quantityValue } from '../../../api/meta/quantity.ts';
import { own } from '../../../api/meta/words.ts';
import { sortIPs } from '../status/pod-status.ts';

export interface FieldContext {
  readonly pod: Pod;
  readonly podIPs: readonly string[];
  readonly hostIPs: readonly string[];
}

/** Throws in upstream's wording for a path that is not known. */
export function podFieldValue(selector: Pick<ObjectFieldSelector, 'fieldPath'>, { pod, podIPs, hostIPs }: FieldContext): string {
  const { metadata, spec } = pod;
  const ips = sortIPs(podIPs, hostIPs);
  const path = selector.fieldPath;
  switch (path) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace;
    case 'metadata.uid':
      return metadata.uid;
    case 'metadata.labels':
      return formatMap(metadata.labels);
    case 'metadata.annotations':
      return formatMap(metadata.annotations);
    case 'spec.nodeName':
      return spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? '';
    case 'status.hostIP':
      return hostIPs[0] ?? '';
    case 'status.hostIPs':
      return hostIPs.join(',');
    case 'status.podIP':
      return ips[0] ?? '';
    case 'status.podIPs':
      return ips.join(',');
  }
  const match = /^metadata\.(labels|annotations)\['([^']*)'\]$/.exec(path);
  if (match) return own(metadata[match[1] === 'labels' ? 'labels' : 'annotations'], match[2] ?? '') ?? '';
  throw new Error(`unsupported fieldPath: ${path}`);
}

/** `key="value"` a line, sorted. */
function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}

/**
 * `allocatable` stands in where a container has no limit. Throws in upstream's wording for an unknown resource or
 * container.
 */
export function containerResourceValue(
  selector: ResourceFieldSelector,
  at: { readonly pod: Pod; readonly container: Container; readonly allocatable: Readonly<Record<string, string>> },
): string {
  const { pod } = at;
  const named = selector.containerName;
  const container = named ? [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((c) => c.name === named) : at.container;
  if (!container) throw new Error(`container ${named} not found`);
  const [list, ...rest] = selector.resource.split('.');
  const resource = rest.join('.');
  const divisor = selector.divisor && selector.divisor !== '0' ? selector.divisor : '1';
  const known = ['cpu', 'memory', 'ephemeral-storage'].includes(resource) || resource.startsWith('hugepages-');
  if (!known || (list !== 'limits' && list !== 'requests')) throw new Error(`unsupported container resource : ${selector.resource}`);
  const given = own(container.resources?.[list], resource);
  const fallback = list === 'limits' ? (own(pod.spec.resources?.limits, resource) ?? own(at.allocatable, resource)) : undefined;
  const amount = given ?? fallback ?? '0';
  const value =
    resource === 'cpu' ? quantityMilliValue(amount) / quantityMilliValue(divisor) : quantityValue(amount) / quantityValue(divisor);
  return String(Math.ceil(value));
}
