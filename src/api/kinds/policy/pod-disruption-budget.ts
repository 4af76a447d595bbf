/** PodDisruptionBudget. Upstream: pkg/registry/policy/poddisruptionbudget, pkg/apis/policy/validation. */

import { PodDisruptionBudget } from '../../generated/kinds.ts';
import type { PodDisruptionBudgetSpec, PodDisruptionBudgetStatus } from '../../generated/policy-v1.ts';
import type { IntOrString } from '../../meta/intstr.ts';
import { all, fields, oneOf } from '../../schema/rules/rules.ts';
import { nameAndAge } from '../cells.ts';
import { conditions } from '../condition-checks.ts';
import { defineKind } from '../define-kind.ts';
import { counters } from '../replica-status.ts';
import { atMostAll, intOrPercent } from '../rolling-checks.ts';
import { selector } from '../shared-rules.ts';

const noStatus = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };

export const podDisruptionBudget = defineKind(PodDisruptionBudget, {
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  hooks: {
    prepareForCreate: (object) => ({ ...object, status: noStatus }),
    rules: ({ spec: given }, walk) => walk.check('spec', given, spec),
    statusRules: ({ status: given }, walk) => walk.check('status', given, status),
    cells: nameAndAge(({ spec, status }) => [
      amountText(spec.minAvailable),
      amountText(spec.maxUnavailable),
      status.disruptionsAllowed ?? 0,
    ]),
  },
});

const amountText = (amount: IntOrString | undefined): string => (amount === undefined ? 'N/A' : String(amount));

const amount = all(intOrPercent, atMostAll);

const spec = all<PodDisruptionBudgetSpec>(
  ({ minAvailable, maxUnavailable, selector: Selector = null, unhealthyPodEvictionPolicy: policy = null }, walk) => {
    if (minAvailable === undefined || maxUnavailable === undefined) return;
    const shown = { MinAvailable: minAvailable, Selector, MaxUnavailable: maxUnavailable, UnhealthyPodEvictionPolicy: policy };
    walk.invalid('', shown, 'minAvailable and maxUnavailable cannot be both set');
  },
  fields({ minAvailable: amount, maxUnavailable: amount, selector, unhealthyPodEvictionPolicy: oneOf('AlwaysAllow', 'IfHealthyBudget') }),
);

const status = all<PodDisruptionBudgetStatus>(
  fields({ conditions }),
  counters('disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'),
);
