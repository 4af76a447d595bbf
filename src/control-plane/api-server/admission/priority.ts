/**
 * The priority of a pod: that of the class it names, or of the default class, or 0. At most one class is the default.
 * Upstream: plugin/pkg/admission/priority/admission.go.
 */

import { Pod, PriorityClass } from '../../../api/generated/kinds.ts';
import { isKind } from '../../../api/meta/object.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { AdmissionRequest } from '../request/request.ts';
import { refused } from './forbidden.ts';
import type { AdmissionPlugin } from './plugin.ts';

export function priority(reader: ObjectReader): AdmissionPlugin {
  let known: { readonly revision: number; readonly byDefault: PriorityClass | undefined } | undefined;
  const defaultClass = (): PriorityClass | undefined => {
    const revision = reader.revision(PriorityClass);
    if (known?.revision !== revision) known = { revision, byDefault: findDefault(reader) };
    return known.byDefault;
  };
  return {
    name: 'Priority',
    handles: (kind, operation, subresource) =>
      !subresource && (operation === 'CREATE' || operation === 'UPDATE') && (isKind(kind, Pod) || kind.resource === PriorityClass.resource),
    admit(request) {
      if (!isKind(request.kind, Pod)) return undefined;
      const pod = request.object as Pod;
      if (request.oldObject) return keepPriority(pod, request.oldObject as Pod);
      return withPriority(request, pod, chosenClass(reader, request, defaultClass));
    },
    validate(request) {
      if (isKind(request.kind, Pod)) return;
      const chosen = request.object as PriorityClass;
      const other = chosen.globalDefault ? defaultClass() : undefined;
      if (!other || (request.oldObject && other.metadata.name === chosen.metadata.name)) return;
      throw refused(request, `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`);
    },
  };
}

/** Of several (a race made them) the one with the lowest value. */
function findDefault(reader: ObjectReader): PriorityClass | undefined {
  let found: PriorityClass | undefined;
  for (const each of reader.list(PriorityClass)) if (each.globalDefault && (!found || (found.value ?? 0) > (each.value ?? 0))) found = each;
  return found;
}

function chosenClass(
  reader: ObjectReader,
  request: AdmissionRequest,
  defaultClass: () => PriorityClass | undefined,
): PriorityClass | undefined {
  const name = (request.object as Pod).spec.priorityClassName;
  if (!name) return defaultClass();
  const found = reader.get(PriorityClass, { name });
  if (!found) throw refused(request, `no PriorityClass with name ${name} was found`);
  return found;
}

function withPriority(request: AdmissionRequest, pod: Pod, chosen: PriorityClass | undefined): Pod {
  const { spec } = pod;
  const value = chosen?.value ?? 0;
  const preemptionPolicy = chosen ? chosen.preemptionPolicy : 'PreemptLowerPriority';
  const computed = 'must not be provided in pod spec; priority admission controller computed';
  if (spec.priority !== undefined && spec.priority !== value)
    throw refused(request, `the integer value of priority (${spec.priority}) ${computed} ${value} from the given PriorityClass name`);
  if (preemptionPolicy && spec.preemptionPolicy && spec.preemptionPolicy !== preemptionPolicy) {
    const given = `the string value of PreemptionPolicy (${spec.preemptionPolicy})`;
    throw refused(request, `${given} ${computed} ${preemptionPolicy} from the given PriorityClass name`);
  }
  return {
    ...pod,
    spec: {
      ...spec,
      ...(chosen && { priorityClassName: chosen.metadata.name }),
      priority: value,
      ...(preemptionPolicy && { preemptionPolicy }),
    },
  } as Pod;
}

/** Clients that send a pod without what was filled in do not mean to change it. */
function keepPriority(pod: Pod, old: Pod): Pod | undefined {
  const { priority: oldPriority, preemptionPolicy: oldPolicy } = old.spec;
  const keepsPriority = pod.spec.priority === undefined && oldPriority !== undefined;
  const keepsPolicy = pod.spec.preemptionPolicy === undefined && oldPolicy !== undefined;
  if (!keepsPriority && !keepsPolicy) return undefined;
  const kept = { ...(keepsPriority && { priority: oldPriority }), ...(keepsPolicy && { preemptionPolicy: oldPolicy }) };
  return { ...pod, spec: { ...pod.spec, ...kept } } as Pod;
}
