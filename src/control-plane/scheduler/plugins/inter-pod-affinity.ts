/**
 * Pods that want to be with others, or away from them, within a topology domain; the wishes of pods that are there
 * already count too. Upstream: plugins/interpodaffinity.
 */
import { defineClusterPlugin, reject, rejectForGood, scoreMax } from '../framework.ts';
import type { NodeFacts } from '../node-facts.ts';
import type { NodeTable } from '../node-table.ts';
import type { AffinityTerm, PodFacts } from '../pod-facts.ts';

/** How much a required affinity of an existing pod counts for a new one that it means. */
const requiredAffinityWeight = 1;

/** Topology key → domain → number. */
class Domains {
  readonly #keys = new Map<string, Map<string, number>>();

  add(node: NodeFacts, key: string, value: number): void {
    const domain = node.label(key);
    if (domain === undefined) return;
    const counts = this.#keys.get(key) ?? new Map<string, number>();
    counts.set(domain, (counts.get(domain) ?? 0) + value);
    this.#keys.set(key, counts);
  }
  /** 0 where nothing was counted. */
  at(node: NodeFacts, key: string): number {
    const domain = node.label(key);
    return domain === undefined ? 0 : (this.#keys.get(key)?.get(domain) ?? 0);
  }
  get isEmpty(): boolean {
    return this.#keys.size === 0;
  }
  get keys(): Iterable<string> {
    return this.#keys.keys();
  }
}

interface FilterState {
  /** pods that all required affinity terms mean, by each term's key */
  readonly together: Domains;
  readonly apart: Domains;
  /** domains that existing pods' required anti-affinity keeps this pod out of */
  readonly refusing: Domains;
  readonly meansItself: boolean;
}

export const interPodAffinity = defineClusterPlugin<FilterState, Domains>({
  name: 'InterPodAffinity',
  scope: 'cluster',
  unblockedBy: ['node-added', 'node-changed', 'pod-assigned', 'pod-changed', 'pod-removed', 'own-pod-changed'],
  preFilter(pod, table) {
    const refusing = refusingDomains(pod, table);
    const { affinity, antiAffinity } = pod;
    if (refusing.isEmpty && affinity.required.length + antiAffinity.required.length === 0) return undefined;
    const together = new Domains();
    const apart = new Domains();
    if (affinity.required.length + antiAffinity.required.length > 0) {
      eachPod(table, false, (existing, node) => {
        if (affinity.required.length && affinity.required.every((term) => term.means(existing, table.namespaceLabels))) {
          for (const term of affinity.required) together.add(node, term.topologyKey, 1);
        }
        for (const term of antiAffinity.required) if (term.means(existing, table.namespaceLabels)) apart.add(node, term.topologyKey, 1);
      });
    }
    return { together, apart, refusing, meansItself: affinity.required.every((term) => term.means(pod, table.namespaceLabels)) };
  },
  filter(pod, node, state) {
    if (!isWithItsOwn(pod, node, state)) return rejectForGood("node(s) didn't match pod affinity rules");
    if (pod.antiAffinity.required.some((term) => state.apart.at(node, term.topologyKey) > 0))
      return reject("node(s) didn't match pod anti-affinity rules");
    for (const key of state.refusing.keys) {
      if (state.refusing.at(node, key) > 0) return reject("node(s) didn't satisfy existing pods anti-affinity rules");
    }
    return undefined;
  },
  weight: 2,
  preScore(pod, table) {
    const scores = new Domains();
    const hasPreferences = pod.affinity.preferred.length + pod.antiAffinity.preferred.length > 0;
    eachPod(table, !hasPreferences, (existing, node) => {
      const add = (terms: readonly AffinityTerm[], about: PodFacts, sign: number, weight?: number): void => {
        for (const term of terms)
          if (term.means(about, table.namespaceLabels)) scores.add(node, term.topologyKey, sign * (weight ?? term.weight));
      };
      add(pod.affinity.preferred, existing, 1);
      add(pod.antiAffinity.preferred, existing, -1);
      add(existing.affinity.required, pod, 1, requiredAffinityWeight);
      add(existing.affinity.preferred, pod, 1);
      add(existing.antiAffinity.preferred, pod, -1);
    });
    return scores.isEmpty ? undefined : scores;
  },
  score(_pod, node, scores) {
    let sum = 0;
    for (const key of scores.keys) sum += scores.at(node, key);
    return sum;
  },
  normalize(scores) {
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (const score of scores) {
      if (score < least) least = score;
      if (score > most) most = score;
    }
    scores.forEach((score, i) => {
      scores[i] = most > least ? Math.trunc((scoreMax * (score - least)) / (most - least)) : 0;
    });
  },
});

/** All terms hold; or nobody matches yet, and the pod is the first of a group that means itself. */
function isWithItsOwn(pod: PodFacts, node: NodeFacts, { together, meansItself }: FilterState): boolean {
  const { required } = pod.affinity;
  if (required.length === 0) return true;
  if (!required.every((term) => node.label(term.topologyKey) !== undefined)) return false;
  if (required.every((term) => together.at(node, term.topologyKey) > 0)) return true;
  return together.isEmpty && meansItself;
}

function refusingDomains(pod: PodFacts, table: NodeTable): Domains {
  const refusing = new Domains();
  eachPod(table, true, (existing, node) => {
    for (const term of existing.antiAffinity.required) if (term.means(pod, table.namespaceLabels)) refusing.add(node, term.topologyKey, 1);
  });
  return refusing;
}

function eachPod(table: NodeTable, onlyWithAffinity: boolean, visit: (pod: PodFacts, node: NodeFacts) => void): void {
  if (onlyWithAffinity) {
    for (const node of table.nodesWithAffinity) for (const pod of node.podsWithAffinity.values()) visit(pod, node);
    return;
  }
  for (const node of table.nodes) for (const pod of node?.pods.values() ?? []) if (node) visit(pod, node);
}
