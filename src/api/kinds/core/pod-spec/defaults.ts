/**
 * Defaults of a pod's spec and of a pod template, shared by Pod and every workload.
 * Upstream: pkg/apis/core/v1/defaults.go (SetDefaults_PodSpec), conversion.go (serviceAccount).
 */
import type { PodSpec, PodTemplateSpec } from '../../../generated/core-v1.ts';
import { change, fill, fillEmpty, mapSame, omit } from '../../fill.ts';
import { defaultContainer } from './container-defaults.ts';
import { roundQuantities } from './quantity-defaults.ts';
import { defaultVolume } from './volume-defaults.ts';

const stringDefaults = { dnsPolicy: 'ClusterFirst', restartPolicy: 'Always', schedulerName: 'default-scheduler' } as const;
const otherDefaults = { securityContext: {}, terminationGracePeriodSeconds: 30 } as const;

export function defaultPodSpec(given: PodSpec): PodSpec {
  let spec = fill<PodSpec>(fillEmpty<PodSpec>(omit(given, 'schedulingGroup'), stringDefaults), otherDefaults);
  // the old name of the field always shows what the new one says
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account)
    spec =
      account === spec.serviceAccount && account === spec.serviceAccountName
        ? spec
        : { ...spec, serviceAccount: account, serviceAccountName: account };
  if (spec.containers) spec = change(spec, 'containers', (list) => mapSame(list, defaultContainer));
  if (spec.initContainers) spec = change(spec, 'initContainers', (list) => mapSame(list, defaultContainer));
  if (spec.ephemeralContainers) spec = change(spec, 'ephemeralContainers', (list) => mapSame(list, defaultContainer));
  if (spec.volumes) spec = change(spec, 'volumes', (list) => mapSame(list, defaultVolume));
  if (spec.overhead) spec = change(spec, 'overhead', roundQuantities);
  return spec;
}

export const defaultPodTemplate = (template: PodTemplateSpec): PodTemplateSpec => {
  const filled = fill(template, { metadata: {}, spec: noSpec });
  return change(filled, 'spec', defaultPodSpec);
};

/** What a template without a spec means; validation then asks for its containers. */
const noSpec: PodSpec = { containers: [] };

/** Applied to the workload's spec: T is `{ template?: PodTemplateSpec }`. */
export const defaultTemplateOf = <S extends { readonly template?: PodTemplateSpec }>(spec: S): S =>
  spec.template ? change(spec, 'template', (template) => defaultPodTemplate(template) as NonNullable<S['template']>) : spec;
