/**
 * nodeSelector and node affinity, compiled once per pod. Terms are alternatives; what is in a term must all hold; an
 * empty term matches nothing. Upstream: component-helpers/scheduling/corev1/nodeaffinity.
 */
import type { NodeSelectorRequirement, NodeSelectorTerm, PodSpec, TopologySelectorTerm } from '../generated/core-v1.ts';
import type { Node } from '../generated/kinds.ts';
import { isOrdered } from '../meta/selectors.ts';
import { regionLabel, zoneLabel } from '../meta/well-known.ts';
import { own } from '../meta/words.ts';

type Labelled = Pick<Node, 'metadata'>;
export type NodeMatcher = (node: Labelled) => boolean;

export function labelOf(node: Labelled, key: string): string | undefined {
  const { labels } = node.metadata;
  return own(labels, key);
}

/** Region and zone, as one key. */
export const zoneOf = (node: Node): string => `${labelOf(node, regionLabel) ?? ''}/${labelOf(node, zoneLabel) ?? ''}`;

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
    case 'Lt':
      return isOrdered(value ?? '', values[0] ?? '', requirement.operator === 'Gt' ? 'gt' : 'lt');
    default:
      return false;
  }
}

export function matchesTerm(term: NodeSelectorTerm, node: Labelled): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  return (
    matchExpressions.every((requirement) => meets(requirement, labelOf(node, requirement.key))) &&
    matchFields.every((requirement) => requirement.key === 'metadata.name' && meets(requirement, node.metadata.name))
  );
}

/** Of a storage class: without terms all nodes are. */
export const isInTopologies = (node: Labelled, terms: readonly TopologySelectorTerm[] = []): boolean =>
  terms.length === 0 ||
  terms.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) => values.includes(labelOf(node, key) ?? '')),
  );

/** Undefined: the pod takes any node. */
export function requiredNodeMatcher(spec: PodSpec): NodeMatcher | undefined {
  const selector = Object.entries(spec.nodeSelector ?? {});
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (selector.length === 0 && !terms) return undefined;
  return (node) => {
    if (!selector.every(([key, value]) => labelOf(node, key) === value)) return false;
    return !terms || terms.some((term) => matchesTerm(term, node));
  };
}
