/**
 * Spreads pods over domains: hard constraints filter, soft ones score. A pod without constraints of its own that
 * belongs to a Service or a workload is spread over hosts and zones softly, as upstream does by default.
 * Upstream: plugins/podtopologyspread.
 */
import type { Node } from '../../../api/generated/kinds.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import type { LabelMatcher } from '../../../api/meta/selectors.ts';
import { hostnameLabel, zoneLabel } from '../../../api/meta/well-known.ts';
import { labelOf } from '../../../api/predicates/node-selection.ts';
import { untoleratedTaint } from '../../../api/predicates/taints.ts';
import { defineClusterPlugin, type EventHints, reject, rejectForGood, scoreMax } from '../framework.ts';
import type { NodeFacts } from '../node-facts.ts';
import type { NodeTable } from '../node-table.ts';
import type { PodFacts, SpreadConstraint } from '../pod-facts.ts';
import type { Domains } from '../topology.ts';
import { HardSpread } from './hard-spread.ts';

const name = 'PodTopologySpread';
const skewed = reject(name, "node(s) didn't match pod topology spread constraints");
const unlabelled = rejectForGood(name, "node(s) didn't match pod topology spread constraints (missing required label)");

interface SoftSpread {
  readonly maxSkew: number;
  readonly domains: Domains;
  /** Matching pods: per node index where a node is a domain of its own, else per domain. */
  readonly counts: Int32Array;
  readonly isPerNode: boolean;
  readonly weight: number;
}

interface ScoreState {
  /** nodes that lack a key score nothing */
  readonly needsAll: boolean;
  readonly constraints: readonly SoftSpread[];
}

/** Whose workload a pod belongs to, as a selector: from Services and its controller. */
export type DefaultSelector = (pod: PodFacts) => LabelMatcher | undefined;

export const podTopologySpread = (defaultSelector: DefaultSelector) =>
  defineClusterPlugin<readonly HardSpread[], ScoreState>({
    name,
    scope: 'cluster',
    unblockedBy,
    preFilter(pod, table) {
      const hard = pod.spread.filter((constraint) => constraint.hard);
      if (hard.length === 0) return undefined;
      const all = hard.map(({ topologyKey }) => table.topology.of(topologyKey));
      return hard.map((constraint, i) => {
        const domains = all[i] ?? table.topology.of(constraint.topologyKey);
        return new HardSpread(constraint, { pod, domains, perNode: countMatching(pod, table, constraint) }, (node) =>
          isCounted(pod, node, constraint, all),
        ).countAll(table.order);
      });
    },
    filter(_pod, node, constraints) {
      for (const constraint of constraints) {
        const domain = constraint.domains.at(node);
        if (domain < 0) return unlabelled;
        if (constraint.skewAt(domain) > constraint.maxSkew) return skewed;
      }
      return undefined;
    },
    change(_pod, { other, node, by }, constraints) {
      for (const constraint of constraints) constraint.change(other, node, by);
    },
    weight: 2,
    preScore(pod, table, feasible) {
      const own = pod.spread.length > 0;
      const soft = own ? pod.spread.filter((constraint) => !constraint.hard) : defaultConstraints(pod, defaultSelector);
      if (soft.length === 0) return undefined;
      const all = soft.map(({ topologyKey }) => table.topology.of(topologyKey));
      const scored = own ? feasible.filter((node) => all.every((domains) => domains.at(node) >= 0)) : feasible;
      const needed = own ? all : [];
      return {
        needsAll: own,
        constraints: soft.map((constraint, i) => {
          const domains = all[i] ?? table.topology.of(constraint.topologyKey);
          const perNode = countMatching(pod, table, constraint);
          const isPerNode = constraint.topologyKey === hostnameLabel;
          return {
            maxSkew: constraint.maxSkew,
            domains,
            counts: isPerNode ? perNode : countDomains(domains, perNode, table, (node) => isCounted(pod, node, constraint, needed)),
            isPerNode,
            weight: Math.log((isPerNode ? scored.length : distinctDomains(domains, scored)) + 2),
          };
        }),
      };
    },
    score(_pod, node, { constraints, needsAll }) {
      let sum = 0;
      for (const { domains, counts, isPerNode, maxSkew, weight } of constraints) {
        const domain = domains.at(node);
        if (domain >= 0) sum += (counts[isPerNode ? node.index : domain] ?? 0) * weight + maxSkew - 1;
        else if (needsAll) return Number.NaN;
      }
      return Math.round(sum);
    },
    /** NaN marks a node that lacks a topology key: it scores 0. */
    normalize(scores) {
      let least = Number.POSITIVE_INFINITY;
      let most = 0;
      for (const score of scores) {
        if (score < least) least = score;
        if (score > most) most = score;
      }
      for (let i = 0; i < scores.length; i++) {
        const score = scores[i] ?? Number.NaN;
        if (Number.isNaN(score)) scores[i] = 0;
        else scores[i] = most === 0 ? scoreMax : Math.trunc((scoreMax * (most + least - score)) / most);
      }
    },
  });

const hardConstraints = (pod: PodFacts): readonly SpreadConstraint[] => pod.spread.filter((constraint) => constraint.hard);
const matchesAny = (pod: PodFacts, other: PodFacts): boolean =>
  other.namespace === pod.namespace && hardConstraints(pod).some(({ selector }) => selector.matches(other.labels));
const matchesDiffer = (pod: PodFacts, a: PodFacts, b: PodFacts): boolean =>
  hardConstraints(pod).some(({ selector }) => selector.matches(a.labels) !== selector.matches(b.labels));
const hasKeys = (pod: PodFacts, node: Node): boolean =>
  hardConstraints(pod).every(({ topologyKey }) => labelOf(node, topologyKey) !== undefined);

const unblockedBy: EventHints = {
  'node-added': (pod, { node }) => hasKeys(pod, node),
  'node-removed': (pod, { old }) => hasKeys(pod, old),
  'node-changed': (pod, { node, old }) => {
    if (hasKeys(pod, node) !== hasKeys(pod, old)) return true;
    if (!hasKeys(pod, node)) return false;
    return (
      !equalJson(node.spec?.taints, old.spec?.taints) ||
      hardConstraints(pod).some(({ topologyKey }) => labelOf(node, topologyKey) !== labelOf(old, topologyKey))
    );
  },
  'pod-assigned': (pod, event) => matchesAny(pod, event.pod),
  'pod-changed': (pod, event) => {
    if (event.pod.isTerminating !== event.old.isTerminating) return matchesAny(pod, event.pod); // it counts no longer
    return event.pod.namespace === pod.namespace && matchesDiffer(pod, event.pod, event.old);
  },
  'pod-removed': (pod, { old }) => matchesAny(pod, old),
  'own-pod-changed': (pod, { old }) => {
    const honors = hardConstraints(pod).some(({ honorsTaints }) => honorsTaints);
    return (honors && !equalJson(pod.pod.spec.tolerations, old.pod.spec.tolerations)) || matchesDiffer(pod, pod, old);
  },
};

function defaultConstraints(pod: PodFacts, defaultSelector: DefaultSelector): SpreadConstraint[] {
  const selector = defaultSelector(pod);
  if (!selector) return [];
  const base = { minDomains: 1, hard: false, selector, honorsAffinity: true, honorsTaints: false };
  return [
    { ...base, topologyKey: hostnameLabel, maxSkew: 3 },
    { ...base, topologyKey: zoneLabel, maxSkew: 5 },
  ];
}

/** Per node; pods that are on their way out don't count, and an empty selector counts none. */
function countMatching({ namespace }: PodFacts, table: NodeTable, { selector }: SpreadConstraint): Int32Array {
  if (selector.isEverything || selector.isNothing) return table.counts.of('nothing', () => false);
  return table.counts.of(
    `spread ${namespace} ${selector}`,
    (pod) => pod.namespace === namespace && !pod.isTerminating && selector.matches(pod.labels),
  );
}

/** A node counts when it has all the keys, and the pod could be there as far as the constraint asks. */
function isCounted(pod: PodFacts, node: NodeFacts, constraint: SpreadConstraint, needed: readonly Domains[]): boolean {
  for (const domains of needed) if (domains.at(node) < 0) return false;
  if (constraint.honorsAffinity && pod.matchesNode && !pod.matchesNode(node.node)) return false;
  return !constraint.honorsTaints || !untoleratedTaint(node.node.spec?.taints, pod.pod.spec.tolerations);
}

function countDomains(domains: Domains, perNode: Int32Array, table: NodeTable, counts: (node: NodeFacts) => boolean): Int32Array {
  const sums = new Int32Array(domains.size);
  for (const node of table.order) {
    const count = perNode[node.index] ?? 0;
    if (count === 0) continue;
    const domain = domains.at(node);
    if (domain >= 0 && counts(node)) sums[domain] = (sums[domain] ?? 0) + count;
  }
  return sums;
}

/** How many domains the nodes are in; those without one are in one more. */
function distinctDomains(domains: Domains, nodes: readonly NodeFacts[]): number {
  const seen = new Uint8Array(domains.size + 1);
  let distinct = 0;
  for (const node of nodes) {
    const slot = domains.at(node) + 1;
    if (seen[slot]) continue;
    seen[slot] = 1;
    distinct++;
  }
  return distinct;
}
