/**
 * Workload and PodGroup, which are alpha and not served by default: their types say all that is wrong with them, by tags
 * (../../schema/tags.ts). Upstream: pkg/registry/scheduling/{workload,podgroup}/strategy.go.
 */
import { PodGroup, Workload } from '../../generated/kinds.ts';
import type { PodGroupSpec } from '../../generated/scheduling-v1alpha2.ts';
import { defineKind } from '../define-kind.ts';
import { keepMetadata, statusAlone } from '../keep-metadata.ts';
import { listOf } from '../lists.ts';
import { change, mapSame, omit } from '../set-defaults.ts';

/** Of features that are off: dropped, unless it was there before. */
const dropped = ['disruptionMode', 'priority', 'priorityClassName', 'resourceClaims', 'schedulingConstraints'] as const;
type Group = Pick<PodGroupSpec, (typeof dropped)[number]>;

const withoutFeatures = <T extends Group>(group: T, old?: Group): T =>
  omit(group, ...dropped.filter((name) => !old || !Object.hasOwn(old, name))) as T;

export const podGroup = defineKind(PodGroup, {
  resetFields: statusAlone,
  hooks: {
    prepareForCreate: (object) => ({ ...change(object, 'spec', (spec) => withoutFeatures(spec)), status: {} }),
    prepareForUpdate: (object, old) => change(object, 'spec', (spec) => withoutFeatures(spec, old.spec)),
    prepareForStatusUpdate: keepMetadata,
  },
});

function withoutFeaturesIn(object: Workload, old?: Workload): Workload {
  const before = new Map(listOf(old?.spec.podGroupTemplates).map((template) => [template.name, template]));
  return change(object, 'spec', (spec) =>
    change(spec, 'podGroupTemplates', (templates) =>
      mapSame(templates, (template) => withoutFeatures(template, before.get(template.name))),
    ),
  );
}

export const workload = defineKind<Workload>(Workload, {
  hooks: { prepareForCreate: (object) => withoutFeaturesIn(object), prepareForUpdate: withoutFeaturesIn },
});
