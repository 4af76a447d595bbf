/**
 * DaemonSet. The old counter of template changes lives on in an annotation, which clients can't set.
 * Upstream: pkg/registry/apps/daemonset, pkg/apis/apps/v1/conversion.go, pkg/apis/apps/validation/validation.go.
 */

import type { DaemonSetSpec, DaemonSetStatus, DaemonSetUpdateStrategy, RollingUpdateDaemonSet } from '../../generated/apps-v1.ts';
import { DaemonSet } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { all, evenAbsent, fields, immutable, nonNegative } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { ageOf, containerCells, formatLabels, formatSelector } from '../cells.ts';
import { isEmptySelector } from '../checks.ts';
import { defaultTemplateOf } from '../core/pod-spec/defaults.ts';
import { defineKind } from '../define-kind.ts';
import { counters } from '../replica-status.ts';
import { amountOf, atMostAll, intOrPercent } from '../rolling-checks.ts';
import { change, setDefaults } from '../set-defaults.ts';
import { selector } from '../shared-rules.ts';
import { checkSelected, collisions, lastingTemplate, workloadWarnings } from '../workload-checks.ts';

const generationKey = 'deprecated.daemonset.template.generation';
const rollingDefaults = { maxUnavailable: 1, maxSurge: 0 } as const;
const noStatus = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 };

export const daemonSet = defineKind(DaemonSet, {
  hasGeneration: true,
  hooks: {
    default: (object) => withTemplateGeneration(change(object, 'spec', defaultSpec), templateGeneration(object)),
    prepareForCreate: (object) => withTemplateGeneration({ ...object, status: noStatus }, Math.max(templateGeneration(object), 1)),
    prepareForUpdate(object, old) {
      const generation = templateGeneration(old);
      const changed = !equalSemantically(object.spec.template, old.spec.template);
      return withTemplateGeneration(object, changed ? generation + 1 : generation);
    },
    rules: ({ spec: given }, walk, old) => walk.check('spec', given, spec, old?.spec),
    statusRules: ({ status: given }, walk, old) => walk.check('status', given, status, old?.status),
    warnings: workloadWarnings,
    cells: (object, at) => {
      const { spec, status } = object;
      return [
        object.metadata.name,
        status.desiredNumberScheduled,
        status.currentNumberScheduled,
        status.numberReady,
        status.updatedNumberScheduled ?? 0,
        status.numberAvailable ?? 0,
        formatLabels(spec.template.spec?.nodeSelector),
        ageOf(object, at),
        ...containerCells(spec.template),
        formatSelector(spec.selector),
      ];
    },
  },
});

function templateGeneration(object: DaemonSet): number {
  const text = object.metadata.annotations?.[generationKey] ?? '';
  return /^\d+$/.test(text) ? Number(text) : 0;
}

function withTemplateGeneration(object: DaemonSet, generation: number): DaemonSet {
  const { metadata } = object;
  const text = String(generation);
  if (metadata.annotations?.[generationKey] === text) return object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [generationKey]: text } } };
}

function defaultSpec(given: DaemonSetSpec): DaemonSetSpec {
  return change(defaultTemplateOf(given), 'updateStrategy', (strategy) => {
    if (strategy.type !== 'RollingUpdate') return strategy;
    const rollingUpdate = setDefaults(strategy.rollingUpdate ?? {}, rollingDefaults);
    return rollingUpdate === strategy.rollingUpdate ? strategy : { ...strategy, rollingUpdate };
  });
}

const rolling = all<RollingUpdateDaemonSet>(
  fields({ maxUnavailable: intOrPercent, maxSurge: intOrPercent }),
  fields({ maxUnavailable: atMostAll, maxSurge: atMostAll }),
  ({ maxUnavailable, maxSurge }, walk) => {
    const [unavailable, surge] = [amountOf(maxUnavailable), amountOf(maxSurge)];
    if (unavailable && surge) walk.invalid('maxSurge', maxSurge, 'may not be set when maxUnavailable is non-zero');
    else if (!unavailable && !surge) walk.required('maxUnavailable', 'cannot be 0 when maxSurge is 0');
  },
);
const updateStrategy: Rule<DaemonSetUpdateStrategy | undefined> = (given, walk) => {
  const { type, rollingUpdate } = given ?? {};
  if (type === 'OnDelete') return;
  if (type === 'RollingUpdate') walk.check('rollingUpdate', rollingUpdate ?? {}, rolling);
  else walk.notSupported('', { Type: type ?? '', RollingUpdate: rollingUpdate ?? null }, ['RollingUpdate', 'OnDelete']);
};

const spec = all<DaemonSetSpec>(
  fields({ selector: all(immutable(), selector) }),
  (given, walk) => {
    checkSelected(given, walk);
    const { selector: its } = given as { readonly selector?: DaemonSetSpec['selector'] };
    if (its && isEmptySelector(its)) walk.invalid('selector', its, 'empty selector is invalid for daemonset');
  },
  lastingTemplate('DaemonSet'),
  fields({ minReadySeconds: nonNegative, updateStrategy: evenAbsent(updateStrategy), revisionHistoryLimit: nonNegative }),
);

const status = all<DaemonSetStatus>(
  counters(
    'currentNumberScheduled',
    'numberMisscheduled',
    'desiredNumberScheduled',
    'numberReady',
    'observedGeneration',
    'updatedNumberScheduled',
    'numberAvailable',
    'numberUnavailable',
    'collisionCount',
  ),
  collisions,
);
