/** Labels of nodes that nobody should select by any more. Upstream: pkg/api/node/util.go. */
import type { NodeSelectorTerm } from '../../../generated/core-v1.ts';
import { checkLabelValue } from '../../../meta/names.ts';
import { listOf } from '../../lists.ts';

const useInstead = (since: string, label: string): string => `deprecated since ${since}; use "${label}" instead`;

export const deprecatedNodeLabels: ReadonlyMap<string, string> = new Map([
  ['beta.kubernetes.io/arch', useInstead('v1.14', 'kubernetes.io/arch')],
  ['beta.kubernetes.io/os', useInstead('v1.14', 'kubernetes.io/os')],
  ['failure-domain.beta.kubernetes.io/region', useInstead('v1.17', 'topology.kubernetes.io/region')],
  ['failure-domain.beta.kubernetes.io/zone', useInstead('v1.17', 'topology.kubernetes.io/zone')],
  ['beta.kubernetes.io/instance-type', useInstead('v1.17', 'node.kubernetes.io/instance-type')],
  ['app.kubernetes.io/created-by', 'deprecated since v1.9'],
  ['scheduler.alpha.kubernetes.io/preferAvoidPods', 'deprecated since v1.22; use Taints and Tolerations instead'],
  ['node-role.kubernetes.io/master', 'use "node-role.kubernetes.io/control-plane" instead'],
]);

export function termWarnings(path: string, term: NodeSelectorTerm, withValues: boolean): readonly string[] {
  return listOf(term.matchExpressions).flatMap(({ key, values }, i) => {
    const at = `${path}.matchExpressions[${i}]`;
    const message = deprecatedNodeLabels.get(key);
    const invalid = withValues
      ? listOf(values).flatMap((value, j) => checkLabelValue(value).map((text) => `${at}.values[${j}]: ${value} is invalid, ${text}`))
      : [];
    return message ? [`${at}.key: ${key} is ${message}`, ...invalid] : invalid;
  });
}
