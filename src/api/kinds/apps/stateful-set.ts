/** StatefulSet: most of its spec is fixed when it is created. Upstream: pkg/registry/apps/statefulset, pkg/apis/apps/validation. */

import type { StatefulSetSpec } from '../../generated/apps-v1.ts';
import type { PodTemplateSpec } from '../../generated/core-v1.ts';
import { StatefulSet } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { nameIsDnsLabel } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { addJudged } from '../../schema/rules/walk.ts';
import { ageOf, containerCells } from '../cells.ts';
import { checkAnnotations, checkDnsLabel, checkLabels, checkNonnegative, checkSupported, type Errors } from '../checks.ts';
import { checkClaimSpec } from '../core/claim-checks.ts';
import { podAnnotations } from '../core/pod-spec/annotation-checks.ts';
import { defaultTemplateOf } from '../core/pod-spec/defaults.ts';
import { podTemplate } from '../core/pod-spec/validate-pod-spec.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { fractionWarnings } from '../quantity-warnings.ts';
import { checkNotGreater } from '../replica-status.ts';
import { change, mapSame, omit, setDefaults } from '../set-defaults.ts';
import { checkCollisions, checkLasting, checkSelected, checkWorkloadSelector, workloadWarnings } from '../workload-checks.ts';

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
    validate,
    validateStatus,
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

function validate(object: StatefulSet, old?: StatefulSet): readonly FieldError[] {
  const errors: Errors = [];
  const { spec } = object;
  checkPolicies(errors, spec);
  if (!old) {
    listOf(spec.volumeClaimTemplates).forEach((claim, i) => {
      checkClaimSpec(errors, `spec.volumeClaimTemplates[${i}].spec`, claim.spec);
    });
    if (spec.serviceName) checkDnsLabel(errors, 'spec.serviceName', spec.serviceName);
  }
  checkNonnegative(errors, 'spec.replicas', spec.replicas);
  checkNonnegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  checkNonnegative(errors, 'spec.ordinals.start', spec.ordinals?.start);
  checkWorkloadSelector(errors, spec, 'statefulset');
  if (checkSelected(errors, spec)) checkTemplate(errors, spec);
  else errors.push(fieldErrors.invalid('spec.selector', spec.selector, ''));
  checkLasting(errors, spec.template, 'StatefulSet');
  if (old && !equalSemantically(omit(spec, ...changeable), omit(old.spec, ...changeable))) {
    const names = changeable.map((field) => `'${field}'`);
    const list = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
    errors.push(fieldErrors.forbidden('spec', `updates to statefulset spec for fields other than ${list} are forbidden`));
  }
  return errors;
}

function checkPolicies(errors: Errors, spec: StatefulSetSpec): void {
  const { podManagementPolicy: management, updateStrategy: strategy, persistentVolumeClaimRetentionPolicy: retention } = spec;
  if (management !== 'OrderedReady' && management !== 'Parallel') {
    errors.push(fieldErrors.invalid('spec.podManagementPolicy', management, "must be 'OrderedReady' or 'Parallel'"));
  }
  const { type, rollingUpdate } = strategy ?? {};
  if (type === 'OnDelete') {
    if (rollingUpdate) {
      const shown = { Partition: rollingUpdate.partition ?? 0, MaxUnavailable: null };
      const message = "only allowed for updateStrategy 'RollingUpdate'";
      errors.push(fieldErrors.invalid('spec.updateStrategy.rollingUpdate', shown, message));
    }
  } else if (type === 'RollingUpdate') checkNonnegative(errors, 'spec.updateStrategy.rollingUpdate.partition', rollingUpdate?.partition);
  else {
    const shown = { Type: type ?? '', RollingUpdate: rollingUpdate ?? null };
    errors.push(fieldErrors.invalid('spec.updateStrategy', shown, "must be 'RollingUpdate' or 'OnDelete'"));
  }
  for (const field of ['whenDeleted', 'whenScaled'] as const) {
    checkSupported(errors, `spec.persistentVolumeClaimRetentionPolicy.${field}`, retention?.[field], ['Retain', 'Delete']);
  }
}

/** The template as its pods will have it: hostname and subdomain come from the set, a volume from each claim. */
function checkTemplate(errors: Errors, spec: StatefulSetSpec): void {
  const { template } = spec;
  const claims = listOf(spec.volumeClaimTemplates).map((claim) => claim.metadata.name);
  const claimed = new Set(claims);
  const own = listOf(template.spec?.volumes).filter((volume) => !claimed.has(volume.name));
  const volumes = [...claims.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })), ...own];
  const completed: PodTemplateSpec = template.spec
    ? { ...template, spec: { ...omit(template.spec, 'hostname', 'subdomain'), ...(volumes.length && { volumes }) } }
    : template;
  addJudged(errors, 'spec.template', completed, podTemplate);
  const { labels, annotations = {} } = template.metadata ?? {};
  checkLabels(errors, 'spec.template.labels', labels);
  checkAnnotations(errors, 'spec.template.annotations', annotations);
  addJudged(errors, 'spec.template', { annotations, spec: template.spec ?? { containers: [] } }, podAnnotations);
}

const counters = [
  'replicas',
  'readyReplicas',
  'currentReplicas',
  'updatedReplicas',
  'availableReplicas',
  'observedGeneration',
  'collisionCount',
] as const;

function validateStatus({ status }: StatefulSet, old: StatefulSet): readonly FieldError[] {
  const errors: Errors = [];
  for (const field of counters) checkNonnegative(errors, `status.${field}`, status[field]);
  for (const field of ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'] as const) {
    checkNotGreater(errors, 'status', status, { field, than: 'replicas', called: 'status.replicas' });
  }
  checkNotGreater(errors, 'status', status, { field: 'availableReplicas', than: 'readyReplicas', called: 'status.readyReplicas' });
  checkCollisions(errors, status, old.status);
  return errors;
}

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
