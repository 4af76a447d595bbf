/** Checks of tolerations, taints, topology spread constraints and gates. Upstream: pkg/apis/core/validation/validation.go. */
import type { PodSchedulingGate, Taint, Toleration, TopologySpreadConstraint } from '../../../generated/core-v1.ts';
import { checkLabelValue } from '../../../meta/names.ts';
import { fieldErrors } from '../../../meta/status-error.ts';
import { checkLabelKey, checkPositive, checkSelector, checkSupported, type Errors } from '../../checks.ts';
import { checkLabelKeys } from './affinity-checks.ts';

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function checkTolerations(errors: Errors, path: string, tolerations: readonly Toleration[]): void {
  for (const [i, toleration] of tolerations.entries()) checkToleration(errors, `${path}[${i}]`, toleration);
}

function checkToleration(errors: Errors, path: string, toleration: Toleration): void {
  const { key, operator = '', value = '', effect = '' } = toleration;
  if (key) checkLabelKey(errors, `${path}.key`, key);
  else if (operator !== 'Exists') {
    const message = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(fieldErrors.invalid(`${path}.operator`, operator, message));
  }
  if (toleration.tolerationSeconds !== undefined && effect !== 'NoExecute') {
    errors.push(fieldErrors.invalid(`${path}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  }
  if (operator === 'Equal' || operator === '') {
    const messages = checkLabelValue(value);
    if (messages.length) errors.push(fieldErrors.invalid(`${path}.operator`, value, messages.join(';')));
  } else if (operator === 'Exists') {
    if (value) errors.push(fieldErrors.invalid(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'"));
  } else {
    const supported = operator === 'Lt' || operator === 'Gt' ? ['Equal', 'Exists', 'Lt', 'Gt'] : ['Equal', 'Exists'];
    errors.push(fieldErrors.notSupported(`${path}.operator`, operator, supported));
  }
  if (effect) checkSupported(errors, `${path}.effect`, effect, effects);
}

export function checkTaints(errors: Errors, path: string, taints: readonly Taint[]): void {
  const seen = new Set<string>();
  for (const [i, taint] of taints.entries()) {
    const at = `${path}[${i}]`;
    checkLabelKey(errors, `${at}.key`, taint.key);
    const messages = checkLabelValue(taint.value ?? '');
    if (messages.length) errors.push(fieldErrors.invalid(`${at}.value`, taint.value, messages.join(';')));
    if (!taint.effect) errors.push(fieldErrors.required(`${at}.effect`));
    else checkSupported(errors, `${at}.effect`, taint.effect, effects);
    const pair = `${taint.effect} ${taint.key}`;
    if (seen.has(pair)) errors.push({ ...fieldErrors.duplicate(at, taint), detail: 'taints must be unique by key and effect pair' });
    seen.add(pair);
  }
}

export function checkSpreadConstraints(errors: Errors, path: string, constraints: readonly TopologySpreadConstraint[]): void {
  const pairOf = (c: TopologySpreadConstraint): string => JSON.stringify([c.topologyKey, c.whenUnsatisfiable]);
  const last = new Map(constraints.map((constraint, i) => [pairOf(constraint), i]));
  for (const [i, constraint] of constraints.entries()) {
    const at = `${path}[${i}]`;
    const { topologyKey, whenUnsatisfiable, minDomains } = constraint;
    checkPositive(errors, `${at}.maxSkew`, constraint.maxSkew);
    if (!topologyKey) errors.push(fieldErrors.required(`${at}.topologyKey`, 'can not be empty'));
    checkSupported(errors, `${at}.whenUnsatisfiable`, whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway']);
    if (last.get(pairOf(constraint)) !== i) {
      errors.push(fieldErrors.duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`));
    }
    if (minDomains !== undefined) {
      checkPositive(errors, `${at}.minDomains`, minDomains);
      if (whenUnsatisfiable !== 'DoNotSchedule') {
        const message = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
        errors.push(fieldErrors.invalid(`${at}.minDomains`, minDomains, message));
      }
    }
    checkSupported(errors, `${at}.nodeAffinityPolicy`, constraint.nodeAffinityPolicy, ['Honor', 'Ignore']);
    checkSupported(errors, `${at}.nodeTaintsPolicy`, constraint.nodeTaintsPolicy, ['Honor', 'Ignore']);
    checkLabelKeys(errors, at, constraint);
    checkSelector(errors, `${at}.labelSelector`, constraint.labelSelector);
  }
}

export function checkSchedulingGates(errors: Errors, path: string, gates: readonly PodSchedulingGate[]): void {
  const seen = new Set<string>();
  for (const [i, { name }] of gates.entries()) {
    checkLabelKey(errors, `${path}[${i}]`, name);
    if (seen.has(name)) errors.push(fieldErrors.duplicate(`${path}[${i}]`, name));
    seen.add(name);
  }
}
