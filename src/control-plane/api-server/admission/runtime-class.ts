/**
 * What a pod's runtime class adds: its overhead, node selector and tolerations.
 * Upstream: plugin/pkg/admission/runtimeclass/admission.go.
 */

import { Pod, RuntimeClass } from '../../../api/generated/kinds.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import { isKind } from '../../../api/meta/object.ts';
import { compareQuantities } from '../../../api/meta/quantity.ts';
import { own } from '../../../api/meta/words.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { AdmissionRequest } from '../request/request.ts';
import { refused } from './forbidden.ts';
import type { AdmissionPlugin } from './plugin.ts';

type Resources = Readonly<Record<string, string>>;

export const runtimeClassPlugin = (reader: ObjectReader): AdmissionPlugin => ({
  name: 'RuntimeClass',
  handles: (kind, operation, subresource) => isKind(kind, Pod) && operation === 'CREATE' && !subresource,
  admit(request) {
    const pod = request.object as Pod;
    const chosen = classOf(reader, request, pod);
    if (!chosen) return undefined;
    return { ...pod, spec: { ...pod.spec, ...overhead(request, pod, chosen), ...scheduling(request, pod, chosen) } } as Pod;
  },
  validate(request) {
    const pod = request.object as Pod;
    const fixed = classOf(reader, request, pod)?.overhead?.podFixed;
    if (fixed && !equalResources(fixed, pod.spec.overhead))
      throw refused(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
    if (!fixed && pod.spec.overhead)
      throw refused(request, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
  },
});

function classOf(reader: ObjectReader, request: AdmissionRequest, pod: Pod): RuntimeClass | undefined {
  const name = pod.spec.runtimeClassName;
  if (name === undefined) return undefined;
  const found = reader.get(RuntimeClass, { name });
  if (!found) throw refused(request, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
  return found;
}

function overhead(request: AdmissionRequest, pod: Pod, chosen: RuntimeClass): Partial<Pod['spec']> {
  const fixed = chosen.overhead?.podFixed;
  if (!fixed) return {};
  if (Object.keys(pod.spec.overhead ?? {}).length > 0 && !equalResources(fixed, pod.spec.overhead))
    throw refused(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
  return { overhead: fixed };
}

function equalResources(a: Resources, b: Resources | undefined): boolean {
  const keys = Object.keys(a);
  if (!b || keys.length !== Object.keys(b).length) return false;
  return Object.entries(a).every(([key, amount]) => {
    const other = own(b, key);
    return other !== undefined && compareQuantities(amount, other) === 0;
  });
}

function scheduling(request: AdmissionRequest, pod: Pod, { scheduling: rules }: RuntimeClass): Partial<Pod['spec']> {
  if (!rules) return {};
  const { nodeSelector = {}, tolerations = [] } = rules;
  for (const [key, value] of Object.entries(nodeSelector)) {
    const given = own(pod.spec.nodeSelector, key);
    if (given === undefined || given === value) continue;
    const ofClass = `runtimeClass.scheduling.nodeSelector[${key}] = ${value}`;
    throw refused(request, `conflict: ${ofClass}; pod.spec.nodeSelector[${key}] = ${given}`);
  }
  const known = pod.spec.tolerations ?? [];
  const added = tolerations.filter((each) => !known.some((other) => equalSemantically(other, each)));
  return {
    ...(rules.nodeSelector && { nodeSelector: { ...pod.spec.nodeSelector, ...nodeSelector } }),
    ...(added.length > 0 && { tolerations: [...known, ...added] }),
  };
}
