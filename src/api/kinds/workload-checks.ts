/**
 * Rules that the workloads of apps and batch share: a selector that selects the template's own labels, a template that
 * restarts as the workload needs it, a collision counter that only grows. Upstream: pkg/apis/apps/validation/validation.go.
 */

import type { PodTemplateSpec } from '../generated/core-v1.ts';
import type { LabelSelector } from '../generated/meta-v1.ts';
import { equalSemantically } from '../meta/deep-equal.ts';
import { checkDns1123Label } from '../meta/names.ts';
import type { KubeObject } from '../meta/object.ts';
import { labelMatcher, SelectorError } from '../meta/selectors.ts';
import { all, fields, required } from '../schema/rules/rules.ts';
import type { Rule, Walk } from '../schema/rules/walk.ts';
import { isEmptySelector } from './checks.ts';
import { templateWarnings } from './core/pod-spec/pod-warnings.ts';
import { podTemplate } from './core/pod-spec/validate-pod-spec.ts';
import { selector } from './shared-rules.ts';

interface Workload {
  readonly selector?: LabelSelector;
  readonly template?: PodTemplateSpec;
}

/** `called`: how messages name the workload; upstream says `deployment` of ReplicaSets, too. */
export const workloadSelector = (called: string): Rule<Workload> =>
  fields({
    selector: required(
      all(selector, (given, walk) => {
        if (isEmptySelector(given)) walk.invalid('', given, `empty selector is invalid for ${called}`);
      }),
    ),
  });

/** True where the selector can be read, and the template was checked against it. */
export function checkSelected({ selector: given, template }: Workload, walk: Walk): boolean {
  try {
    const matcher = labelMatcher(given);
    const its = template?.metadata?.labels;
    if (!matcher.matches(its)) walk.invalid('template.metadata.labels', its ?? null, '`selector` does not match template `labels`');
    return true;
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    return false;
  }
}

/** A template whose pods are always restarted. */
export const lasting =
  (called: string): Rule<Workload> =>
  ({ template }, walk) => {
    const { restartPolicy, activeDeadlineSeconds } = template?.spec ?? {};
    if (restartPolicy !== 'Always') walk.notSupported('template.spec.restartPolicy', restartPolicy ?? '', ['Always']);
    if (activeDeadlineSeconds === undefined) return;
    walk.forbidden('template.spec.activeDeadlineSeconds', `activeDeadlineSeconds in ${called} is not Supported`);
  };

export const lastingTemplate = (called: string): Rule<Workload> => all(fields<Workload>({ template: podTemplate }), lasting(called));

interface Counted {
  readonly collisionCount?: number;
}

export const collisions: Rule<Counted> = ({ collisionCount: now }, walk, old) => {
  const before = old?.collisionCount;
  if (before === undefined || (now !== undefined && now >= before)) return;
  walk.invalid('collisionCount', now ?? 0, 'cannot be decremented');
};

type Templated = KubeObject & { readonly spec: { readonly template?: PodTemplateSpec } };

/** What a client is warned of in a template that is new, or beside which something of the spec changed. */
export function workloadWarnings<T extends Templated>(object: T, old?: T): readonly string[] {
  return old && equalSemantically(object.spec, old.spec) ? [] : templateWarnings('spec.template', object.spec.template);
}

/** Of the name, too, where pods are called by it. */
export function namedWorkloadWarnings<T extends Templated>(object: T, old?: T): readonly string[] {
  return old ? workloadWarnings(object, old) : [...hostnameWarnings(object), ...workloadWarnings(object)];
}

/** Pods are named after the workload, and a name with dots makes a surprising hostname. */
export function hostnameWarnings({ metadata }: KubeObject): readonly string[] {
  const messages = checkDns1123Label(metadata.name ?? '');
  if (!messages.length) return [];
  const advice = 'which can result in surprising behavior; a DNS label is recommended';
  return [`metadata.name: this is used in Pod names and hostnames, ${advice}: [${messages.join(' ')}]`];
}
