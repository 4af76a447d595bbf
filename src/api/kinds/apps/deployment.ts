/**
 * Deployment. A change of annotations counts as a new generation, too, since they are copied to ReplicaSets.
 * Upstream: pkg/registry/apps/deployment, pkg/apis/apps/validation/validation.go.
 */

import type { DeploymentSpec, DeploymentStatus, DeploymentStrategy, RollingUpdateDeployment } from '../../generated/apps-v1.ts';
import { Deployment } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { all, evenAbsent, fields, immutable, nonNegative } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { ageOf, containerCells, formatSelector } from '../cells.ts';
import { defaultTemplateOf } from '../core/pod-spec/defaults.ts';
import { defineKind } from '../define-kind.ts';
import { counters, notGreater } from '../replica-status.ts';
import { amountOf, atMostAll, intOrPercent } from '../rolling-checks.ts';
import { change, omit, setDefaults } from '../set-defaults.ts';
import { checkSelected, collisions, lastingTemplate, namedWorkloadWarnings, workloadSelector } from '../workload-checks.ts';

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
    rules: ({ spec: given }, walk, old) => walk.check('spec', given, spec, old?.spec),
    statusRules: ({ status: given }, walk, old) => walk.check('status', given, status, old?.status),
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

const strategy: Rule<DeploymentStrategy | undefined> = (given, walk) => {
  const { type, rollingUpdate } = given ?? {};
  if (type === 'Recreate') {
    if (rollingUpdate) walk.forbidden('rollingUpdate', "may not be specified when strategy `type` is 'Recreate'");
  } else if (type === 'RollingUpdate') walk.check('rollingUpdate', rollingUpdate ?? {}, rolling);
  else walk.notSupported('', { Type: type ?? '', RollingUpdate: rollingUpdate ?? null }, ['Recreate', 'RollingUpdate']);
};
const rolling = all<RollingUpdateDeployment>(
  fields({ maxUnavailable: intOrPercent, maxSurge: intOrPercent }),
  ({ maxUnavailable, maxSurge }, walk) => {
    if (amountOf(maxUnavailable) !== 0 || amountOf(maxSurge) !== 0) return;
    walk.invalid('maxUnavailable', maxUnavailable, 'may not be 0 when `maxSurge` is 0');
  },
  fields({ maxUnavailable: atMostAll }),
);

const spec = all<DeploymentSpec>(
  fields({ replicas: nonNegative }),
  workloadSelector('deployment'),
  (given, walk, old) => {
    if (checkSelected(given, walk)) template(given, walk, old);
    else walk.invalid('selector', given.selector, 'invalid label selector');
  },
  fields({
    strategy: evenAbsent(strategy),
    minReadySeconds: nonNegative,
    revisionHistoryLimit: nonNegative,
    progressDeadlineSeconds: nonNegative,
  }),
  ({ progressDeadlineSeconds: deadline, minReadySeconds = 0 }, walk) => {
    if (deadline !== undefined && deadline <= minReadySeconds) {
      walk.invalid('progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds');
    }
  },
  fields({ selector: immutable() }),
);
const template = lastingTemplate('ReplicaSet');

const status = all<DeploymentStatus>(
  counters(
    'observedGeneration',
    'replicas',
    'updatedReplicas',
    'readyReplicas',
    'availableReplicas',
    'unavailableReplicas',
    'terminatingReplicas',
    'collisionCount',
  ),
  notGreater('updatedReplicas', 'replicas', 'status.replicas'),
  notGreater('readyReplicas', 'replicas', 'status.replicas'),
  notGreater('availableReplicas', 'replicas', 'status.replicas'),
  notGreater('availableReplicas', 'readyReplicas', 'readyReplicas'),
  collisions,
);
