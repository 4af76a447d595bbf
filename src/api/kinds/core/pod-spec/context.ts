/** What the checks of a pod spec's parts need to know of the whole. */
import type { PodSpec, Volume } from '../../../generated/core-v1.ts';
import type { LabelMap } from '../../../meta/selectors.ts';
import type { Errors } from '../../checks.ts';
import { firstByName, listOf } from '../../lists.ts';

export interface SpecContext {
  readonly errors: Errors;
  readonly spec: PodSpec;
  /** a pod, not a template: some rules hold only then */
  readonly pod?: { readonly name: string; readonly annotations: LabelMap };
  /** the volumes that have no faults */
  readonly volumes: Map<string, Volume>;
  /** the first of each name, faults or not */
  readonly allVolumes: ReadonlyMap<string, Volume>;
  readonly claimNames: ReadonlySet<string>;
  readonly hostUsers: boolean;
}

export function makeContext(errors: Errors, spec: PodSpec, pod?: SpecContext['pod']): SpecContext {
  return {
    errors,
    spec,
    ...(pod && { pod }),
    volumes: new Map(),
    allVolumes: firstByName(listOf(spec.volumes)),
    claimNames: new Set(listOf(spec.resourceClaims).map((claim) => claim.name)),
    hostUsers: spec.hostUsers ?? true,
  };
}
