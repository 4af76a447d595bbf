/**
 * ReplicationController: the template's labels stand in for a missing selector and for missing labels of its own.
 * Upstream: pkg/registry/core/replicationcontroller, pkg/apis/core/validation/validation.go.
 */

import { ReplicationController } from '../../generated/kinds.ts';
import { labelMatcherOfMap } from '../../meta/selectors.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { addJudged } from '../../schema/rules/walk.ts';
import { ageOf, containerCells, formatLabels } from '../cells.ts';
import { checkNonnegative, checkPresent, type Errors } from '../checks.ts';
import { defineKind, placed } from '../define-kind.ts';
import { isEmptyObject } from '../lists.ts';
import { checkReplicaStatus } from '../replica-status.ts';
import { change } from '../set-defaults.ts';
import { namedWorkloadWarnings } from '../workload-checks.ts';
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
    validate,
    validateStatus(object) {
      const errors: Errors = [];
      checkReplicaStatus(errors, 'status', object.status);
      return errors;
    },
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

function validate({ spec }: ReplicationController): readonly FieldError[] {
  const errors: Errors = [];
  const { selector, template } = spec;
  checkNonnegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  if (isEmptyObject(selector)) errors.push(fieldErrors.required('spec.selector'));
  if (checkPresent(errors, 'spec.replicas', spec.replicas)) checkNonnegative(errors, 'spec.replicas', spec.replicas);
  if (template && !labelMatcherOfMap(selector).matches(template.metadata?.labels)) {
    const message = '`selector` does not match template `labels`';
    errors.push(fieldErrors.invalid('spec.template.metadata.labels', template.metadata?.labels ?? null, message));
  }
  addJudged(errors, 'spec.template', template, podTemplate);
  const { restartPolicy, activeDeadlineSeconds } = template?.spec ?? {};
  if (template && restartPolicy !== 'Always') {
    errors.push(fieldErrors.notSupported('spec.template.spec.restartPolicy', restartPolicy ?? '', ['Always']));
  }
  if (activeDeadlineSeconds !== undefined) {
    const message = 'activeDeadlineSeconds in ReplicationController is not Supported';
    errors.push(fieldErrors.forbidden('spec.template.spec.activeDeadlineSeconds', message));
  }
  return errors;
}
