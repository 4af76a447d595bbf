/**
 * Pods that want to be with others, or away from them, within a topology domain; the wishes of pods that are there
 * already count too. Upstream: plugins/interpodaffinity.
 */
import type { Node } from '../../../api/generated/kinds.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import { labelOf } from '../../../api/predicates/node-selection.ts';
import type { AffinityTerm } from '../affinity-term.ts';
import { defineClusterPlugin, type EventHints, reject, rejectForGood, scoreMax } from '../framework.ts';
import type { NodeFacts } from '../node-facts.ts';
import type { NodeTable } from '../node-table.ts';
import type { PodFacts } from '../pod-facts.ts';
import type { Domains } from '../topology.ts';

const name = 'InterPodAffinity';
const apartFromItsOwn = rejectForGood(name, "node(s) didn't match pod affinity rules");
const withOthers = reject(name, "node(s) didn't match pod anti-affinity rules");
const refused = reject(name, "node(s) didn't satisfy existing pods anti-affinity rules");

const meansAll = (terms: readonly AffinityTerm[], pod: PodFacts): boolean => terms.length > 0 && terms.every((term) => term.mayMean(pod));
const meansAny = (terms: readonly AffinityTerm[], pod: PodFacts): boolean => terms.some((term) => term.mayMean(pod));

/** A change of the label that the term goes by: one that came or changed brings others near, one that went keeps them apart. */
const movedNear = (terms: readonly AffinityTerm[], node: Node, old: Node): boolean =>
  terms.some(({ topologyKey }) => labelOf(node, topologyKey) !== undefined && labelOf(node, topologyKey) !== labelOf(old, topologyKey));
const movedApart = (terms: readonly AffinityTerm[], node: Node, old: Node): boolean => movedNear(terms, old, node);

const unblockedBy: EventHints = {
  'node-added': ({ affinity }, { node }) =>
    affinity.required.length === 0 || affinity.required.some(({ topologyKey }) => labelOf(node, topologyKey) !== undefined),
  'node-changed': ({ affinity, antiAffinity }, { node, old }) => {
    if (equalJson(node.metadata.labels, old.metadata.labels)) return false;
    const isRefusedOnly = affinity.required.length + antiAffinity.required.length === 0;
    return isRefusedOnly || movedNear(affinity.required, node, old) || movedApart(antiAffinity.required, node, old);
  },
  'pod-assigned': ({ affinity }, { pod }) => meansAll(affinity.required, pod),
  'pod-changed': ({ affinity, antiAffinity }, { pod, old }) =>
    (meansAll(affinity.required, pod) && !meansAll(affinity.required, old)) ||
    antiAffinity.required.some((term) => term.mayMean(old) && !term.mayMean(pod)),
  'pod-removed': (pod, { old }) => meansAny(pod.antiAffinity.required, old) || meansAny(old.antiAffinity.required, pod),
  'own-pod-changed': (pod, { old }) => !equalJson(pod.labels, old.labels),
};

/** How much a required affinity of a pod that is there counts for a new one that it means. */
const requiredAffinityWeight = 1;

/** Numbers per domain of one topology key. */
class DomainSums {
  readonly domains: Domains;
  readonly sums: Int32Array;
  constructor(domains: Domains, sums: Int32Array = new Int32Array(domains.size)) {
    this.domains = domains;
    this.sums = sums;
  }
  /** 0 for a node in no domain. */
  at(node: NodeFacts): number {
    return this.sums[this.domains.at(node)] ?? 0;
  }
  add(domain: number, by: number): void {
    if (domain >= 0) this.sums[domain] = (this.sums[domain] ?? 0) + by;
  }
}

/** Topology key → numbers per domain. */
class SumsByKey {
  readonly #table: NodeTable;
  readonly byKey = new Map<string, DomainSums>();
  constructor(table: NodeTable) {
    this.#table = table;
  }
  of(topologyKey: string): DomainSums {
    let sums = this.byKey.get(topologyKey);
    if (!sums) {
      sums = new DomainSums(this.#table.topology.of(topologyKey));
      this.byKey.set(topologyKey, sums);
    }
    return sums;
  }
  get isEmpty(): boolean {
    return this.byKey.size === 0;
  }
}

interface FilterState {
  /** per required affinity term: the pods that all of them mean */
  readonly together: readonly DomainSums[];
  /** of all of `together` */
  found: number;
  /** per required anti-affinity term */
  readonly apart: readonly DomainSums[];
  /** where required anti-affinity of pods that are there keeps this pod out */
  readonly refusing: SumsByKey;
  readonly meansItself: boolean;
}

export const interPodAffinity = defineClusterPlugin<FilterState, SumsByKey>({
  name,
  scope: 'cluster',
  unblockedBy,
  preFilter(pod, table) {
    const refusing = refusingDomains(pod, table);
    const affinity = pod.affinity.required;
    const antiAffinity = pod.antiAffinity.required;
    if (refusing.isEmpty && affinity.length + antiAffinity.length === 0) return undefined;
    const sumOf = (term: AffinityTerm, perNode: Int32Array): DomainSums => {
      const domains = table.topology.of(term.topologyKey);
      return new DomainSums(domains, domains.sum(perNode));
    };
    const meant = affinity.length ? countMeant(affinity, table) : undefined;
    const together = meant ? affinity.map((term) => sumOf(term, meant)) : [];
    return {
      together,
      found: together.reduce((sum, { sums }) => sum + sums.reduce((a, b) => a + b, 0), 0),
      apart: antiAffinity.map((term) => sumOf(term, countMeant([term], table))),
      refusing,
      meansItself: affinity.every((term) => term.means(pod, table.namespaceLabels)),
    };
  },
  filter(pod, node, state) {
    if (!isWithItsOwn(pod, node, state)) return apartFromItsOwn;
    for (const sums of state.apart) if (sums.at(node) > 0) return withOthers;
    for (const sums of state.refusing.byKey.values()) if (sums.at(node) > 0) return refused;
    return undefined;
  },
  change(pod, { other, node, by, table }, state) {
    const { namespaceLabels } = table;
    const affinity = pod.affinity.required;
    if (affinity.length && affinity.every((term) => term.means(other, namespaceLabels))) {
      for (const sums of state.together) {
        const domain = sums.domains.at(node);
        sums.add(domain, by);
        if (domain >= 0) state.found += by;
      }
    }
    pod.antiAffinity.required.forEach((term, i) => {
      const sums = state.apart[i];
      if (term.means(other, namespaceLabels)) sums?.add(sums.domains.at(node), by);
    });
    for (const term of other.antiAffinity.required) {
      if (!term.means(pod, namespaceLabels)) continue;
      const sums = state.refusing.of(term.topologyKey);
      sums.add(sums.domains.at(node), by);
    }
  },
  weight: 2,
  preScore(pod, table) {
    const scores = new SumsByKey(table);
    const addOwn = (term: AffinityTerm, sign: 1 | -1): void => {
      const perNode = countMeant([term], table);
      const sums = scores.of(term.topologyKey);
      sums.domains.sum(perNode).forEach((count, domain) => {
        sums.add(domain, count * sign * term.weight);
      });
    };
    for (const term of pod.affinity.preferred) addOwn(term, 1);
    for (const term of pod.antiAffinity.preferred) addOwn(term, -1);
    table.terms.meaning(pod, table.namespaceLabels, ({ kind, term, nodes }) => {
      if (kind === 'required-anti-affinity') return;
      const weight = kind === 'required-affinity' ? requiredAffinityWeight : kind === 'preferred-affinity' ? term.weight : -term.weight;
      const sums = scores.of(term.topologyKey);
      for (const [index, count] of nodes) sums.add(sums.domains.ofNode[index] ?? -1, count * weight);
    });
    return scores.isEmpty ? undefined : scores;
  },
  score(_pod, node, { byKey }) {
    let sum = 0;
    for (const sums of byKey.values()) sum += sums.at(node);
    return sum;
  },
  normalize(scores) {
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (const score of scores) {
      if (score < least) least = score;
      if (score > most) most = score;
    }
    for (let i = 0; i < scores.length; i++) {
      scores[i] = most > least ? Math.trunc(scoreMax * (((scores[i] ?? 0) - least) / (most - least))) : 0;
    }
  },
});

/** All terms hold; or nobody matches yet, and the pod is the first of a group that means itself. */
function isWithItsOwn({ affinity }: PodFacts, node: NodeFacts, { together, found, meansItself }: FilterState): boolean {
  if (affinity.required.length === 0) return true;
  let areThere = true;
  for (const sums of together) {
    if (sums.domains.at(node) < 0) return false;
    if (sums.at(node) <= 0) areThere = false;
  }
  return areThere || (found === 0 && meansItself);
}

function refusingDomains(pod: PodFacts, table: NodeTable): SumsByKey {
  const refusing = new SumsByKey(table);
  table.terms.meaning(pod, table.namespaceLabels, ({ kind, term, nodes }) => {
    if (kind !== 'required-anti-affinity') return;
    const sums = refusing.of(term.topologyKey);
    for (const [index, count] of nodes) sums.add(sums.domains.ofNode[index] ?? -1, count);
  });
  return refusing;
}

/** Per node, the pods that all of these terms mean. */
function countMeant(terms: readonly AffinityTerm[], table: NodeTable): Int32Array {
  const { namespaceLabels } = table;
  const key = `affinity ${terms.map(({ subjectKey }) => subjectKey).join(' ')}`;
  return table.counts.of(key, (pod) => terms.every((term) => term.means(pod, namespaceLabels)));
}
