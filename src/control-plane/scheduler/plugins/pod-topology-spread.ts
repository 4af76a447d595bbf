/**
 * Spreads pods over domains: hard constraints filter, soft ones score. A pod without constraints of its own that
 * belongs to a Service or a workload is spread over hosts and zones softly, as upstream does by default.
 * Upstream: plugins/podtopologyspread.
 */
import type { LabelMatcher } from '../../../api/meta/selectors.ts';
import { defineClusterPlugin, reject, rejectForGood, scoreMax } from '../framework.ts';
import type { NodeFacts } from '../node-facts.ts';
import type { NodeTable } from '../node-table.ts';
import type { PodFacts, SpreadConstraint } from '../pod-facts.ts';
import { untoleratedTaint } from '../taints.ts';

const hostname = 'kubernetes.io/hostname';
const zone = 'topology.kubernetes.io/zone';

interface FilterState {
  readonly constraints: readonly {
    readonly constraint: SpreadConstraint;
    readonly countOf: ReadonlyMap<string, number>;
    readonly least: number;
    readonly self: number;
  }[];
}

interface ScoreState {
  readonly requiresAll: boolean;
  readonly constraints: readonly {
    readonly constraint: SpreadConstraint;
    /** per node index, for the hostname key */
    readonly perNode: Int32Array;
    /** per domain, for the others */
    readonly countOf: ReadonlyMap<string, number>;
    readonly weight: number;
  }[];
}

/** Whose workload a pod belongs to, as a selector: from Services and its controller. */
export type DefaultSelector = (pod: PodFacts) => LabelMatcher | undefined;

export const podTopologySpread = (defaultSelector: DefaultSelector) =>
  defineClusterPlugin<FilterState, ScoreState>({
    name: 'PodTopologySpread',
    scope: 'cluster',
    unblockedBy: ['node-added', 'node-changed', 'pod-assigned', 'pod-changed', 'pod-removed', 'own-pod-changed'],
    preFilter(pod, table) {
      const hard = pod.spread.filter((constraint) => constraint.hard);
      if (hard.length === 0) return undefined;
      const keys = hard.map(({ topologyKey }) => topologyKey);
      return {
        constraints: hard.map((constraint) => {
          const countOf = countDomains(pod, table, constraint, keys);
          const counts = [...countOf.values()];
          const least = counts.length < constraint.minDomains ? 0 : Math.min(...counts);
          return { constraint, countOf, least, self: constraint.selector.matches(pod.labels) ? 1 : 0 };
        }),
      };
    },
    filter(_pod, node, { constraints }) {
      for (const { constraint, countOf, least, self } of constraints) {
        const domain = node.label(constraint.topologyKey);
        if (domain === undefined) return rejectForGood("node(s) didn't match pod topology spread constraints (missing required label)");
        if ((countOf.get(domain) ?? 0) + self - least > constraint.maxSkew)
          return reject("node(s) didn't match pod topology spread constraints");
      }
      return undefined;
    },
    weight: 2,
    preScore(pod, table, feasible) {
      const own = pod.spread.length > 0;
      const soft = own ? pod.spread.filter((constraint) => !constraint.hard) : defaultConstraints(pod, defaultSelector);
      if (soft.length === 0) return undefined;
      const keys = own ? soft.map(({ topologyKey }) => topologyKey) : [];
      const scored = own ? feasible.filter((node) => keys.every((key) => node.label(key) !== undefined)) : feasible;
      return {
        requiresAll: own,
        constraints: soft.map((constraint) => {
          const isHost = constraint.topologyKey === hostname;
          const domains = new Set(isHost ? [] : scored.map((node) => node.label(constraint.topologyKey) ?? ''));
          return {
            constraint,
            perNode: table.countPods(pod.namespace, constraint.selector),
            countOf: isHost ? new Map() : countDomains(pod, table, constraint, keys),
            weight: Math.log((isHost ? scored.length : domains.size) + 2),
          };
        }),
      };
    },
    score(_pod, node, { constraints, requiresAll }) {
      let sum = 0;
      for (const { constraint, perNode, countOf, weight } of constraints) {
        const domain = node.label(constraint.topologyKey);
        if (domain === undefined) {
          if (requiresAll) return Number.NaN;
          continue;
        }
        const count = constraint.topologyKey === hostname ? (perNode[node.index] ?? 0) : (countOf.get(domain) ?? 0);
        sum += count * weight + constraint.maxSkew - 1;
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
      scores.forEach((score, i) => {
        if (Number.isNaN(score)) scores[i] = 0;
        else scores[i] = most === 0 ? scoreMax : Math.trunc((scoreMax * (most + least - score)) / most);
      });
    },
  });

function defaultConstraints(pod: PodFacts, defaultSelector: DefaultSelector): SpreadConstraint[] {
  const selector = defaultSelector(pod);
  if (!selector) return [];
  const base = { minDomains: 1, hard: false, selector, honorsAffinity: true, honorsTaints: false };
  return [
    { ...base, topologyKey: hostname, maxSkew: 3 },
    { ...base, topologyKey: zone, maxSkew: 5 },
  ];
}

/** Matching pods per domain, over the nodes that have all keys and that the pod could be on. */
function countDomains(pod: PodFacts, table: NodeTable, constraint: SpreadConstraint, keys: readonly string[]): Map<string, number> {
  const perNode = table.countPods(pod.namespace, constraint.selector);
  const countOf = new Map<string, number>();
  for (const node of table.nodes) {
    if (!node || !keys.every((key) => node.label(key) !== undefined) || !isIncluded(pod, node, constraint)) continue;
    const domain = node.label(constraint.topologyKey);
    if (domain !== undefined) countOf.set(domain, (countOf.get(domain) ?? 0) + (perNode[node.index] ?? 0));
  }
  return countOf;
}

function isIncluded(pod: PodFacts, node: NodeFacts, constraint: SpreadConstraint): boolean {
  if (constraint.honorsAffinity && pod.matchesNode && !pod.matchesNode(node.node)) return false;
  return !constraint.honorsTaints || !untoleratedTaint(node.node.spec.taints, pod.pod.spec.tolerations, ['NoSchedule', 'NoExecute']);
}
