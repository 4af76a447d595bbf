/** Rules that hold for pods and not for templates. Upstream: pkg/apis/core/validation/validation.go (ValidatePodCreate). */

import type { Pod, PodSpec, Volume, VolumeProjection } from '../../../generated/core-v1.ts';
import { all, each, fields } from '../../../schema/rules/rules.ts';
import type { Rule } from '../../../schema/rules/walk.ts';
import { podAnnotations, profilesAgree } from './annotation-checks.ts';
import { imageSpaces } from './container-checks.ts';
import { podSpec } from './validate-pod-spec.ts';

const noToken: Rule<VolumeProjection> = ({ serviceAccountToken: token }, walk) => {
  if (token) walk.forbidden('serviceAccountToken', 'must not be specified when serviceAccountName is not set');
};
const noTokens = fields<PodSpec>({ volumes: each(fields<Volume>({ projected: fields({ sources: each(noToken) }) })) });
const images = fields<PodSpec>({ containers: each(imageSpaces), initContainers: each(imageSpaces) });

/** What every write of a pod is checked for. */
export const podRule: Rule<Pod> = ({ metadata, spec }, walk) => {
  const { name, annotations = {} } = metadata;
  walk.enter('metadata');
  podAnnotations({ annotations, spec }, walk, undefined);
  walk.leave();
  walk.check('spec', spec, podSpec({ name, annotations }));
  if (!spec.serviceAccountName) walk.check('spec', spec, noTokens);
  walk.check('spec', spec, images);
};

export const newPod = all<Pod>(podRule, ({ metadata, spec }, walk) => {
  if (spec.ephemeralContainers?.length) walk.forbidden('spec.ephemeralContainers', 'cannot be set on create');
  if (spec.nodeName && spec.schedulingGates?.length) {
    walk.forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared');
  }
  walk.check('spec', spec, profilesAgree(metadata.annotations ?? {}));
});
