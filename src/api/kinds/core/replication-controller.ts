/**
 * ReplicationController: the template's labels stand in for a missing selector and for missing labels of its own.
 * Upstream: pkg/registry/core/replicationcontroller, pkg/apis/core/validation/validation.go.
 */

import type { ReplicationControllerSpec } from '../../generated/core-v1.ts';
import { ReplicationController } from '../../generated/kinds.ts';
import { labelMatcherOfMap } from '../../meta/selectors.ts';
import { all, fields, nonNegative, required } from '../../schema/rules/rules.ts';
import { ageOf, containerCells, formatLabels } from '../cells.ts';
import { defineKind, placed } from '../define-kind.ts';
import { isEmptyObject } from '../lists.ts';
import { replicaStatus } from '../replica-status.ts';
import { change } from '../set-defaults.ts';
import { lasting, namedWorkloadWarnings } from '../workload-checks.ts';
import { defaultTemplateOf } from './pod-spec/defaults.ts';
import { podTemplate } from './pod-spec/validate-pod-spec.ts';

export const replicationController = defineKind(ReplicationController, {
  storagePrefix: 'controllers',
  hasGeneration: true,
  orphansByDefault: true,
  selectablePaths: { ...placed, 'status.replicas': '0' },
  hooks: {
    default: defaultController,
    prepareForCreate: (object) => ({ ...object, status: { replicas: 0 } }),
    rules: ({ spec: given }, walk) => walk.check('spec', given, spec),
    statusRules: ({ status }, walk) => walk.check('status', status, replicaStatus),
    warnings: namedWorkloadWarnings,
    cells: (object, at) => [
      object.metadata.name,
      object.spec.replicas ?? 0,
      object.status.replicas,
      object.status.readyReplicas ?? 0,
      ageOf(object, at),
      ...containerCells(object.spec.template),
      formatLabels(object.spec.selector),
    ],
  },
});

function defaultController(given: ReplicationController): ReplicationController {
  const object = change(given, 'spec', defaultTemplateOf);
  const labels = object.spec.template?.metadata?.labels;
  if (!labels) return object;
  const needsSelector = isEmptyObject(object.spec.selector);
  const needsLabels = isEmptyObject(object.metadata.labels);
  if (!needsSelector && !needsLabels) return object;
  return {
    ...object,
    ...(needsLabels && { metadata: { ...object.metadata, labels } }),
    ...(needsSelector && { spec: { ...object.spec, selector: labels } }),
  };
}

const spec = all<ReplicationControllerSpec>(
  fields({ minReadySeconds: nonNegative }),
  ({ selector }, walk) => {
    if (isEmptyObject(selector)) walk.required('selector');
  },
  fields({ replicas: required(nonNegative) }),
  ({ selector, template }, walk) => {
    const labels = template?.metadata?.labels;
    if (!template || labelMatcherOfMap(selector).matches(labels)) return;
    walk.invalid('template.metadata.labels', labels ?? null, '`selector` does not match template `labels`');
  },
  fields({ template: podTemplate }),
  (given, walk, old) => {
    if (given.template) ofTemplate(given, walk, old);
  },
);
const ofTemplate = lasting('ReplicationController');
