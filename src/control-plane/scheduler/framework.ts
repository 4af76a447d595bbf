/**
 * What a scheduler plugin is. Plugins are pure and are written per node and pod; the framework makes them fast.
 *
 * A plugin of scope `node` looks at one node and the pods on it, and at nothing of the pod but what its class key holds:
 * its verdicts are kept per class of equal pods, and asked again only for nodes that changed. A plugin of scope
 * `cluster` looks at other nodes too: it prepares once per pod, and is asked for every node that is still feasible.
 */
import type { NodeFacts } from './node-facts.ts';
import type { NodeTable } from './node-table.ts';
import type { PodFacts } from './pod-facts.ts';

/** Why a node does not do. `unresolvable`: removing pods from it would not help. */
export interface Rejection {
  readonly reasons: readonly string[];
  readonly unresolvable: boolean;
}

export const reject = (...reasons: readonly string[]): Rejection => ({ reasons, unresolvable: false });
export const rejectForGood = (...reasons: readonly string[]): Rejection => ({ reasons, unresolvable: true });

/** What happened in the cluster that may make room for a pod. */
export const clusterEvents = ['node-added', 'node-changed', 'pod-assigned', 'pod-changed', 'pod-removed', 'own-pod-changed'] as const;
export type ClusterEvent = (typeof clusterEvents)[number];

export const scoreMax = 100;

/** From what `score` gave to 0…100, over the feasible nodes. */
export type Normalization = 'none' | 'most-is-best' | 'least-is-best';

export interface NodePlugin {
  readonly name: string;
  readonly scope: 'node';
  readonly unblockedBy: readonly ClusterEvent[];
  filter?(pod: PodFacts, node: NodeFacts): Rejection | undefined;
  readonly weight?: number;
  /** Integers, as upstream truncates. */
  score?(pod: PodFacts, node: NodeFacts, table: NodeTable): number;
  readonly normalization?: Normalization;
}

export interface ClusterPlugin<F = unknown, S = unknown> {
  readonly name: string;
  readonly scope: 'cluster';
  readonly unblockedBy: readonly ClusterEvent[];
  /** Undefined: the pod has nothing that this plugin filters by. */
  preFilter?(pod: PodFacts, table: NodeTable): F | undefined;
  filter?(pod: PodFacts, node: NodeFacts, state: F): Rejection | undefined;
  readonly weight?: number;
  /** Undefined: every node scores alike. */
  preScore?(pod: PodFacts, table: NodeTable, feasible: readonly NodeFacts[]): S | undefined;
  score?(pod: PodFacts, node: NodeFacts, state: S): number;
  /** From the raw scores of the feasible nodes to 0…100, in place. */
  normalize?(scores: Float64Array, state: S): void;
}

export type SchedulerPlugin = NodePlugin | ClusterPlugin;

/** Keeps the state's type inside the plugin: the framework hands back what `preFilter` and `preScore` gave. */
export const defineClusterPlugin = <F, S>(plugin: ClusterPlugin<F, S>): ClusterPlugin => plugin as ClusterPlugin;
