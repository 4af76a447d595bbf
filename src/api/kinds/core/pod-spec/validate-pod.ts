/** Checks that hold for pods and not for templates. Upstream: pkg/apis/core/validation/validation.go (ValidatePodCreate). */
import type { Pod } from '../../../generated/core-v1.ts';
import { type FieldError, fieldErrors } from '../../../meta/status-error.ts';
import type { Errors } from '../../checks.ts';
import { listOf } from '../../lists.ts';
import { checkPodAnnotations, checkProfileAnnotations } from './annotation-checks.ts';
import { checkImageSpaces } from './container-checks.ts';
import { checkPodSpec } from './validate-pod-spec.ts';

export function validatePodCreate(pod: Pod): readonly FieldError[] {
  const errors: Errors = [];
  const { spec } = pod;
  checkPod(errors, pod);
  if (spec.ephemeralContainers?.length) errors.push(fieldErrors.forbidden('spec.ephemeralContainers', 'cannot be set on create'));
  if (spec.nodeName && spec.schedulingGates?.length) {
    errors.push(fieldErrors.forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  }
  checkProfileAnnotations(errors, 'spec', { annotations: pod.metadata.annotations ?? {}, spec });
  return errors;
}

/** What every write of a pod is checked for. */
export function checkPod(errors: Errors, { metadata, spec }: Pod): void {
  const annotations = metadata.annotations ?? {};
  checkPodAnnotations(errors, 'metadata.annotations', { annotations, spec });
  checkPodSpec(errors, 'spec', spec, { name: metadata.name, annotations });
  if (!spec.serviceAccountName) {
    listOf(spec.volumes).forEach((volume, i) => {
      volume.projected?.sources?.forEach((source, j) => {
        if (!source.serviceAccountToken) return;
        const at = `spec.volumes[${i}].projected.sources[${j}].serviceAccountToken`;
        errors.push(fieldErrors.forbidden(at, 'must not be specified when serviceAccountName is not set'));
      });
    });
  }
  for (const field of ['containers', 'initContainers'] as const) {
    listOf(spec[field]).forEach((container, i) => {
      checkImageSpaces(errors, `spec.${field}[${i}]`, container);
    });
  }
}
