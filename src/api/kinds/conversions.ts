/**
 * Versions that differ from the stored one in more than their apiVersion, by `resource.group/version`. A kind's own file
 * may bring its conversion itself (autoscaling/v1).
 */
import type { VersionConversion } from '../meta/kind.ts';
import { eventConversion } from './convert-event.ts';
import { claimConversion, claimTemplateConversion, sliceConversion } from './convert-resource.ts';

export const conversions: Readonly<Record<string, VersionConversion>> = {
  'events.events.k8s.io/v1': eventConversion,
  'resourceclaims.resource.k8s.io/v1beta1': claimConversion,
  'resourceclaimtemplates.resource.k8s.io/v1beta1': claimTemplateConversion,
  'resourceslices.resource.k8s.io/v1beta1': sliceConversion,
};
