/**
 * nodeSelector and node affinity, compiled once per pod. Terms are alternatives; what is in a term must all hold; an
 * empty term matches nothing. Upstream: component-helpers/scheduling/corev1/nodeaffinity.
 */

import type { NodeSelectorRequirement, NodeSelectorTerm, PodSpec } from '../../api/generated/core-v1.ts';
import type { Node } from '../../api/generated/kinds.ts';

export type NodeMatcher = (node: Node) => boolean;

function meets(requirement: NodeSelectorRequirement, value: string | undefined): boolean {
  const values = requirement.values ?? [];
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      const bound = Number(values[0]);
      const number = Number(value);
      if (value === undefined || !Number.isInteger(number) || !Number.isInteger(bound)) return false;
      return requirement.operator === 'Gt' ? number > bound : number < bound;
    }
    default:
      return false;
  }
}

export function matchesTerm(term: NodeSelectorTerm, node: Node): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  const labels = node.metadata.labels;
  return (
    matchExpressions.every((requirement) => meets(requirement, labels?.[requirement.key])) &&
    matchFields.every((requirement) => requirement.key === 'metadata.name' && meets(requirement, node.metadata.name))
  );
}

/** Undefined: the pod takes any node. */
export function requiredNodeMatcher(spec: PodSpec): NodeMatcher | undefined {
  const selector = Object.entries(spec.nodeSelector ?? {});
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (selector.length === 0 && !terms) return undefined;
  return (node) => {
    const labels = node.metadata.labels;
    if (!selector.every(([key, value]) => labels?.[key] === value)) return false;
    return !terms || terms.some((term) => matchesTerm(term, node));
  };
}
