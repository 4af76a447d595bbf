/**
 * DaemonSet. The old counter of template changes lives on in an annotation, which clients can't set.
 * Upstream: pkg/registry/apps/daemonset, pkg/apis/apps/v1/conversion.go, pkg/apis/apps/validation/validation.go.
 */
import type { DaemonSetSpec, DaemonSetUpdateStrategy } from '../../generated/apps-v1.ts';
import { DaemonSet } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { ageOf, containerCells, formatLabels, formatSelector } from '../cells.ts';
import { checkImmutable, checkNonnegative, checkSelector, type Errors, isEmptySelector } from '../checks.ts';
import { defaultTemplateOf } from '../core/pod-spec/defaults.ts';
import { defineKind } from '../define-kind.ts';
import { amountOf, checkAtMostAll, checkIntOrPercent } from '../rolling-checks.ts';
import { change, setDefaults } from '../set-defaults.ts';
import { checkCollisions, checkLastingTemplate, checkSelected, workloadWarnings } from '../workload-checks.ts';

const generationKey = 'deprecated.daemonset.template.generation';
const rollingDefaults = { maxUnavailable: 1, maxSurge: 0 } as const;
const noStatus = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 };

export const daemonSet = defineKind(DaemonSet, {
  hasGeneration: true,
  hooks: {
    default: (object) => withTemplateGeneration(change(object, 'spec', defaultSpec), templateGeneration(object)),
    prepareForCreate: (object) => withTemplateGeneration({ ...object, status: noStatus }, Math.max(templateGeneration(object), 1)),
    prepareForUpdate(object, old) {
      const generation = templateGeneration(old);
      const changed = !equalSemantically(object.spec.template, old.spec.template);
      return withTemplateGeneration(object, changed ? generation + 1 : generation);
    },
    validate,
    validateStatus,
    warnings: workloadWarnings,
    cells: (object, at) => {
      const { spec, status } = object;
      return [
        object.metadata.name,
        status.desiredNumberScheduled,
        status.currentNumberScheduled,
        status.numberReady,
        status.updatedNumberScheduled ?? 0,
        status.numberAvailable ?? 0,
        formatLabels(spec.template.spec?.nodeSelector),
        ageOf(object, at),
        ...containerCells(spec.template),
        formatSelector(spec.selector),
      ];
    },
  },
});

function templateGeneration(object: DaemonSet): number {
  const text = object.metadata.annotations?.[generationKey] ?? '';
  return /^\d+$/.test(text) ? Number(text) : 0;
}

function withTemplateGeneration(object: DaemonSet, generation: number): DaemonSet {
  const { metadata } = object;
  const text = String(generation);
  if (metadata.annotations?.[generationKey] === text) return object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [generationKey]: text } } };
}

function defaultSpec(given: DaemonSetSpec): DaemonSetSpec {
  return change(defaultTemplateOf(given), 'updateStrategy', (strategy) => {
    if (strategy.type !== 'RollingUpdate') return strategy;
    const rollingUpdate = setDefaults(strategy.rollingUpdate ?? {}, rollingDefaults);
    return rollingUpdate === strategy.rollingUpdate ? strategy : { ...strategy, rollingUpdate };
  });
}

function validate({ spec }: DaemonSet, old?: DaemonSet): readonly FieldError[] {
  const errors: Errors = [];
  if (old) checkImmutable(errors, 'spec.selector', spec.selector, old.spec.selector);
  checkSelector(errors, 'spec.selector', spec.selector);
  checkSelected(errors, spec);
  const { selector } = spec as { readonly selector?: DaemonSetSpec['selector'] };
  if (selector && isEmptySelector(selector)) {
    const message = 'empty selector is invalid for daemonset';
    errors.push(fieldErrors.invalid('spec.selector', spec.selector, message));
  }
  checkLastingTemplate(errors, spec.template, 'DaemonSet');
  checkNonnegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  checkStrategy(errors, 'spec.updateStrategy', spec.updateStrategy ?? {});
  checkNonnegative(errors, 'spec.revisionHistoryLimit', spec.revisionHistoryLimit);
  return errors;
}

function checkStrategy(errors: Errors, path: string, { type, rollingUpdate }: DaemonSetUpdateStrategy): void {
  if (type === 'OnDelete') return;
  if (type !== 'RollingUpdate') {
    const shown = { Type: type ?? '', RollingUpdate: rollingUpdate ?? null };
    errors.push(fieldErrors.notSupported(path, shown, ['RollingUpdate', 'OnDelete']));
    return;
  }
  const at = `${path}.rollingUpdate`;
  const { maxUnavailable, maxSurge } = rollingUpdate ?? {};
  checkIntOrPercent(errors, `${at}.maxUnavailable`, maxUnavailable);
  checkIntOrPercent(errors, `${at}.maxSurge`, maxSurge);
  checkAtMostAll(errors, `${at}.maxUnavailable`, maxUnavailable);
  checkAtMostAll(errors, `${at}.maxSurge`, maxSurge);
  const [unavailable, surge] = [amountOf(maxUnavailable), amountOf(maxSurge)];
  if (unavailable && surge) {
    errors.push(fieldErrors.invalid(`${at}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'));
  } else if (!unavailable && !surge) errors.push(fieldErrors.required(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
}

const counters = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
] as const;

function validateStatus({ status }: DaemonSet, old: DaemonSet): readonly FieldError[] {
  const errors: Errors = [];
  for (const field of counters) checkNonnegative(errors, `status.${field}`, status[field]);
  checkCollisions(errors, status, old.status);
  return errors;
}
