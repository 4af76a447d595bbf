/**
 * LimitRanges of a namespace: containers get their default requests and limits, and pods, containers and claims stay
 * within minimum, maximum and the greatest ratio of limit to request.
 * Upstream: plugin/pkg/admission/limitranger/admission.go.
 */

import type { Container, PodSpec } from '../../../api/generated/core-v1.ts';
import { LimitRange, PersistentVolumeClaim, Pod } from '../../../api/generated/kinds.ts';
import { own } from '../../../api/meta/words.ts';
import { podResources, type ResourceList } from '../../../api/predicates/pod-resources.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { AdmissionRequest } from '../request/request.ts';
import { refused } from './forbidden.ts';
import { type Constrained, constraintProblems, requestProblems } from './limit-constraint.ts';
import type { AdmissionPlugin } from './plugin.ts';

const annotation = 'kubernetes.io/limit-ranger';

export const limitRanger = (reader: ObjectReader): AdmissionPlugin => ({
  name: 'LimitRanger',
  handles(kind, operation, subresource) {
    if (kind.group !== '') return false;
    if (kind.resource === Pod.resource) return subresource === 'resize' ? operation === 'UPDATE' : !subresource && operation === 'CREATE';
    return kind.resource === PersistentVolumeClaim.resource && !subresource && (operation === 'CREATE' || operation === 'UPDATE');
  },
  admit(request) {
    if (request.kind.resource !== Pod.resource) return undefined;
    let pod = request.object as Pod;
    for (const range of rangesFor(reader, request)) pod = withDefaults(pod, range);
    return pod;
  },
  validate(request) {
    for (const range of rangesFor(reader, request)) {
      const isPod = request.kind.resource === Pod.resource;
      const problems = isPod
        ? podProblems(range, (request.object as Pod).spec)
        : claimProblems(range, request.object as PersistentVolumeClaim);
      if (problems.length > 0) throw refused(request, describe(problems));
    }
  },
});

function* rangesFor(reader: ObjectReader, request: AdmissionRequest): Iterable<LimitRange> {
  if (!request.oldObject?.metadata.deletionTimestamp) yield* reader.list(LimitRange, request.namespace);
}

const describe = (problems: readonly string[]): string => {
  const unique = [...new Set(problems)];
  return unique.length === 1 ? (unique[0] ?? '') : `[${unique.join(', ')}]`;
};

interface Defaults {
  readonly requests: ResourceList;
  readonly limits: ResourceList;
}

function withDefaults(pod: Pod, range: LimitRange): Pod {
  const limits = range.spec?.limits?.filter(({ type }) => type === 'Container') ?? [];
  const defaults: Defaults = {
    requests: Object.assign({}, ...limits.map((limit) => limit.defaultRequest)),
    limits: Object.assign({}, ...limits.map((limit) => limit.default)),
  };
  const set: string[] = [];
  const containers = pod.spec.containers.map((each) => fill(each, { defaults, kind: 'container', set }));
  const initContainers = pod.spec.initContainers?.map((each) => fill(each, { defaults, kind: 'init container', set }));
  if (set.length === 0) return pod;
  const annotations = { ...pod.metadata.annotations, [annotation]: `LimitRanger plugin set: ${set.join('; ')}` };
  const spec: PodSpec = { ...pod.spec, containers, ...(initContainers && { initContainers }) };
  return { ...pod, metadata: { ...pod.metadata, annotations }, spec } as Pod;
}

/** Adds to `set` what it filled in, in words. */
function fill(container: Container, { defaults, kind, set }: { defaults: Defaults; kind: string; set: string[] }): Container {
  const missing = (what: 'requests' | 'limits'): string[] =>
    Object.keys(defaults[what]).filter((name) => own(container.resources?.[what], name) === undefined);
  const [requests, limits] = [missing('requests'), missing('limits')];
  if (requests.length > 0) set.push(`${requests.sort().join(', ')} request for ${kind} ${container.name}`);
  if (limits.length > 0) set.push(`${limits.sort().join(', ')} limit for ${kind} ${container.name}`);
  if (requests.length === 0 && limits.length === 0) return container;
  const merged = (what: 'requests' | 'limits'): ResourceList => ({ ...defaults[what], ...container.resources?.[what] });
  return { ...container, resources: { ...container.resources, limits: merged('limits'), requests: merged('requests') } };
}

function podProblems(range: LimitRange, spec: PodSpec): readonly string[] {
  return (range.spec?.limits ?? []).flatMap((limit) => {
    if (limit.type === 'Container') {
      return [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) =>
        constraintProblems(limit, { requests: resources?.requests ?? {}, limits: resources?.limits ?? {} }),
      );
    }
    if (limit.type !== 'Pod') return [];
    const total: Constrained = {
      requests: podResources(spec, 'requests', { withOverhead: false }),
      limits: podResources(spec, 'limits', { withOverhead: false }),
    };
    return constraintProblems(limit, total);
  });
}

const claimProblems = (range: LimitRange, claim: PersistentVolumeClaim): readonly string[] =>
  (range.spec?.limits ?? [])
    .filter(({ type }) => type === 'PersistentVolumeClaim')
    .flatMap((limit) => requestProblems(limit, claim.spec?.resources?.requests ?? {}));
