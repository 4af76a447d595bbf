/**
 * Which domain each node is in, per topology key, as small numbers: counting pods per domain is then a walk over typed
 * arrays. A key is indexed from the first question on and kept current by node changes; keys that nobody asked for of
 * late are forgotten.
 */

import { labelOf } from '../../api/predicates/node-selection.ts';
import { grown } from './grown.ts';
import type { NodeFacts } from './node-facts.ts';

const keysMax = 64;
const none = -1;

export class Domains {
  readonly key: string;
  /** by node index: the number of its domain, or -1 */
  ofNode: Int32Array;
  readonly #ids = new Map<string, { readonly id: number; nodes: number }>();
  readonly #values: string[] = [];
  readonly #free: number[] = [];

  constructor(key: string, capacity: number) {
    this.key = key;
    this.ofNode = new Int32Array(capacity).fill(none);
  }

  /** Greater than every domain's number. */
  get size(): number {
    return this.#values.length;
  }
  at(node: NodeFacts): number {
    return this.ofNode[node.index] ?? none;
  }
  /** Adds up what is counted per node. */
  sum(perNode: Int32Array): Int32Array {
    const sums = new Int32Array(this.size);
    const { ofNode } = this;
    const length = Math.min(ofNode.length, perNode.length);
    for (let i = 0; i < length; i++) {
      const domain = ofNode[i] ?? none;
      if (domain >= 0) sums[domain] = (sums[domain] ?? 0) + (perNode[i] ?? 0);
    }
    return sums;
  }

  set(index: number, value: string | undefined): void {
    if (index >= this.ofNode.length) this.ofNode = grown(this.ofNode, index + 1, none);
    const old = this.ofNode[index] ?? none;
    const oldValue = old >= 0 ? this.#values[old] : undefined;
    if (oldValue === value) return;
    if (oldValue !== undefined) this.#leave(oldValue);
    this.ofNode[index] = value === undefined ? none : this.#join(value);
  }

  #join(value: string): number {
    const known = this.#ids.get(value);
    if (known) {
      known.nodes++;
      return known.id;
    }
    const id = this.#free.pop() ?? this.#values.length;
    this.#values[id] = value;
    this.#ids.set(value, { id, nodes: 1 });
    return id;
  }

  #leave(value: string): void {
    const known = this.#ids.get(value);
    if (!known || --known.nodes > 0) return;
    this.#ids.delete(value);
    this.#free.push(known.id);
  }
}

export class Topology {
  readonly #nodes: readonly (NodeFacts | undefined)[];
  readonly #domains = new Map<string, Domains>();

  /** `nodes`: by index, with holes; the same list for ever. */
  constructor(nodes: readonly (NodeFacts | undefined)[]) {
    this.#nodes = nodes;
  }

  /** Good until the next change of a node. */
  of(key: string): Domains {
    let domains = this.#domains.get(key);
    if (domains) this.#domains.delete(key);
    else {
      domains = new Domains(key, Math.max(this.#nodes.length, 1));
      for (const node of this.#nodes) if (node) domains.set(node.index, labelOf(node.node, key));
    }
    this.#domains.set(key, domains);
    if (this.#domains.size > keysMax) {
      const oldest = this.#domains.keys().next();
      if (!oldest.done) this.#domains.delete(oldest.value);
    }
    return domains;
  }

  nodeChanged(node: NodeFacts): void {
    for (const domains of this.#domains.values()) domains.set(node.index, labelOf(node.node, domains.key));
  }
  nodeRemoved(index: number): void {
    for (const domains of this.#domains.values()) domains.set(index, undefined);
  }
}
