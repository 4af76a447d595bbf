/**
 * Defaults of a pod's spec and of a pod template that no table can say, shared by Pod and every workload.
 * Upstream: pkg/apis/core/v1/defaults.go (SetDefaults_PodSpec), conversion.go (serviceAccount).
 */
import type { PodSpec, PodTemplateSpec } from '../../../generated/core-v1.ts';
import { change, mapSame, omit } from '../../set-defaults.ts';
import { defaultContainer } from './container-defaults.ts';
import { defaultVolume } from './volume-defaults.ts';

export function defaultPodSpec(given: PodSpec): PodSpec {
  let spec = omit(given, 'schedulingGroup');
  // the old name of the field always shows what the new one says
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account && (spec.serviceAccount !== account || spec.serviceAccountName !== account)) {
    spec = { ...spec, serviceAccount: account, serviceAccountName: account };
  }
  spec = change(spec, 'containers', (list) => mapSame(list, defaultContainer));
  if (spec.initContainers) spec = change(spec, 'initContainers', (list) => mapSame(list, defaultContainer));
  if (spec.ephemeralContainers) spec = change(spec, 'ephemeralContainers', (list) => mapSame(list, defaultContainer));
  if (spec.volumes) spec = change(spec, 'volumes', (list) => mapSame(list, defaultVolume));
  return spec;
}

export const defaultPodTemplate = (template: PodTemplateSpec): PodTemplateSpec => change(template, 'spec', defaultPodSpec);

/** Applied to the workload's spec. */
export const defaultTemplateOf = <S extends { readonly template?: PodTemplateSpec }>(spec: S): S =>
  spec.template ? change(spec, 'template', (template) => defaultPodTemplate(template) as NonNullable<S['template']>) : spec;
