/**
 * Checks that the workloads of apps and batch share: a selector that selects the template's own labels, a template that
 * restarts as the workload needs it, a collision counter that only grows. Upstream: pkg/apis/apps/validation/validation.go.
 */

import type { PodTemplateSpec } from '../generated/core-v1.ts';
import type { LabelSelector } from '../generated/meta-v1.ts';
import { equalSemantically } from '../meta/deep-equal.ts';
import { checkDns1123Label } from '../meta/names.ts';
import type { KubeObject } from '../meta/object.ts';
import { labelMatcher, SelectorError } from '../meta/selectors.ts';
import { fieldErrors } from '../meta/status-error.ts';
import { addJudged } from '../schema/rules/walk.ts';
import { checkPresent, checkSelector, type Errors, isEmptySelector } from './checks.ts';
import { templateWarnings } from './core/pod-spec/pod-warnings.ts';
import { podTemplate } from './core/pod-spec/validate-pod-spec.ts';

interface Workload {
  readonly selector?: LabelSelector;
  readonly template?: PodTemplateSpec;
}

/** `called`: how messages name the workload; upstream says `deployment` of ReplicaSets, too. */
export function checkWorkloadSelector(errors: Errors, spec: Workload, called: string): void {
  const { selector } = spec;
  if (!checkPresent(errors, 'spec.selector', selector)) return;
  checkSelector(errors, 'spec.selector', selector);
  if (isEmptySelector(selector)) {
    errors.push(fieldErrors.invalid('spec.selector', selector, `empty selector is invalid for ${called}`));
  }
}

/** True where the selector can be read, and the template was checked against it. */
export function checkSelected(errors: Errors, { selector, template }: Workload): boolean {
  try {
    const matcher = labelMatcher(selector);
    const labels = template?.metadata?.labels;
    if (matcher.matches(labels)) return true;
    const message = '`selector` does not match template `labels`';
    errors.push(fieldErrors.invalid('spec.template.metadata.labels', labels ?? null, message));
    return true;
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    return false;
  }
}

/** The template of a workload that always restarts its pods. */
export function checkLastingTemplate(errors: Errors, template: PodTemplateSpec | undefined, called: string): void {
  addJudged(errors, 'spec.template', template, podTemplate);
  checkLasting(errors, template, called);
}

export function checkLasting(errors: Errors, template: PodTemplateSpec | undefined, called: string): void {
  const { restartPolicy, activeDeadlineSeconds } = template?.spec ?? {};
  if (restartPolicy !== 'Always') {
    errors.push(fieldErrors.notSupported('spec.template.spec.restartPolicy', restartPolicy ?? '', ['Always']));
  }
  if (activeDeadlineSeconds === undefined) return;
  const message = `activeDeadlineSeconds in ${called} is not Supported`;
  errors.push(fieldErrors.forbidden('spec.template.spec.activeDeadlineSeconds', message));
}

interface Counted {
  readonly collisionCount?: number;
}

export function checkCollisions(errors: Errors, status: Counted, old: Counted): void {
  const count = status.collisionCount ?? 0;
  if (old.collisionCount === undefined || (status.collisionCount !== undefined && count >= old.collisionCount)) return;
  errors.push(fieldErrors.invalid('status.collisionCount', count, 'cannot be decremented'));
}

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
