/**
 * Deployment. A change of annotations counts as a new generation, too, since they are copied to ReplicaSets.
 * Upstream: pkg/registry/apps/deployment, pkg/apis/apps/validation/validation.go.
 */
import type { DeploymentSpec, DeploymentStrategy } from '../../generated/apps-v1.ts';
import { Deployment } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { ageOf, containerCells, formatSelector } from '../cells.ts';
import { checkImmutable, checkNonnegative, type Errors } from '../checks.ts';
import { defaultTemplateOf } from '../core/pod-spec/defaults.ts';
import { defineKind } from '../define-kind.ts';
import { checkNotGreater } from '../replica-status.ts';
import { amountOf, checkAtMostAll, checkIntOrPercent } from '../rolling-checks.ts';
import { change, omit, setDefaults } from '../set-defaults.ts';
import { checkCollisions, checkLastingTemplate, checkSelected, checkWorkloadSelector, namedWorkloadWarnings } from '../workload-checks.ts';

const rollingDefaults = { maxUnavailable: '25%', maxSurge: '25%' } as const;

export const deployment = defineKind(Deployment, {
  hasGeneration: true,
  resetFields: { status: ['spec', 'metadata.labels'] },
  hooks: {
    default: (object) => change(object, 'spec', defaultSpec),
    prepareForCreate: (object) => ({ ...object, status: {} }),
    prepareForUpdate(object, old) {
      const { metadata } = object;
      if (equalSemantically(metadata.annotations, old.metadata.annotations)) return object;
      return { ...object, metadata: { ...metadata, generation: (old.metadata.generation ?? 0) + 1 } };
    },
    prepareForStatusUpdate: (object, old) => ({ ...object, metadata: withLabelsOf(object.metadata, old.metadata) }),
    validate,
    validateStatus,
    warnings: namedWorkloadWarnings,
    cells: (object, at) => {
      const { spec, status } = object;
      return [
        object.metadata.name,
        `${status.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
        status.updatedReplicas ?? 0,
        status.availableReplicas ?? 0,
        ageOf(object, at),
        ...containerCells(spec.template),
        formatSelector(spec.selector, ''),
      ];
    },
  },
});

/** A status alone changes no labels. */
function withLabelsOf(metadata: Deployment['metadata'], { labels }: Deployment['metadata']): Deployment['metadata'] {
  return labels ? { ...metadata, labels } : omit(metadata, 'labels');
}

function defaultSpec(given: DeploymentSpec): DeploymentSpec {
  return change(defaultTemplateOf(given), 'strategy', (strategy) => {
    if (strategy.type !== 'RollingUpdate') return strategy;
    const rollingUpdate = setDefaults(strategy.rollingUpdate ?? {}, rollingDefaults);
    return rollingUpdate === strategy.rollingUpdate ? strategy : { ...strategy, rollingUpdate };
  });
}

function validate({ spec }: Deployment, old?: Deployment): readonly FieldError[] {
  const errors: Errors = [];
  checkNonnegative(errors, 'spec.replicas', spec.replicas);
  checkWorkloadSelector(errors, spec, 'deployment');
  if (checkSelected(errors, spec)) checkLastingTemplate(errors, spec.template, 'ReplicaSet');
  else errors.push(fieldErrors.invalid('spec.selector', spec.selector, 'invalid label selector'));
  checkStrategy(errors, 'spec.strategy', spec.strategy ?? {});
  checkNonnegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  checkNonnegative(errors, 'spec.revisionHistoryLimit', spec.revisionHistoryLimit);
  const deadline = spec.progressDeadlineSeconds;
  checkNonnegative(errors, 'spec.progressDeadlineSeconds', deadline);
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
    errors.push(fieldErrors.invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  }
  if (old) checkImmutable(errors, 'spec.selector', spec.selector, old.spec.selector);
  return errors;
}

function checkStrategy(errors: Errors, path: string, strategy: DeploymentStrategy): void {
  const { type, rollingUpdate } = strategy;
  const at = `${path}.rollingUpdate`;
  if (type === 'Recreate') {
    if (rollingUpdate) errors.push(fieldErrors.forbidden(at, "may not be specified when strategy `type` is 'Recreate'"));
  } else if (type === 'RollingUpdate') {
    const { maxUnavailable, maxSurge } = rollingUpdate ?? {};
    checkIntOrPercent(errors, `${at}.maxUnavailable`, maxUnavailable);
    checkIntOrPercent(errors, `${at}.maxSurge`, maxSurge);
    if (amountOf(maxUnavailable) === 0 && amountOf(maxSurge) === 0) {
      errors.push(fieldErrors.invalid(`${at}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
    }
    checkAtMostAll(errors, `${at}.maxUnavailable`, maxUnavailable);
  } else {
    const shown = { Type: type ?? '', RollingUpdate: rollingUpdate ?? null };
    errors.push(fieldErrors.notSupported(path, shown, ['Recreate', 'RollingUpdate']));
  }
}

const counters = [
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'terminatingReplicas',
  'collisionCount',
] as const;

function validateStatus({ status }: Deployment, old: Deployment): readonly FieldError[] {
  const errors: Errors = [];
  for (const field of counters) checkNonnegative(errors, `status.${field}`, status[field]);
  for (const field of ['updatedReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    checkNotGreater(errors, 'status', status, { field, than: 'replicas', called: 'status.replicas' });
  }
  checkNotGreater(errors, 'status', status, { field: 'availableReplicas', than: 'readyReplicas', called: 'readyReplicas' });
  checkCollisions(errors, status, old.status);
  return errors;
}
