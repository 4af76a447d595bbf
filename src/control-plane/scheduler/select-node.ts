/**
 * Chooses a node for one pod: the best of those that do, by chance among equals. On big clusters the search ends when
 * enough feasible nodes are found, as upstream's does: at least 100, at most half, 5 % of many thousands; the next one
 * goes on where it ended. Upstream: scheduler/schedule_one.go.
 */
import type { Random } from '../../client/clock.ts';
import { Attempt, PluginSet } from './attempt.ts';
import { type Choice, type Diagnosis, notNamed } from './diagnosis.ts';
import type { Rejection, SchedulerPlugin } from './framework.ts';
import type { NodeFacts } from './node-facts.ts';
import type { NodeTable } from './node-table.ts';
import type { Nominator } from './nominator.ts';
import { type PodClass, PodClasses } from './pod-class.ts';
import type { PodFacts } from './pod-facts.ts';

export type NodeSelection =
  | { readonly node: NodeFacts; readonly choice: Choice }
  | { readonly node: undefined; readonly attempt: Attempt; readonly diagnosis: Diagnosis };

/** The nodes that do, and their scores. */
export interface Feasible {
  readonly nodes: readonly NodeFacts[];
  readonly totals: Float64Array;
}

const feasibleMin = 100;
const percentMin = 5;
/** Rejections that are kept of a choice: on bigger clusters the others are only counted. */
const rejectionsMax = 32;

export function feasibleNodesWanted(nodeCount: number): number {
  if (nodeCount < feasibleMin) return nodeCount;
  const percent = Math.max(percentMin, 50 - Math.floor(nodeCount / 125));
  return Math.max(feasibleMin, Math.floor((nodeCount * percent) / 100));
}

export interface NodeSelectorOptions {
  readonly plugins: readonly SchedulerPlugin[];
  readonly table: NodeTable;
  readonly nominator: Nominator;
  readonly random: Pick<Random, 'next'>;
}

export class NodeSelector {
  readonly #plugins: PluginSet;
  readonly #classes: PodClasses;
  readonly #options: NodeSelectorOptions;
  #start = 0;
  #last: { readonly podClass: PodClass; readonly position: number; readonly diagnosis: Diagnosis } | undefined;

  constructor(options: NodeSelectorOptions) {
    this.#plugins = new PluginSet(options.plugins);
    this.#classes = new PodClasses(this.#plugins.node);
    this.#options = options;
  }

  select(pod: PodFacts): NodeSelection {
    const attempt = this.#attempt(pod);
    const nominated = this.#nominated(attempt);
    const { size: nodeCount } = this.#options.table;
    if (nominated) return { node: nominated, choice: { nodeCount, looked: 1, feasible: 1, rejections: [] } };
    const { feasible, looked, rejections } = this.#search(attempt);
    if (feasible.length === 0) return { node: undefined, attempt, diagnosis: this.#diagnose(attempt) };
    const only = feasible.length === 1 ? feasible[0] : undefined;
    const node = only ?? this.#best(feasible, this.#score(attempt, feasible));
    return { node, choice: { nodeCount, looked, feasible: feasible.length, rejections } };
  }

  /** All nodes that do, and their scores. */
  evaluate(pod: PodFacts): Feasible {
    const attempt = this.#attempt(pod);
    const nodes = attempt.nodes.filter((node) => !attempt.verdict(node));
    return { nodes, totals: this.#score(attempt, nodes) };
  }

  /** Each node's verdict; undefined for those that do. */
  explain(pod: PodFacts): ReadonlyMap<NodeFacts, Rejection | undefined> {
    const attempt = this.#attempt(pod);
    const looked = new Set(attempt.nodes);
    const other = attempt.preFilter ?? notNamed(attempt.restrictedBy);
    return new Map(this.#options.table.order.map((node) => [node, looked.has(node) ? attempt.verdict(node) : other]));
  }

  #attempt(pod: PodFacts): Attempt {
    const { table, nominator } = this.#options;
    return new Attempt(pod, { plugins: this.#plugins, classes: this.#classes, table, nominator });
  }

  /** The node that the pod waits for is taken as soon as it does. */
  #nominated(attempt: Attempt): NodeFacts | undefined {
    const name = attempt.pod.nominatedNodeName;
    if (name === undefined || attempt.preFilter) return undefined;
    const node = this.#options.table.get(name);
    return node && !attempt.freshVerdict(node) ? node : undefined;
  }

  #search(attempt: Attempt): { feasible: readonly NodeFacts[]; looked: number; rejections: readonly Rejection[] } {
    const { nodes } = attempt;
    const wanted = feasibleNodesWanted(nodes.length);
    const feasible: NodeFacts[] = [];
    const rejections: Rejection[] = [];
    let seen = 0;
    for (; seen < nodes.length && feasible.length < wanted; seen++) {
      const node = nodes[(this.#start + seen) % nodes.length];
      const rejection = node && attempt.verdict(node);
      if (node && !rejection) feasible.push(node);
      else if (rejection && rejections.length < rejectionsMax) rejections.push(rejection);
    }
    this.#start = (this.#start + seen) % Math.max(1, this.#options.table.size);
    return { feasible, looked: seen, rejections };
  }

  /** Equal pods that fit nowhere one after the other are told the same. */
  #diagnose(attempt: Attempt): Diagnosis {
    const { position } = this.#options.table;
    const { isOfItsClass, podClass } = attempt;
    if (isOfItsClass && this.#last?.podClass === podClass && this.#last.position === position) return this.#last.diagnosis;
    const diagnosis = diagnose(attempt);
    this.#last = isOfItsClass ? { podClass, position, diagnosis } : undefined;
    return diagnosis;
  }

  #score({ pod, podClass }: Attempt, feasible: readonly NodeFacts[]): Float64Array {
    const { table } = this.#options;
    const totals = new Float64Array(feasible.length);
    podClass.addScores(feasible, totals);
    const scores = new Float64Array(feasible.length);
    for (const plugin of this.#plugins.cluster) {
      const state = plugin.preScore?.(pod, table, feasible);
      if (state === undefined) continue;
      for (let i = 0; i < feasible.length; i++) {
        const node = feasible[i];
        if (node) scores[i] = plugin.score?.(pod, node, state) ?? 0;
      }
      plugin.normalize?.(scores, state);
      for (let i = 0; i < totals.length; i++) totals[i] = (totals[i] ?? 0) + (scores[i] ?? 0) * (plugin.weight ?? 1);
    }
    return totals;
  }

  #best(feasible: readonly NodeFacts[], totals: Float64Array): NodeFacts {
    let best = 0;
    let equals = 1;
    for (let i = 1; i < totals.length; i++) {
      const total = totals[i] ?? 0;
      const most = totals[best] ?? 0;
      if (total < most) continue;
      equals = total > most ? 1 : equals + 1;
      if (total > most || this.#options.random.next() * equals < 1) best = i;
    }
    const node = feasible[best];
    if (!node) throw new Error('no feasible node');
    return node;
  }
}

function diagnose(attempt: Attempt): Diagnosis {
  const { nodes, preFilter, restrictedBy, table } = attempt;
  const rejections = new Map<NodeFacts, Rejection>();
  for (const node of nodes) {
    const rejection = attempt.verdict(node);
    if (rejection) rejections.set(node, rejection);
  }
  return {
    nodeCount: table.size,
    rejections,
    others: restrictedBy.length > 0 ? notNamed(restrictedBy) : undefined,
    preFilter,
  };
}
