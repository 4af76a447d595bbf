/**
 * The views of a pod through which a running one is changed: ephemeral containers are added, resources resized.
 * Upstream: pkg/registry/core/pod/strategy.go, pkg/apis/core/validation/validation.go (ValidatePodResize,
 * ValidatePodEphemeralContainersUpdate).
 */
import type { Container, Pod, PodSpec, ResourceRequirements } from '../../generated/core-v1.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import type { ViewHooks } from '../../meta/kind.ts';
import type { Rule, Walk } from '../../schema/rules/walk.ts';
import { keepMetadata } from '../keep-metadata.ts';
import { listOf } from '../lists.ts';
import { omit } from '../set-defaults.ts';
import { mirrorKey } from './pod-spec/annotation-checks.ts';
import { podRule } from './pod-spec/validate-pod.ts';
import { checkAnnotationUpdate } from './pod-update.ts';
import { computeQOS } from './qos.ts';

const isStatic = (pod: Pod): boolean => pod.metadata.annotations?.[mirrorKey] !== undefined;

function withSpec(pod: Pod, old: Pod, spec: PodSpec): Pod {
  const { metadata, ...rest } = keepMetadata({ ...pod, spec, status: old.status }, old);
  if (equalSemantically(spec, old.spec)) return { ...rest, metadata };
  return { ...rest, metadata: { ...metadata, generation: (old.metadata.generation ?? 0) + 1 } };
}

export const ephemeralContainersView: ViewHooks<Pod> = {
  prepareForUpdate(pod, old) {
    const { ephemeralContainers } = pod.spec;
    return withSpec(pod, old, { ...omit(old.spec, 'ephemeralContainers'), ...(ephemeralContainers && { ephemeralContainers }) });
  },
  rules(pod, walk, old) {
    if (isStatic(old)) return walk.forbidden('', 'static pods do not support ephemeral containers');
    podRule(pod, walk, old);
    checkAnnotationUpdate(walk, pod, old);
    const now = new Map(listOf(pod.spec.ephemeralContainers).map((container) => [container.name, container]));
    for (const before of listOf(old.spec.ephemeralContainers)) {
      const container = now.get(before.name);
      if (container && equalSemantically(container, before)) continue;
      const change = container ? 'changed' : 'removed';
      const message = `existing ephemeral containers "${before.name}" may not be ${change}\n`;
      walk.forbidden('spec.ephemeralContainers', message);
    }
  },
};

const containerFields = ['containers', 'initContainers'] as const;

export const resizeView: ViewHooks<Pod> = {
  prepareForUpdate(pod, old) {
    // other containers than before are refused below
    const sameCount = containerFields.every((field) => listOf(pod.spec[field]).length === listOf(old.spec[field]).length);
    if (!sameCount) return pod;
    const { resources } = pod.spec;
    return withSpec(pod, old, {
      ...omit(old.spec, 'resources', 'initContainers'),
      ...(resources && { resources }),
      containers: withResources(pod.spec.containers, old.spec.containers),
      ...(old.spec.initContainers && { initContainers: withResources(listOf(pod.spec.initContainers), old.spec.initContainers) }),
    });
  },
  rules: (pod, walk, old) => resize(pod, walk, old),
};

function withResources(now: readonly Container[], before: readonly Container[]): readonly Container[] {
  if (now.some(({ name }, i) => before[i]?.name !== name)) return now;
  return before.map((container, i) => {
    const { resources, resizePolicy } = now[i] ?? {};
    return { ...omit(container, 'resources', 'resizePolicy'), ...(resources && { resources }), ...(resizePolicy && { resizePolicy }) };
  });
}

const resize: Rule<Pod> = (pod, walk, old = pod) => {
  if (isStatic(old)) return walk.forbidden('', 'static pods cannot be resized');
  if (old.spec.os?.name === 'windows') return walk.forbidden('', 'windows pods cannot be resized');
  podRule(pod, walk, old);
  if ((old.status.qosClass || computeQOS(old.spec)) !== computeQOS(pod.spec)) {
    walk.invalid('spec', pod.status.qosClass, 'Pod QOS Class may not change as a result of resizing');
  }
  if (!canResize(old)) walk.forbidden('spec', 'Pod running on node without support for resize');
  checkPodLevel(walk, pod.spec, old.spec);
  if (old.status.nodeAllocatableResourceClaimStatuses?.length) {
    walk.forbidden('spec', 'pods with node allocatable resource claims cannot be resized');
  }
  const same = containerFields.filter((field) => hasSameContainers(walk, field, pod.spec, old.spec));
  if (same.length < containerFields.length) return;
  for (const field of containerFields) {
    listOf(old.spec[field]).forEach((container, i) => {
      const now = pod.spec[field]?.[i];
      if (now) checkContainer(walk, field, { now, container, path: `spec.${field}[${i}]` });
    });
  }
};

/** A running container of a node that can resize shows its resources. */
function canResize({ status }: Pod): boolean {
  const running = listOf(status.containerStatuses).find(({ state }) => state?.running);
  return !running || running.resources !== undefined;
}

const isRemoved = (now: object | undefined, before: object | undefined): boolean =>
  Object.keys(before ?? {}).some((name) => !Object.hasOwn(now ?? {}, name));

/** Without what may be resized. */
function fixedPart(resources: ResourceRequirements | undefined): object {
  const { requests, limits, claims } = resources ?? {};
  return {
    requests: omit(requests ?? {}, 'cpu', 'memory'),
    limits: omit(limits ?? {}, 'cpu', 'memory'),
    claims: listOf(claims),
  };
}

function checkPodLevel(walk: Walk, { resources: now }: PodSpec, { resources: before }: PodSpec): void {
  const path = 'spec.resources';
  const forbid = (at: string, message: string): void => walk.forbidden(at, message);
  if (!now && before) {
    forbid(path, 'pod-level resources cannot be removed');
    return;
  }
  if (isRemoved(now?.requests, before?.requests)) forbid(`${path}.requests`, 'pod-level resource requests cannot be removed');
  if (isRemoved(now?.limits, before?.limits)) forbid(`${path}.limits`, 'pod-level resource limits cannot be removed');
  if (!equalSemantically(fixedPart(now), fixedPart(before))) {
    forbid('spec', 'only cpu and memory resources are mutable at pod-level');
  }
}

function hasSameContainers(walk: Walk, field: (typeof containerFields)[number], spec: PodSpec, old: PodSpec): boolean {
  const [now, before] = [listOf(spec[field]), listOf(old[field])];
  if (now.length !== before.length) {
    walk.forbidden(`spec.${field}`, `${field} may not be added or removed on resize`);
    return false;
  }
  const renamed = [...now.keys()].filter((i) => now[i]?.name !== before[i]?.name);
  for (const i of renamed) walk.forbidden(`spec.${field}[${i}].name`, `${field} may not be renamed or reordered on resize`);
  return renamed.length === 0;
}

interface Resize {
  readonly now: Container;
  readonly container: Container;
  readonly path: string;
}

function checkContainer(walk: Walk, field: (typeof containerFields)[number], { now, container, path }: Resize): void {
  const [after, before] = [now.resources, container.resources];
  const forbid = (at: string, message: string): void => walk.forbidden(at, message);
  for (const kind of ['requests', 'limits'] as const) {
    if (isRemoved(after?.[kind], before?.[kind])) forbid(`${path}.resources.${kind}`, `resource ${kind} cannot be removed`);
  }
  const isFixed =
    equalSemantically(omit(now, 'resources'), omit(container, 'resources')) && equalSemantically(fixedPart(after), fixedPart(before));
  if (field === 'containers') {
    if (!isFixed) forbid('spec', 'only cpu and memory resources are mutable');
    return;
  }
  if (!isFixed) forbid(path, 'only cpu and memory resources for init or sidecar containers are mutable');
  const restarts = listOf(now.resizePolicy).some(({ restartPolicy }) => restartPolicy === 'RestartContainer');
  if (restarts && now.restartPolicy !== 'Always' && !equalSemantically(after, before)) {
    forbid(path, 'non-sidecar init containers with a resize policy of RestartContainer cannot be resized');
  }
}
