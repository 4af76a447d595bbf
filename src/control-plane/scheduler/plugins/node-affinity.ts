/** nodeSelector and node affinity. Upstream: plugins/nodeaffinity. */
import type { NodeSelectorTerm } from '../../../api/generated/core-v1.ts';
import { matchesTerm } from '../../../api/predicates/node-selection.ts';
import { type NodePlugin, rejectForGood } from '../framework.ts';
import type { PodFacts } from '../pod-facts.ts';

const name = 'NodeAffinity';
const mismatch = rejectForGood(name, "node(s) didn't match Pod's node affinity/selector");
const conflict = rejectForGood(name, 'pod affinity terms conflict');

export const nodeAffinity: NodePlugin = {
  name,
  scope: 'node',
  unblockedBy: {
    'node-added': (pod, { node }) => pod.matchesNode?.(node) ?? true,
    'node-changed': ({ matchesNode }, { node, old }) => Boolean(matchesNode?.(node)) && !matchesNode?.(old),
  },
  candidates(pod) {
    const named = namedNodes(pod);
    return named?.size === 0 ? conflict : named;
  },
  filter(pod, node) {
    return !pod.matchesNode || pod.matchesNode(node.node) ? undefined : mismatch;
  },
  weight: 2,
  normalization: 'most-is-best',
  score({ pod }, node) {
    const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    let sum = 0;
    for (const { weight, preference } of preferred) if (weight && matchesTerm(preference, node.node)) sum += weight;
    return sum;
  },
};

/** The nodes that the pod's terms name; undefined when a term names none and so admits any. */
function namedNodes({ pod }: PodFacts): ReadonlySet<string> | undefined {
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (!terms?.length) return undefined;
  const named = new Set<string>();
  for (const term of terms) {
    const names = namesIn(term);
    if (!names) return undefined;
    for (const each of names) named.add(each);
  }
  return named;
}

function namesIn({ matchFields = [] }: NodeSelectorTerm): ReadonlySet<string> | undefined {
  let names: ReadonlySet<string> | undefined;
  for (const { key, operator, values = [] } of matchFields) {
    if (key !== 'metadata.name' || operator !== 'In') continue;
    const own = new Set(values);
    names = names ? names.intersection(own) : own;
  }
  return names;
}
