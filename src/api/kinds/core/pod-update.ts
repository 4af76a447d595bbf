/**
 * What may change of a pod: images, a shorter deadline, more tolerations, fewer gates; and node selection while it is
 * gated. Everything else is fixed. Upstream: pkg/apis/core/validation/validation.go (ValidatePodUpdate).
 */
import type { Container, NodeAffinity, NodeSelectorTerm, Pod, PodSpec, Toleration } from '../../generated/core-v1.ts';
import { equalJson, equalSemantically } from '../../meta/deep-equal.ts';
import { rangeMessage } from '../../meta/names.ts';
import { own } from '../../meta/words.ts';
import { fields } from '../../schema/rules/rules.ts';
import type { Walk } from '../../schema/rules/walk.ts';
import { listOf } from '../lists.ts';
import { omit } from '../set-defaults.ts';
import { appArmorPrefix, mirrorKey } from './pod-spec/annotation-checks.ts';
import { tolerations } from './pod-spec/scheduling-checks.ts';
import { podRule } from './pod-spec/validate-pod.ts';

const deadlineSecondsMax = 2 ** 31 - 1;
const updatable = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

export function podUpdate(pod: Pod, walk: Walk, old: Pod): void {
  // a change of metadata alone is the most frequent update, and needs no look at the spec
  const sameSpec = pod.spec === old.spec || equalJson(pod.spec, old.spec);
  podRule(pod, walk, old);
  checkAnnotationUpdate(walk, pod, old);
  if (sameSpec || !checkContainerCount(walk, pod.spec, old.spec) || !checkDeadline(walk, pod.spec, old.spec)) return;
  checkAddedTolerations(walk, pod.spec, old.spec);
  checkRemovedGates(walk, pod.spec, old.spec);
  const allowed = withoutAllowedChanges(pod.spec, old.spec);
  const rest = old.spec.schedulingGates?.length ? withoutNodeSelection(walk, allowed, old.spec) : allowed;
  if (!equalSemantically(rest, old.spec)) {
    walk.forbidden('spec', `pod updates may not change fields other than ${updatable}`);
  }
}

export function checkAnnotationUpdate(walk: Walk, pod: Pod, old: Pod): void {
  const [now, before] = [pod.metadata.annotations ?? {}, old.metadata.annotations ?? {}];
  if (now === before) return;
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const called = key === mirrorKey ? 'mirror pod annotation' : key.startsWith(appArmorPrefix) ? 'AppArmor annotations' : undefined;
    if (!called || own(now, key) === own(before, key)) continue;
    const message = Object.hasOwn(before, key) ? `may not remove or update ${called}` : `may not add ${called}`;
    walk.forbidden(`metadata.annotations[${key}]`, message);
  }
}

function checkContainerCount(walk: Walk, spec: PodSpec, old: PodSpec): boolean {
  for (const field of ['containers', 'initContainers'] as const) {
    if (listOf(spec[field]).length === listOf(old[field]).length) continue;
    walk.forbidden(`spec.${field}`, 'pod updates may not add or remove containers');
    return false;
  }
  return true;
}

function checkDeadline(walk: Walk, spec: PodSpec, old: PodSpec): boolean {
  const path = 'spec.activeDeadlineSeconds';
  const [now, before] = [spec.activeDeadlineSeconds, old.activeDeadlineSeconds];
  if (now === undefined) {
    if (before !== undefined) walk.invalid(path, null, 'must not update from a positive integer to nil value');
    return true;
  }
  if (now < 0 || now > deadlineSecondsMax) walk.invalid(path, now, rangeMessage(0, deadlineSecondsMax));
  else if (before !== undefined && before < now) {
    walk.invalid(path, now, 'must be less than or equal to previous value');
  } else return true;
  return false;
}

function checkAddedTolerations(walk: Walk, spec: PodSpec, old: PodSpec): void {
  const now = listOf(spec.tolerations);
  const bare = ({ key, operator, value, effect }: Toleration): string => JSON.stringify([key, operator, value, effect]);
  const all = new Set(now.map(bare));
  const isKept = listOf(old.tolerations).every((toleration) => all.has(bare(toleration)));
  if (!isKept) {
    walk.forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds');
  } else walk.check('spec', spec, fields({ tolerations }));
}

function checkRemovedGates(walk: Walk, spec: PodSpec, old: PodSpec): void {
  const before = new Set(listOf(old.schedulingGates).map((gate) => gate.name));
  listOf(spec.schedulingGates).forEach(({ name }, i) => {
    if (before.has(name)) return;
    const message = `only deletion is allowed, but found new scheduling gate '${name}'`;
    walk.forbidden(`spec.schedulingGates[${i}].name`, message);
  });
}

/** The spec with everything that may change put back to what it was. */
function withoutAllowedChanges(spec: PodSpec, old: PodSpec): PodSpec {
  const keepImages = (now: readonly Container[] | undefined, before: readonly Container[] | undefined): readonly Container[] =>
    listOf(now).map((container, i) => ({ ...container, image: before?.[i]?.image ?? '' }));
  const grace = old.terminationGracePeriodSeconds;
  const normalized = grace !== undefined && grace < 0 && spec.terminationGracePeriodSeconds === 1;
  return {
    ...omit(spec, 'activeDeadlineSeconds', 'schedulingGates', 'tolerations'),
    containers: keepImages(spec.containers, old.containers),
    ...(spec.initContainers && { initContainers: keepImages(spec.initContainers, old.initContainers) }),
    ...pickFields(old, ['activeDeadlineSeconds', 'schedulingGates', 'tolerations']),
    ...(normalized && { terminationGracePeriodSeconds: grace }),
  };
}

function pickFields<T extends object, K extends keyof T>(object: T, keys: readonly K[]): Partial<Pick<T, K>> {
  return Object.fromEntries(keys.filter((key) => object[key] !== undefined).map((key) => [key, object[key]])) as Partial<Pick<T, K>>;
}

/** A gated pod may still be narrowed to fewer nodes. Checks that, and puts node selector and affinity back. */
function withoutNodeSelection(walk: Walk, spec: PodSpec, old: PodSpec): PodSpec {
  const selector = spec.nodeSelector ?? {};
  if (Object.entries(old.nodeSelector ?? {}).some(([key, value]) => own(selector, key) !== value)) {
    const message = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
    walk.invalid('spec.nodeSelector', selector, message);
  }
  const [now, before] = [spec.affinity?.nodeAffinity, old.affinity?.nodeAffinity];
  if (!equalSemantically(now, before)) checkNarrowedAffinity(walk, now, before);
  const affinity = { ...omit(spec.affinity ?? {}, 'nodeAffinity'), ...(before && { nodeAffinity: before }) };
  return {
    ...omit(spec, 'nodeSelector', 'affinity'),
    ...pickFields(old, ['nodeSelector']),
    affinity,
  };
}

function checkNarrowedAffinity(walk: Walk, now: NodeAffinity | undefined, before: NodeAffinity | undefined): void {
  const terms = listOf(before?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms);
  const newTerms = listOf(now?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms);
  const path = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';
  if (!terms.length) return;
  if (terms.length !== newTerms.length) {
    const message = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed';
    walk.invalid(path, newTerms, message);
    return;
  }
  terms.forEach((term, i) => {
    const newTerm = newTerms[i] ?? {};
    if (!onlyAdds(newTerm, term)) {
      walk.invalid(`${path}[${i}]`, newTerm, 'only additions are allowed (no mutations or deletions)');
    }
  });
}

function onlyAdds(now: NodeSelectorTerm, before: NodeSelectorTerm): boolean {
  const parts = ['matchExpressions', 'matchFields'] as const;
  if (!parts.some((field) => before[field]?.length)) return !parts.some((field) => now[field]?.length);
  return parts.every((field) => equalSemantically(listOf(now[field]).slice(0, before[field]?.length ?? 0), before[field]));
}
