/**
 * The verdicts of all plugins of scope `node` for one class of equal pods, per node, kept while nodes change: a
 * thousand equal pods cost one evaluation of every node, and then one of each node that changed in between.
 */
import { type NodePlugin, type Rejection, scoreMax } from './framework.ts';
import { grown } from './grown.ts';
import type { NodeFacts } from './node-facts.ts';
import type { NodeTable } from './node-table.ts';
import { PodFacts } from './pod-facts.ts';

const classesMax = 64;

export class PodClass {
  readonly #plugins: readonly NodePlugin[];
  readonly #normalized: readonly NodePlugin[];
  readonly #pod: PodFacts;
  #position = -1;
  /** by node index; undefined: feasible (or no node) */
  #verdicts: (Rejection | undefined)[] = [];
  /** weighted sums of the scores that need no normalization */
  #fixed = new Float64Array(0);
  /** raw scores per plugin that needs it */
  #raw: Float64Array[];
  /** highest raw score ever seen, per plugin: 0 means that it can't tell nodes apart */
  #rawMost: number[];

  constructor(pod: PodFacts, plugins: readonly NodePlugin[]) {
    this.#pod = new PodFacts(pod.pod, pod); // a copy: the pod itself will be bound
    this.#plugins = plugins;
    this.#normalized = plugins.filter(isNormalized);
    this.#raw = this.#normalized.map(() => new Float64Array(0));
    this.#rawMost = this.#normalized.map(() => 0);
  }

  /** Catches up with the table. */
  refresh(table: NodeTable): void {
    const changed = this.#position < 0 ? undefined : table.changedSince(this.#position);
    this.#position = table.position;
    this.#reserve(table.nodes.length);
    if (changed) for (const index of changed) this.#evaluate(index, table.nodes[index]);
    else for (let index = 0; index < table.nodes.length; index++) this.#evaluate(index, table.nodes[index]);
  }

  /** Looks at these nodes only; for a class that is used once. */
  evaluate(nodes: readonly NodeFacts[]): void {
    this.#reserve(nodes.reduce((most, { index }) => Math.max(most, index + 1), 0));
    for (const node of nodes) this.#evaluate(node.index, node);
  }

  verdict(index: number): Rejection | undefined {
    return this.#verdicts[index];
  }

  /** Adds the scores of these feasible nodes to `totals`, which has the same order. */
  addScores(feasible: readonly NodeFacts[], totals: Float64Array): void {
    for (let i = 0; i < feasible.length; i++) totals[i] = (totals[i] ?? 0) + (this.#fixed[feasible[i]?.index ?? 0] ?? 0);
    this.#normalized.forEach((plugin, p) => {
      const raw = this.#raw[p] ?? this.#fixed;
      const weight = plugin.weight ?? 1;
      const least = plugin.normalization === 'least-is-best';
      if (this.#rawMost[p] === 0) {
        if (least) for (let i = 0; i < totals.length; i++) totals[i] = (totals[i] ?? 0) + scoreMax * weight;
        return;
      }
      let most = 0;
      for (const node of feasible) most = Math.max(most, raw[node.index] ?? 0);
      feasible.forEach((node, i) => {
        const part = most === 0 ? 0 : Math.trunc((scoreMax * (raw[node.index] ?? 0)) / most);
        totals[i] = (totals[i] ?? 0) + (least ? scoreMax - part : part) * weight;
      });
    });
  }

  #evaluate(index: number, node: NodeFacts | undefined): void {
    const rejection = node && filterNode(this.#plugins, this.#pod, node);
    this.#verdicts[index] = rejection;
    if (!node || rejection) return;
    let sum = 0;
    let n = 0;
    for (const plugin of this.#plugins) {
      if (!plugin.score) continue;
      const score = plugin.score(this.#pod, node);
      if (isNormalized(plugin)) {
        const raw = this.#raw[n];
        if (raw) raw[index] = score;
        this.#rawMost[n] = Math.max(this.#rawMost[n] ?? 0, score);
        n++;
      } else sum += score * (plugin.weight ?? 1);
    }
    this.#fixed[index] = sum;
  }

  #reserve(length: number): void {
    if (this.#fixed.length >= length) return;
    this.#fixed = grown(this.#fixed, length);
    this.#raw = this.#raw.map((array) => grown(array, length));
  }
}

const isNormalized = (plugin: NodePlugin): boolean => plugin.normalization !== undefined && plugin.normalization !== 'none';

/** The first rejection, as things are on the node now. */
export function filterNode(plugins: readonly NodePlugin[], pod: PodFacts, node: NodeFacts): Rejection | undefined {
  for (const plugin of plugins) {
    const rejection = plugin.filter?.(pod, node);
    if (rejection) return rejection;
  }
  return undefined;
}

/** The classes in use, bounded; the least recently used is forgotten first. */
export class PodClasses {
  readonly #plugins: readonly NodePlugin[];
  readonly #classes = new Map<string, PodClass>();

  constructor(plugins: readonly NodePlugin[]) {
    this.#plugins = plugins;
  }

  /** The pod's class, current with the table. */
  of(pod: PodFacts, table: NodeTable): PodClass {
    const known = this.#classes.get(pod.classKey);
    const found = known ?? new PodClass(pod, this.#plugins);
    if (known) this.#classes.delete(pod.classKey);
    this.#classes.set(pod.classKey, found);
    if (this.#classes.size > classesMax) {
      const oldest = this.#classes.keys().next();
      if (!oldest.done) this.#classes.delete(oldest.value);
    }
    found.refresh(table);
    return found;
  }
}
