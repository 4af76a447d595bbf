/**
 * The Pod Security Standards, by namespace labels: `enforce` refuses pods, `warn` tells who creates pods or workloads,
 * `audit` tells the audit log; a namespace that becomes stricter is told which of its pods would not be let in again. Nothing is exempt.
 * What it does not do: the annotations that said seccomp profiles before 1.19.
 * Upstream: pod-security-admission/admission/admission.go.
 */

import type { PodSpec } from '../../../api/generated/core-v1.ts';
import { Namespace, Pod } from '../../../api/generated/kinds.ts';
import type { ObjectMeta } from '../../../api/generated/meta-v1.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import { isKind, type KubeObject } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import { allContainers } from '../../../api/predicates/pod-references.ts';
import { templateGetter } from '../../../api/predicates/pod-template.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { AdmissionRequest } from '../request/request.ts';
import { refused } from './forbidden.ts';
import type { AdmissionPlugin } from './plugin.ts';
import { describeReasons, describeViolations, violations } from './pod-security/evaluate.ts';
import { compareLevels, describeLevel, type LevelVersion, policyOf, sameLevel } from './pod-security/level.ts';

const annotationPrefix = 'pod-security.kubernetes.io/';
const podsCheckedMax = 3000;

export const podSecurity = (reader: ObjectReader): AdmissionPlugin => ({
  name: 'PodSecurity',
  handles(kind, operation, subresource) {
    if (operation !== 'CREATE' && operation !== 'UPDATE') return false;
    if (isKind(kind, Pod)) return !subresource || subresource === 'ephemeralcontainers' || subresource === 'resize';
    return !subresource && (isKind(kind, Namespace) || templateGetter(kind) !== undefined);
  },
  validate(request) {
    const { kind } = request;
    if (isKind(kind, Namespace)) return checkNamespace(reader, request);
    const policy = policyOf(reader.get(Namespace, { name: request.namespace ?? '' })?.metadata.labels);
    const { enforce: enforced, audit: audited, warn: warned } = policy;
    if (isKind(kind, Pod)) {
      const pod = request.object as Pod;
      if (request.oldObject && !changesImages(pod.spec, (request.oldObject as Pod).spec)) return;
      request.annotate(`${annotationPrefix}enforce-policy`, describeLevel(enforced));
      audit(request, audited, pod);
      enforce(request, enforced, pod);
      warn(request, warned, pod);
      return;
    }
    const template = templateGetter(kind)?.(request.object as KubeObject);
    if (!template?.spec) return;
    const checked = { metadata: template.metadata ?? {}, spec: template.spec };
    audit(request, audited, checked);
    warn(request, warned, checked);
  },
});

type Checked = { readonly metadata: ObjectMeta; readonly spec: PodSpec };

function enforce(request: AdmissionRequest, level: LevelVersion, pod: Checked): void {
  const found = violations(level, pod);
  if (found.length > 0) throw refused(request, `violates PodSecurity "${describeLevel(level)}": ${describeViolations(found)}`);
}

function warn(request: AdmissionRequest, level: LevelVersion, pod: Checked): void {
  const problem = wouldViolate(level, pod);
  if (problem) request.warn(problem);
}

function audit(request: AdmissionRequest, level: LevelVersion, pod: Checked): void {
  const problem = wouldViolate(level, pod);
  if (problem) request.annotate(`${annotationPrefix}audit-violations`, problem);
}

function wouldViolate(level: LevelVersion, pod: Checked): string | undefined {
  const found = violations(level, pod);
  return found.length > 0 ? `would violate PodSecurity "${describeLevel(level)}": ${describeViolations(found)}` : undefined;
}

function changesImages(spec: PodSpec, old: PodSpec): boolean {
  if (spec.containers.length !== old.containers.length || (spec.initContainers ?? []).length !== (old.initContainers ?? []).length)
    return true;
  const images = new Map(allContainers(old).map(({ name, image }) => [name, image]));
  return allContainers(spec).some(({ name, image }) => !images.has(name) || images.get(name) !== image);
}

function checkNamespace(reader: ObjectReader, request: AdmissionRequest): void {
  const { metadata } = request.object as Namespace;
  const old = request.oldObject?.metadata;
  const [policy, oldPolicy] = [policyOf(metadata.labels), policyOf(old?.labels)];
  if (policy.problems.length > 0 && (!old || !equalJson(policy.problems, oldPolicy.problems)))
    throw errors.invalid(Namespace, metadata.name, policy.problems);
  const { enforce: level } = policy;
  if (!old || sameLevel(level, oldPolicy.enforce) || level.level === 'privileged') return;
  if (level.minor === oldPolicy.enforce.minor && compareLevels(level.level, oldPolicy.enforce.level) < 1) return;
  for (const text of existingWarnings(reader, metadata.name, level)) request.warn(text);
}

/** One line per kind of violation, with the first pod that has it. */
function existingWarnings(reader: ObjectReader, namespace: string, level: LevelVersion): readonly string[] {
  const byReason = new Map<string, string[]>();
  const pods = [...reader.list(Pod, namespace)];
  for (const pod of pods.slice(0, podsCheckedMax)) {
    const found = violations(level, pod);
    if (found.length > 0) byReason.set(describeReasons(found), [...(byReason.get(describeReasons(found)) ?? []), pod.metadata.name]);
  }
  const lines = [...byReason].map(([reason, names]) => `${names.sort()[0] ?? ''}${describeOthers(names.length - 1)}: ${reason}`);
  return [
    ...(pods.length > podsCheckedMax
      ? [`new PodSecurity enforce level only checked against the first ${podsCheckedMax} of ${pods.length} existing pods`]
      : []),
    ...(lines.length > 0
      ? [`existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${describeLevel(level)}"`]
      : []),
    ...lines.sort(),
  ];
}

const describeOthers = (count: number): string => (count === 0 ? '' : count === 1 ? ' (and 1 other pod)' : ` (and ${count} other pods)`);
