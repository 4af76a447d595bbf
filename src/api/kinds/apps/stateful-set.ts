/** StatefulSet: most of its spec is fixed when it is created. Upstream: pkg/registry/apps/statefulset, pkg/apis/apps/validation. */

import type { StatefulSetSpec, StatefulSetStatus, StatefulSetUpdateStrategy } from '../../generated/apps-v1.ts';
import type { PersistentVolumeClaim, PodTemplateSpec } from '../../generated/core-v1.ts';
import { StatefulSet } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { nameIsDnsLabel } from '../../meta/names.ts';
import { all, each, evenAbsent, fields, filled, nonNegative, oneOf } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { ageOf, containerCells } from '../cells.ts';
import { claimSpec } from '../core/claim-checks.ts';
import { podAnnotations } from '../core/pod-spec/annotation-checks.ts';
import { defaultTemplateOf } from '../core/pod-spec/defaults.ts';
import { podTemplate } from '../core/pod-spec/validate-pod-spec.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { fractionWarnings } from '../quantity-warnings.ts';
import { counters, notGreater } from '../replica-status.ts';
import { change, mapSame, omit, setDefaults } from '../set-defaults.ts';
import { annotations, dnsLabel, labels } from '../shared-rules.ts';
import { checkSelected, collisions, lasting, workloadSelector, workloadWarnings } from '../workload-checks.ts';

const changeable = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const;

export const statefulSet = defineKind(StatefulSet, {
  validateName: nameIsDnsLabel,
  hasGeneration: true,
  hooks: {
    default: (object) => change(object, 'spec', defaultSpec),
    prepareForCreate: (object) => ({ ...object, status: { replicas: 0, availableReplicas: 0 } }),
    rules: ({ spec: given }, walk, old) => walk.check('spec', given, spec, old?.spec),
    statusRules: ({ status: given }, walk, old) => walk.check('status', given, status, old?.status),
    warnings: warningsOf,
    cells: (object, at) => [
      object.metadata.name,
      `${object.status.readyReplicas ?? 0}/${object.spec.replicas ?? 0}`,
      ageOf(object, at),
      ...containerCells(object.spec.template),
    ],
  },
});

function defaultSpec(given: StatefulSetSpec): StatefulSetSpec {
  const spec = change(defaultTemplateOf(given), 'updateStrategy', (strategy) => {
    // the limit is a feature that is off upstream
    const bare = change(strategy, 'rollingUpdate', (update) => setDefaults(omit(update, 'maxUnavailable'), { partition: 0 }));
    return bare.type ? bare : setDefaults({ ...bare, type: 'RollingUpdate' as const }, { rollingUpdate: { partition: 0 } });
  });
  const typed = change(spec, 'volumeClaimTemplates', (claims) =>
    mapSame(claims, (claim) => setDefaults(claim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim' })),
  );
  return change(typed, 'persistentVolumeClaimRetentionPolicy', (policy) =>
    setDefaults(policy, { whenDeleted: 'Retain', whenScaled: 'Retain' }),
  );
}

const updateStrategy: Rule<StatefulSetUpdateStrategy | undefined> = (given, walk) => {
  const { type, rollingUpdate } = given ?? {};
  if (type === 'OnDelete') {
    if (!rollingUpdate) return;
    const shown = { Partition: rollingUpdate.partition ?? 0, MaxUnavailable: null };
    walk.invalid('rollingUpdate', shown, "only allowed for updateStrategy 'RollingUpdate'");
  } else if (type === 'RollingUpdate') walk.check('rollingUpdate', rollingUpdate, partition);
  else walk.invalid('', { Type: type ?? '', RollingUpdate: rollingUpdate ?? null }, "must be 'RollingUpdate' or 'OnDelete'");
};
const partition = counters<{ readonly partition?: number }>('partition');

/** The template as its pods will have it: hostname and subdomain come from the set, a volume from each claim. */
const template: Rule<StatefulSetSpec> = ({ template: given, volumeClaimTemplates }, walk) => {
  const claims = listOf(volumeClaimTemplates).map((claim) => claim.metadata.name);
  const claimed = new Set(claims);
  const own = listOf(given.spec?.volumes).filter((volume) => !claimed.has(volume.name));
  const volumes = [...claims.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })), ...own];
  const completed: PodTemplateSpec = given.spec
    ? { ...given, spec: { ...omit(given.spec, 'hostname', 'subdomain'), ...(volumes.length && { volumes }) } }
    : given;
  walk.check('template', completed, podTemplate);
  walk.check('template', given.metadata, fields({ labels, annotations }));
  walk.check('template', { annotations: given.metadata?.annotations, spec: given.spec ?? { containers: [] } }, podAnnotations);
};

const retention = oneOf('Retain', 'Delete');
const created = fields<StatefulSetSpec>({
  volumeClaimTemplates: each(fields<PersistentVolumeClaim>({ spec: claimSpec() })),
  serviceName: filled(dnsLabel),
});

const spec = all<StatefulSetSpec>(
  ({ podManagementPolicy: policy }, walk) => {
    if (policy !== 'OrderedReady' && policy !== 'Parallel') {
      walk.invalid('podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'");
    }
  },
  fields({
    updateStrategy: evenAbsent(updateStrategy),
    persistentVolumeClaimRetentionPolicy: fields({ whenDeleted: retention, whenScaled: retention }),
  }),
  (given, walk) => {
    if (!walk.isUpdate) created(given, walk, undefined);
  },
  fields({ replicas: nonNegative, minReadySeconds: nonNegative, ordinals: fields({ start: nonNegative }) }),
  workloadSelector('statefulset'),
  (given, walk, old) => {
    if (checkSelected(given, walk)) template(given, walk, old);
    else walk.invalid('selector', given.selector, '');
  },
  lasting('StatefulSet'),
  (given, walk, old) => {
    if (!old || equalSemantically(omit(given, ...changeable), omit(old, ...changeable))) return;
    const names = changeable.map((field) => `'${field}'`);
    const list = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
    walk.forbidden('', `updates to statefulset spec for fields other than ${list} are forbidden`);
  },
);

const status = all<StatefulSetStatus>(
  counters('replicas', 'readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas', 'observedGeneration', 'collisionCount'),
  notGreater('readyReplicas', 'replicas', 'status.replicas'),
  notGreater('currentReplicas', 'replicas', 'status.replicas'),
  notGreater('updatedReplicas', 'replicas', 'status.replicas'),
  notGreater('availableReplicas', 'replicas', 'status.replicas'),
  notGreater('availableReplicas', 'readyReplicas', 'status.readyReplicas'),
  collisions,
);

function warningsOf(object: StatefulSet, old?: StatefulSet): readonly string[] {
  const { volumeClaimTemplates, revisionHistoryLimit = 0 } = object.spec;
  const claims = listOf(volumeClaimTemplates).flatMap(({ spec }, i) => {
    const path = `spec.volumeClaimTemplates[${i}]${old ? '.Spec' : ''}.resources`;
    const { requests, limits } = spec.resources ?? {};
    return [...fractionWarnings(`${path}.requests`, requests), ...fractionWarnings(`${path}.limits`, limits)];
  });
  const advice = 'a negative value retains all historical revisions; a value >= 0 is recommended';
  return [...workloadWarnings(object, old), ...claims, ...(revisionHistoryLimit < 0 ? [`spec.revisionHistoryLimit: ${advice}`] : [])];
}
