/**
 * What a scheduler plugin is. Plugins are pure and are written per node and pod; the framework makes them fast.
 *
 * A plugin of scope `node` looks at one node and the pods on it, and at nothing of the pod but what its class key holds:
 * its verdicts are kept per class of equal pods, and asked again only for nodes that changed. A plugin of scope
 * `cluster` looks at other nodes too: it prepares once per pod, and is asked for every node that is still feasible.
 */
import type { Node, PersistentVolumeClaim } from '../../api/generated/kinds.ts';
import type { NodeFacts } from './node-facts.ts';
import type { NodeTable } from './node-table.ts';
import type { PodFacts } from './pod-facts.ts';

/** Why a node does not do, by which plugin. `unresolvable`: removing pods from it would not help. */
export interface Rejection {
  readonly plugin: string;
  readonly reasons: readonly string[];
  readonly unresolvable: boolean;
}

export const reject = (plugin: string, ...reasons: readonly string[]): Rejection => ({ plugin, reasons, unresolvable: false });
export const rejectForGood = (plugin: string, ...reasons: readonly string[]): Rejection => ({ plugin, reasons, unresolvable: true });

/** What happened in the cluster that may make room for a pod. The pods are on nodes, but for the last one's. */
export type ClusterEvent =
  | { readonly type: 'node-added'; readonly node: Node }
  | { readonly type: 'node-changed'; readonly node: Node; readonly old: Node }
  | { readonly type: 'node-removed'; readonly old: Node }
  | { readonly type: 'pod-assigned'; readonly pod: PodFacts }
  | { readonly type: 'pod-changed'; readonly pod: PodFacts; readonly old: PodFacts }
  | { readonly type: 'pod-removed'; readonly old: PodFacts }
  | { readonly type: 'claim-changed'; readonly claim: PersistentVolumeClaim }
  /** a volume, or a class of them: there now, or another than before */
  | { readonly type: 'volumes-changed' }
  | { readonly type: 'own-pod-changed'; readonly pod: PodFacts; readonly old: PodFacts };

/**
 * Which events may help a pod that the plugin has rejected. For `own-pod-changed` the first argument is the pod as it
 * is now. True too often costs a vain try; false where it would have helped leaves the pod waiting for minutes.
 */
export type EventHints = {
  readonly [T in ClusterEvent['type']]?: (pod: PodFacts, event: Extract<ClusterEvent, { readonly type: T }>) => boolean;
};

export const always = (): boolean => true;

export const scoreMax = 100;

/** What a plugin holds for a pod that goes to a node. */
export interface Reservation {
  /** What has to be done before the pod is bound, and waited for. Rejects when it can't go there after all. */
  preBind(signal: AbortSignal): Promise<void>;
  /** The pod is bound, or won't be: nothing is held for it any more. */
  release(): void;
}

/** From what `score` gave to 0…100, over the feasible nodes. */
export type Normalization = 'none' | 'most-is-best' | 'least-is-best';

export interface NodePlugin {
  readonly name: string;
  readonly scope: 'node';
  readonly unblockedBy?: EventHints;
  /** The only nodes that may do, by name; undefined: any. A rejection: none does. Asked for each pod. */
  candidates?(pod: PodFacts): ReadonlySet<string> | Rejection | undefined;
  filter?(pod: PodFacts, node: NodeFacts): Rejection | undefined;
  readonly weight?: number;
  /** Integers, as upstream truncates. */
  score?(pod: PodFacts, node: NodeFacts): number;
  readonly normalization?: Normalization;
  /** As of a cluster plugin. */
  reserve?(pod: PodFacts, node: NodeFacts): Reservation | undefined;
}

export interface ClusterPlugin<F = unknown, S = unknown> {
  readonly name: string;
  readonly scope: 'cluster';
  readonly unblockedBy?: EventHints;
  /** As of a node plugin. */
  candidates?(pod: PodFacts): ReadonlySet<string> | Rejection | undefined;
  /** Undefined: the pod has nothing that this plugin filters by. */
  preFilter?(pod: PodFacts, table: NodeTable): F | undefined;
  filter?(pod: PodFacts, node: NodeFacts, state: F): Rejection | undefined;
  /** What if another pod came to a node (1), or left it (-1): changes the filter's state in place. */
  change?(
    pod: PodFacts,
    what: { readonly other: PodFacts; readonly node: NodeFacts; readonly by: 1 | -1; readonly table: NodeTable },
    state: F,
  ): void;
  readonly weight?: number;
  /** Undefined: every node scores alike. */
  preScore?(pod: PodFacts, table: NodeTable, feasible: readonly NodeFacts[]): S | undefined;
  score?(pod: PodFacts, node: NodeFacts, state: S): number;
  /** From the raw scores of the feasible nodes to 0…100, in place. */
  normalize?(scores: Float64Array, state: S): void;
  /** Holds for the pod what it takes on this node, in the moment in which the node is chosen; undefined: nothing. */
  reserve?(pod: PodFacts, node: NodeFacts): Reservation | undefined;
}

export type SchedulerPlugin = NodePlugin | ClusterPlugin;

/** Keeps the state's type inside the plugin: the framework hands back what `preFilter` and `preScore` gave. */
export const defineClusterPlugin = <F, S>(plugin: ClusterPlugin<F, S>): ClusterPlugin => plugin as ClusterPlugin;
