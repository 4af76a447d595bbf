/**
 * One pod being placed: which nodes may do, and why one does not. What is on a node can be changed for the while
 * ("what if these pods were gone?"), as long as it is changed back.
 *
 * A node for which others wait that are at least as important must do with them on it, and without.
 * Upstream: scheduler/framework/runtime/framework.go (RunFilterPluginsWithNominatedPods).
 */
import type { ClusterPlugin, NodePlugin, Rejection, SchedulerPlugin } from './framework.ts';
import type { NodeFacts } from './node-facts.ts';
import type { NodeTable } from './node-table.ts';
import type { Nominator } from './nominator.ts';
import { filterNode, PodClass, type PodClasses } from './pod-class.ts';
import type { PodFacts } from './pod-facts.ts';

/** The plugins of a profile, by how they are asked. */
export class PluginSet {
  readonly all: readonly SchedulerPlugin[];
  readonly node: readonly NodePlugin[];
  readonly cluster: readonly ClusterPlugin[];
  constructor(plugins: readonly SchedulerPlugin[]) {
    this.all = plugins;
    this.node = plugins.filter((plugin): plugin is NodePlugin => plugin.scope === 'node');
    this.cluster = plugins.filter((plugin): plugin is ClusterPlugin => plugin.scope === 'cluster');
  }
}

export interface AttemptGiven {
  readonly plugins: PluginSet;
  readonly classes: PodClasses;
  readonly table: NodeTable;
  readonly nominator: Nominator;
}

interface ActiveFilter {
  readonly plugin: ClusterPlugin;
  readonly state: unknown;
}

export class Attempt {
  readonly pod: PodFacts;
  readonly table: NodeTable;
  /** those to look at, in the order of the search */
  readonly nodes: readonly NodeFacts[];
  /** the plugins for which `nodes` are not all */
  readonly restrictedBy: readonly string[];
  /** no node does, for this */
  readonly preFilter: Rejection | undefined;
  readonly podClass: PodClass;
  readonly #plugins: PluginSet;
  readonly #nominator: Nominator;
  readonly #filters: readonly ActiveFilter[];

  constructor(pod: PodFacts, { plugins, classes, table, nominator }: AttemptGiven) {
    this.pod = pod;
    this.table = table;
    this.#plugins = plugins;
    this.#nominator = nominator;
    const { nodes, restrictedBy, rejection } = candidateNodes(pod, plugins.all, table);
    this.nodes = nodes;
    this.restrictedBy = restrictedBy;
    this.preFilter = rejection;
    if (restrictedBy.length || rejection) {
      this.podClass = new PodClass(pod, plugins.node);
      this.podClass.evaluate(nodes);
    } else this.podClass = classes.of(pod, table);
    this.#filters = rejection
      ? []
      : plugins.cluster.flatMap((plugin) => {
          const state = plugin.preFilter?.(pod, table);
          return state === undefined ? [] : [{ plugin, state }];
        });
  }

  /** Pods of one class are told the same. */
  get isOfItsClass(): boolean {
    return this.#filters.length === 0 && this.restrictedBy.length === 0 && !this.preFilter && this.#nominator.isEmpty;
  }

  /** Why the node does not do. */
  verdict(node: NodeFacts): Rejection | undefined {
    return this.#verdictWithNominated(node) ?? this.podClass.verdict(node.index) ?? this.#clusterVerdict(node);
  }

  /** Why the node does not do with what is on it now. */
  freshVerdict(node: NodeFacts): Rejection | undefined {
    return this.#verdictWithNominated(node) ?? this.#ownVerdict(node);
  }

  /** What if the pod were not there? */
  take(node: NodeFacts, other: PodFacts): void {
    node.removePod(other);
    this.#change(node, other, -1);
  }

  /** What if it were? */
  put(node: NodeFacts, other: PodFacts): void {
    node.addPod(other);
    this.#change(node, other, 1);
  }

  #verdictWithNominated(node: NodeFacts): Rejection | undefined {
    if (this.#nominator.isEmpty) return undefined;
    const others = this.#nominator.ahead(this.pod, node.name);
    if (others.length === 0) return undefined;
    for (const other of others) this.put(node, other);
    const verdict = this.#ownVerdict(node);
    for (const other of others) this.take(node, other);
    return verdict;
  }

  #ownVerdict(node: NodeFacts): Rejection | undefined {
    return filterNode(this.#plugins.node, this.pod, node) ?? this.#clusterVerdict(node);
  }

  #clusterVerdict(node: NodeFacts): Rejection | undefined {
    for (const { plugin, state } of this.#filters) {
      const rejection = plugin.filter?.(this.pod, node, state);
      if (rejection) return rejection;
    }
    return undefined;
  }

  #change(node: NodeFacts, other: PodFacts, by: 1 | -1): void {
    for (const { plugin, state } of this.#filters) plugin.change?.(this.pod, { other, node, by, table: this.table }, state);
  }
}

interface Candidates {
  readonly nodes: readonly NodeFacts[];
  readonly restrictedBy: readonly string[];
  readonly rejection?: Rejection;
}

function candidateNodes(pod: PodFacts, plugins: readonly SchedulerPlugin[], table: NodeTable): Candidates {
  let names: ReadonlySet<string> | undefined;
  const restrictedBy: string[] = [];
  for (const plugin of plugins) {
    const own = plugin.candidates?.(pod);
    if (own === undefined) continue;
    if ('reasons' in own) return { nodes: [], restrictedBy, rejection: own };
    names = names ? names.intersection(own) : own;
    restrictedBy.push(plugin.name);
  }
  if (!names) return { nodes: table.order, restrictedBy };
  return { nodes: [...names].flatMap((name) => table.get(name) ?? []), restrictedBy };
}
