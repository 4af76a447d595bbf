/** Rules of tolerations, taints, topology spread constraints and gates. Upstream: pkg/apis/core/validation/validation.go. */

import type { PodSchedulingGate, Taint, Toleration, TopologySpreadConstraint } from '../../../generated/core-v1.ts';
import { checkLabelValue } from '../../../meta/names.ts';
import { all, each, eachBy, fields, filled, oneOf, positive, required, uniqueBy } from '../../../schema/rules/rules.ts';
import type { Rule } from '../../../schema/rules/walk.ts';
import { demandedQualifiedName, qualifiedName, selector } from '../../shared-rules.ts';
import { labelKeys } from './affinity-checks.ts';

const effect = oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute');

const toleration: Rule<Toleration> = (given, walk, old) => {
  const { key, operator = '', value = '', effect: its = '' } = given;
  const refuseOperator = (bad: string, message: string): void => walk.invalid('operator', bad, message);
  if (key) walk.check('key', key, qualifiedName);
  else if (operator !== 'Exists') {
    refuseOperator(operator, 'operator must be Exists when `key` is empty, which means "match all values and all keys"');
  }
  if (given.tolerationSeconds !== undefined && its !== 'NoExecute') {
    walk.invalid('effect', its, "effect must be 'NoExecute' when `tolerationSeconds` is set");
  }
  if (operator === 'Equal' || operator === '') {
    const messages = checkLabelValue(value);
    if (messages.length) refuseOperator(value, messages.join(';'));
  } else if (operator === 'Exists') {
    if (value) refuseOperator(value, "value must be empty when `operator` is 'Exists'");
  } else {
    const more = operator === 'Lt' || operator === 'Gt' ? ['Lt', 'Gt'] : [];
    walk.notSupported('operator', operator, ['Equal', 'Exists', ...more]);
  }
  effects(given, walk, old);
};
const effects = fields<{ readonly effect?: string }>({ effect: filled(effect) });
export const tolerations = each(toleration);

export const taints = eachBy<Taint>(() => {
  const seen = new Set<string>();
  return (taint, walk) => {
    keyed(taint, walk, undefined);
    const messages = checkLabelValue(taint.value ?? '');
    if (messages.length) walk.invalid('value', taint.value, messages.join(';'));
    demandedEffect(taint, walk, undefined);
    const pair = `${taint.effect} ${taint.key}`;
    if (seen.has(pair)) walk.duplicate('', taint, 'taints must be unique by key and effect pair');
    seen.add(pair);
  };
});
const keyed = fields<Taint>({ key: demandedQualifiedName });
const demandedEffect = fields<Taint>({ effect: required(effect) });

export const spreadConstraints = eachBy<TopologySpreadConstraint>((list) => {
  const pairOf = (c: TopologySpreadConstraint): string => JSON.stringify([c.topologyKey, c.whenUnsatisfiable]);
  const last = new Map(list.map((constraint, i) => [pairOf(constraint), i]));
  let index = 0;
  return all<TopologySpreadConstraint>(
    fields({
      maxSkew: positive(),
      topologyKey: required(undefined, 'can not be empty'),
      whenUnsatisfiable: oneOf('DoNotSchedule', 'ScheduleAnyway'),
    }),
    (constraint, walk) => {
      const { topologyKey, whenUnsatisfiable, minDomains } = constraint;
      if (last.get(pairOf(constraint)) !== index++) {
        walk.duplicate('{topologyKey, whenUnsatisfiable}', `{${topologyKey}, ${whenUnsatisfiable}}`);
      }
      if (minDomains === undefined) return;
      walk.check('minDomains', minDomains, positive());
      if (whenUnsatisfiable === 'DoNotSchedule') return;
      walk.invalid('minDomains', minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`);
    },
    fields({ nodeAffinityPolicy: oneOf('Honor', 'Ignore'), nodeTaintsPolicy: oneOf('Honor', 'Ignore') }),
    labelKeys,
    fields({ labelSelector: selector }),
  );
});

export const schedulingGates = uniqueBy<PodSchedulingGate>(({ name }) => name, {
  rule: ({ name }, walk) => qualifiedName(name, walk, undefined),
});
