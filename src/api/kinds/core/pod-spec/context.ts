/** What the rules of a pod spec's parts need to know of the whole, and its containers. */
import type { Container, EphemeralContainer, PodSpec, Volume } from '../../../generated/core-v1.ts';
import type { LabelMap } from '../../../meta/selectors.ts';
import { each, fields } from '../../../schema/rules/rules.ts';
import type { Rule, Walk } from '../../../schema/rules/walk.ts';
import { firstByName, listOf } from '../../lists.ts';
import type { AnyContainer } from './each-container.ts';

export interface SpecContext {
  readonly spec: PodSpec;
  /** a pod, not a template: some rules hold only then */
  readonly pod: { readonly name: string; readonly annotations: LabelMap } | undefined;
  /** the volumes that have no faults */
  readonly volumes: Map<string, Volume>;
  /** the first of each name, faults or not */
  readonly allVolumes: ReadonlyMap<string, Volume>;
  readonly claimNames: ReadonlySet<string>;
}

export const makeContext = (spec: PodSpec, pod?: SpecContext['pod']): SpecContext => ({
  spec,
  pod,
  volumes: new Map(),
  allVolumes: firstByName(listOf(spec.volumes)),
  claimNames: new Set(listOf(spec.resourceClaims).map((claim) => claim.name)),
});

/** Within `podSpec` (validate-pod-spec.ts). */
export const contextOf = (walk: Walk): SpecContext => walk.about as SpecContext;

/** Of every container of a spec: init containers first, then the others, then ephemeral ones. */
export function ofContainers(rule: Rule<AnyContainer>): Rule<PodSpec> {
  const all = each(rule) as Rule<readonly (Container & EphemeralContainer)[]>;
  return fields({ initContainers: all, containers: all, ephemeralContainers: all });
}
