/**
 * How many pods on each node answer to a description: those of a spread constraint, those that an affinity term means.
 * Counted once over all pods, then kept current by single changes. The least recently asked for is forgotten first.
 */
import { grown } from './grown.ts';
import type { NodeFacts } from './node-facts.ts';
import type { PodFacts } from './pod-facts.ts';

const countersMax = 128;

interface Counter {
  readonly counts: (pod: PodFacts) => boolean;
  perNode: Int32Array;
}

export class PodCounts {
  readonly #nodes: readonly (NodeFacts | undefined)[];
  readonly #counters = new Map<string, Counter>();

  /** `nodes`: by index, with holes; the same list for ever. */
  constructor(nodes: readonly (NodeFacts | undefined)[]) {
    this.#nodes = nodes;
  }

  /** By node index. `key` names the description: the same key, the same pods. */
  of(key: string, counts: (pod: PodFacts) => boolean): Int32Array {
    let counter = this.#counters.get(key);
    if (counter) this.#counters.delete(key);
    else counter = this.#count(counts);
    this.#counters.set(key, counter);
    if (this.#counters.size > countersMax) {
      const oldest = this.#counters.keys().next();
      if (!oldest.done) this.#counters.delete(oldest.value);
    }
    if (counter.perNode.length < this.#nodes.length) counter.perNode = grown(counter.perNode, this.#nodes.length);
    return counter.perNode;
  }

  podAdded(pod: PodFacts, node: NodeFacts): void {
    for (const counter of this.#counters.values()) if (counter.counts(pod)) bump(counter, node.index, 1);
  }
  podRemoved(pod: PodFacts, node: NodeFacts): void {
    for (const counter of this.#counters.values()) if (counter.counts(pod)) bump(counter, node.index, -1);
  }
  /** What descriptions look at beside pods has changed: all are counted anew. */
  clear(): void {
    this.#counters.clear();
  }

  #count(counts: (pod: PodFacts) => boolean): Counter {
    const perNode = new Int32Array(this.#nodes.length);
    for (const node of this.#nodes) {
      for (const pod of node?.pods.values() ?? []) if (node && counts(pod)) perNode[node.index] = (perNode[node.index] ?? 0) + 1;
    }
    return { counts, perNode };
  }
}

function bump(counter: Counter, index: number, by: 1 | -1): void {
  if (index >= counter.perNode.length) counter.perNode = grown(counter.perNode, index + 1);
  counter.perNode[index] = (counter.perNode[index] ?? 0) + by;
}
