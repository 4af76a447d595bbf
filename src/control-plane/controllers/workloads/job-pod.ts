/**
 * What a Job's controller knows of its pods: their index, whether and when they ended, and how a new one is made. Pure.
 * Upstream: pkg/controller/job/{indexed_job_utils,backoff_utils}.go.
 */

import type { Container, ContainerStatus, PodTemplateSpec } from '../../../api/generated/core-v1.ts';
import { Job, type Pod } from '../../../api/generated/kinds.ts';
import { findCondition } from '../../../api/meta/conditions.ts';
import type { New } from '../../../api/meta/object.ts';
import { parseTime } from '../../../api/meta/time.ts';
import { own } from '../../../api/meta/words.ts';
import { isSidecar } from '../../../api/predicates/pod-resources.ts';
import { controllerReference } from '../owner.ts';
import { podFromTemplate } from '../pods/pod-control.ts';
import { matchFailurePolicy } from './job-policy.ts';

export const trackingFinalizer = 'batch.kubernetes.io/job-tracking';
export const indexAnnotation = 'batch.kubernetes.io/job-completion-index';
const failureCountAnnotation = 'batch.kubernetes.io/job-index-failure-count';
const ignoredFailureCountAnnotation = 'batch.kubernetes.io/job-index-ignored-failure-count';
const indexVariable = 'JOB_COMPLETION_INDEX';
/** of a generateName, so that the random part fits */
const prefixLengthMax = 58;

export const isIndexed = (job: Job): boolean => job.spec.completionMode === 'Indexed';
export const isTracked = (pod: Pod): boolean => pod.metadata.finalizers?.includes(trackingFinalizer) ?? false;

/** undefined: it has none */
export function indexOf(pod: Pod): number | undefined {
  const text = pod.metadata.annotations?.[indexAnnotation] ?? '';
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Replacements wait until a pod has wholly failed, and do not start while it is terminating. */
export const replacesFailedOnly = ({ spec }: Job): boolean => spec.podReplacementPolicy === 'Failed' || spec.podFailurePolicy !== undefined;

/** A pod that was deleted before it ended counts as failed, unless only wholly failed ones do. */
export function isPodFailed(pod: Pod, job: Job): boolean {
  if (pod.status?.phase === 'Failed') return true;
  return !replacesFailedOnly(job) && pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== 'Succeeded';
}

/** When it ended, as far as one can tell. */
export function finishedMs(pod: Pod): number {
  const sidecars = new Set(pod.spec.initContainers?.filter(isSidecar).map((c) => c.name));
  const statuses = [
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.initContainerStatuses ?? []).filter((c) => sidecars.has(c.name)),
  ];
  const ends = statuses.map((status) => parseTime(status.state?.terminated?.finishedAt ?? ''));
  if (ends.length > 0 && ends.every((end) => end !== undefined)) return Math.max(...ends);
  const ready = findCondition(pod.status?.conditions, 'Ready');
  const notReadyMs = ready?.status === 'False' ? parseTime(ready.lastTransitionTime ?? '') : undefined;
  if (notReadyMs !== undefined) return notReadyMs;
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = pod.metadata;
  const deletedMs = deletionTimestamp && parseTime(deletionTimestamp);
  return deletedMs ? deletedMs - deletionGracePeriodSeconds * 1000 : (parseTime(creationTimestamp) ?? 0);
}

/** How often containers of a running pod were restarted. */
export function restartsOf({ status }: Pod): number {
  const sum = (list: readonly ContainerStatus[] = []): number => list.reduce((all, { restartCount }) => all + restartCount, 0);
  return sum(status?.initContainerStatuses) + sum(status?.containerStatuses);
}

const countIn = (pod: Pod, annotation: string): number => Number(own(pod.metadata.annotations, annotation) ?? 0) || 0;
/** Failures of a pod's index before it that counted; with those that were ignored. */
export const indexFailures = (pod: Pod): number => countIn(pod, failureCountAnnotation);
export const allIndexFailures = (pod: Pod): number => indexFailures(pod) + countIn(pod, ignoredFailureCountAnnotation);

/** The next pod of a Job; of its index, in place of `replaced`, in an indexed one. */
export function makeJobPod(job: Job, index: number | undefined, replaced: Pod | undefined): New<Pod> {
  const reference = controllerReference(Job, job);
  const { metadata, spec } = job.spec.template;
  const finalizers = [...new Set([...(metadata?.finalizers ?? []), trackingFinalizer])];
  const template: PodTemplateSpec = { metadata: { ...metadata, finalizers }, ...(spec && { spec }) };
  if (index === undefined) return podFromTemplate(template, job, reference);
  const pod = podFromTemplate(template, job, reference);
  const name = job.metadata.name;
  const suffix = `-${index}-`;
  const marks = { [indexAnnotation]: String(index) };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      generateName: name.slice(0, prefixLengthMax - suffix.length) + suffix,
      labels: { ...pod.metadata.labels, ...marks },
      annotations: {
        ...pod.metadata.annotations,
        ...marks,
        ...(job.spec.backoffLimitPerIndex !== undefined && failureCounts(job, replaced)),
      },
    },
    spec: {
      ...pod.spec,
      hostname: `${name}-${index}`,
      containers: pod.spec.containers.map(withIndex),
      ...(pod.spec.initContainers && { initContainers: pod.spec.initContainers.map(withIndex) }),
    },
  };
}

function failureCounts(job: Job, replaced: Pod | undefined): Readonly<Record<string, string>> {
  if (!replaced) return { [failureCountAnnotation]: '0' };
  const counts = matchFailurePolicy(job.spec.podFailurePolicy, replaced).counts;
  const ignored = countIn(replaced, ignoredFailureCountAnnotation) + (counts ? 0 : 1);
  return {
    [failureCountAnnotation]: String(indexFailures(replaced) + (counts ? 1 : 0)),
    ...(ignored > 0 && { [ignoredFailureCountAnnotation]: String(ignored) }),
  };
}

function withIndex(container: Container): Container {
  if (container.env?.some(({ name }) => name === indexVariable)) return container;
  const fieldRef = { fieldPath: `metadata.labels['${indexAnnotation}']` };
  return { ...container, env: [...(container.env ?? []), { name: indexVariable, valueFrom: { fieldRef } }] };
}
