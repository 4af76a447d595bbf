/**
 * What a pod asks for in all: its containers together, or the most that its init containers need at one time; sidecars
 * (restartable init containers) count with both. What is said for the pod as a whole comes before its containers.
 * Upstream: component-helpers/resource/helpers.go, plugin/pkg/admission/limitranger/admission.go.
 */
import type { Container, PodSpec } from '../generated/core-v1.ts';
import { addQuantities, compareQuantities } from '../meta/quantity.ts';
import { own, put } from '../meta/words.ts';

export type ResourceList = Readonly<Record<string, string>>;

/** An init container that keeps running beside the others. */
export const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always';

export function podResources(spec: PodSpec, what: 'requests' | 'limits', { withOverhead }: { withOverhead: boolean }): ResourceList {
  const of = (container: Container): ResourceList => container.resources?.[what] ?? {};
  let total = spec.containers.reduce((sum, container) => addResources(sum, of(container)), {} as ResourceList);
  let sidecars: ResourceList = {};
  let initPeak: ResourceList = {};
  for (const container of spec.initContainers ?? []) {
    if (isSidecar(container)) total = addResources(total, of(container));
    const current = addResources(sidecars, of(container));
    if (isSidecar(container)) sidecars = current;
    initPeak = maxResources(initPeak, current);
  }
  total = { ...maxResources(total, initPeak), ...podLevel(spec.resources?.[what]) };
  return withOverhead && spec.overhead ? addOverhead(total, spec.overhead, what) : total;
}

/** What can be asked for by the pod as a whole. */
export const isPodLevel = (name: string): boolean => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');
const podLevel = (list: ResourceList | undefined): ResourceList =>
  Object.fromEntries(Object.entries(list ?? {}).filter(([name]) => isPodLevel(name)));

/** Overhead adds to limits only where there is one. */
function addOverhead(total: ResourceList, overhead: ResourceList, what: 'requests' | 'limits'): ResourceList {
  if (what === 'requests') return addResources(total, overhead);
  return addResources(total, Object.fromEntries(Object.entries(overhead).filter(([name]) => own(total, name) !== undefined)));
}

function addResources(a: ResourceList, b: ResourceList): ResourceList {
  const sum: Record<string, string> = { ...a };
  for (const [name, value] of Object.entries(b)) put(sum, name, addQuantities(own(sum, name) ?? '0', value));
  return sum;
}

function maxResources(a: ResourceList, b: ResourceList): ResourceList {
  const max: Record<string, string> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const before = own(max, name);
    if (before === undefined || compareQuantities(value, before) > 0) put(max, name, value);
  }
  return max;
}
