/** ReplicaSet. Upstream: pkg/registry/apps/replicaset, pkg/apis/apps/validation/validation.go. */
import { ReplicaSet } from '../../generated/kinds.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { ageOf, containerCells, formatSelector } from '../cells.ts';
import { checkImmutable, checkNonnegative, type Errors } from '../checks.ts';
import { defaultTemplateOf } from '../core/pod-spec/defaults.ts';
import { defineKind } from '../define-kind.ts';
import { checkReplicaStatus } from '../replica-status.ts';
import { change } from '../set-defaults.ts';
import { checkLastingTemplate, checkSelected, checkWorkloadSelector, namedWorkloadWarnings } from '../workload-checks.ts';

export const replicaSet = defineKind(ReplicaSet, {
  hasGeneration: true,
  hooks: {
    default: (object) => change(object, 'spec', defaultTemplateOf),
    prepareForCreate: (object) => ({ ...object, status: { replicas: 0 } }),
    validate,
    validateStatus({ status }) {
      const errors: Errors = [];
      checkReplicaStatus(errors, 'status', status);
      checkNonnegative(errors, 'status.terminatingReplicas', status.terminatingReplicas);
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
      formatSelector(object.spec.selector),
    ],
  },
});

function validate({ spec }: ReplicaSet, old?: ReplicaSet): readonly FieldError[] {
  const errors: Errors = [];
  checkNonnegative(errors, 'spec.replicas', spec.replicas);
  checkNonnegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  checkWorkloadSelector(errors, spec, 'deployment');
  if (checkSelected(errors, spec)) checkLastingTemplate(errors, spec.template, 'ReplicaSet');
  else errors.push(fieldErrors.invalid('spec.selector', spec.selector, 'invalid label selector'));
  if (old) checkImmutable(errors, 'spec.selector', spec.selector, old.spec.selector);
  return errors;
}
