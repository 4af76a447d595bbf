/**
 * How a Deployment's revisions are kept: each template has a ReplicaSet, numbered by annotations, named by the
 * template's hash. `kubectl rollout history` and `undo` read what is written here.
 * Upstream: pkg/controller/deployment/util/deployment_util.go.
 */
import type { PodTemplateSpec } from '../../../api/generated/core-v1.ts';
import { Deployment, type ReplicaSet } from '../../../api/generated/kinds.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import type { New } from '../../../api/meta/object.ts';
import { byCreation } from '../../../api/meta/order.ts';
import { own, put } from '../../../api/meta/words.ts';
import { controllerReference } from '../owner.ts';
import { hashOf } from '../template-hash.ts';

const hashLabel = 'pod-template-hash';
export const revisionAnnotation = 'deployment.kubernetes.io/revision';
const historyAnnotation = 'deployment.kubernetes.io/revision-history';
const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas';
const maxAnnotation = 'deployment.kubernetes.io/max-replicas';
const historyLengthMax = 2000;

/** Annotations of a Deployment that its ReplicaSets don't get. */
const ownAnnotations = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
]);

export type Annotations = Readonly<Record<string, string>>;

/** An int64, as other tools number revisions. 0: none, or not a number */
export const revisionNumberOf = (object: { readonly metadata: { readonly annotations?: Annotations } }): bigint =>
  parseRevision(object.metadata.annotations?.[revisionAnnotation]);

const parseRevision = (text = ''): bigint => (/^\d{1,19}$/.test(text) ? BigInt(text) : 0n);

/** The one after the highest of these. */
export function nextRevision(sets: readonly ReplicaSet[]): bigint {
  let highest = 0n;
  for (const revision of sets.map(revisionNumberOf)) if (revision > highest) highest = revision;
  return highest + 1n;
}

export const byRevisionNumber = (a: ReplicaSet, b: ReplicaSet): number =>
  Number(revisionNumberOf(a) - revisionNumberOf(b)) || byCreation(a, b);

/** For how many replicas of the Deployment a ReplicaSet was last sized. */
export const desiredReplicasOf = (annotations: Annotations | undefined): number | undefined => countIn(annotations, desiredAnnotation);
export const maxReplicasOf = (annotations: Annotations | undefined): number | undefined => countIn(annotations, maxAnnotation);

function countIn(annotations: Annotations | undefined, name: string): number | undefined {
  const text = own(annotations, name);
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

export const withReplicas = (annotations: Annotations, desired: number, max: number): Annotations => ({
  ...annotations,
  [desiredAnnotation]: String(desired),
  [maxAnnotation]: String(max),
});

/** The annotations that the newest ReplicaSet should have: the Deployment's, its revision, and the revisions it was before. */
export function newestAnnotations(deployment: Deployment, current: Annotations | undefined, revision: bigint): Annotations {
  const annotations: Record<string, string> = { ...current };
  for (const [name, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!ownAnnotations.has(name)) put(annotations, name, value);
  }
  const before = current?.[revisionAnnotation];
  if (parseRevision(before) >= revision) return annotations;
  annotations[revisionAnnotation] = String(revision);
  if (before !== undefined) annotations[historyAnnotation] = withHistory(current?.[historyAnnotation], before);
  return annotations;
}

/** The oldest go when it gets too long. */
function withHistory(history: string | undefined, revision: string): string {
  const revisions = [...(history ? history.split(',') : []), revision];
  while (revisions.join(',').length > historyLengthMax) revisions.shift();
  return revisions.join(',');
}

/** Whether two templates say the same, the hash label apart. */
export function sameTemplate(a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean {
  return equalSemantically(a?.spec, b?.spec) && equalSemantically(withoutHash(a), withoutHash(b));
}

function withoutHash(template: PodTemplateSpec | undefined) {
  const { [hashLabel]: _, ...labels } = template?.metadata?.labels ?? {};
  return { ...template?.metadata, labels };
}

/** The oldest ReplicaSet of the Deployment's template. */
export function findNewest(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return sets.toSorted(byCreation).find((set) => sameTemplate(set.spec.template, deployment.spec.template));
}

/** The ReplicaSet for the Deployment's template. */
export function makeReplicaSet(deployment: Deployment, replicas: number, annotations: Annotations): New<ReplicaSet> {
  const { name, namespace } = deployment.metadata;
  const { template, selector, minReadySeconds } = deployment.spec;
  const hash = hashOf(template, deployment.status?.collisionCount);
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  return {
    metadata: { name: `${name}-${hash}`, namespace, labels, annotations, ownerReferences: [controllerReference(Deployment, deployment)] },
    spec: {
      replicas,
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector?.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}
