/** ReplicaSet. Upstream: pkg/registry/apps/replicaset, pkg/apis/apps/validation/validation.go. */

import type { ReplicaSetSpec, ReplicaSetStatus } from '../../generated/apps-v1.ts';
import { ReplicaSet } from '../../generated/kinds.ts';
import { all, fields, immutable, nonNegative } from '../../schema/rules/rules.ts';
import { ageOf, containerCells, formatSelector } from '../cells.ts';
import { defaultTemplateOf } from '../core/pod-spec/defaults.ts';
import { defineKind } from '../define-kind.ts';
import { replicaStatus } from '../replica-status.ts';
import { change } from '../set-defaults.ts';
import { checkSelected, lastingTemplate, namedWorkloadWarnings, workloadSelector } from '../workload-checks.ts';

export const replicaSet = defineKind(ReplicaSet, {
  hasGeneration: true,
  hooks: {
    default: (object) => change(object, 'spec', defaultTemplateOf),
    prepareForCreate: (object) => ({ ...object, status: { replicas: 0 } }),
    rules: ({ spec: given }, walk, old) => walk.check('spec', given, spec, old?.spec),
    statusRules: ({ status: given }, walk) => walk.check('status', given, status),
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

const template = lastingTemplate('ReplicaSet');
const spec = all<ReplicaSetSpec>(
  fields({ replicas: nonNegative, minReadySeconds: nonNegative }),
  workloadSelector('deployment'),
  (given, walk, old) => {
    if (checkSelected(given, walk)) template(given, walk, old);
    else walk.invalid('selector', given.selector, 'invalid label selector');
  },
  fields({ selector: immutable() }),
);
const status = all<ReplicaSetStatus>(replicaStatus, fields({ terminatingReplicas: nonNegative }));
