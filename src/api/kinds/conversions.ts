/** Versions that differ from the stored one in more than their apiVersion, by `resource.group/version`. */
import type { VersionConversion } from '../meta/kind.ts';
import { autoscalerConversion } from './convert-autoscaler.ts';
import { eventConversion } from './convert-event.ts';

export const conversions: Readonly<Record<string, VersionConversion>> = {
  'events.events.k8s.io/v1': eventConversion,
  'horizontalpodautoscalers.autoscaling/v1': autoscalerConversion,
};
