/** One hard spread constraint of a pod that is being placed: matching pods per domain, and how far from even that is. */
import type { NodeFacts } from '../node-facts.ts';
import type { PodFacts, SpreadConstraint } from '../pod-facts.ts';
import type { Domains } from '../topology.ts';

interface Given {
  readonly pod: PodFacts;
  readonly domains: Domains;
  /** matching pods per node index */
  readonly perNode: Int32Array;
}

export class HardSpread {
  readonly domains: Domains;
  readonly maxSkew: number;
  readonly #constraint: SpreadConstraint;
  readonly #namespace: string;
  readonly #perNode: Int32Array;
  readonly #isCounted: (node: NodeFacts) => boolean;
  /** per domain: matching pods, and whether any node of it counts */
  readonly #counts: Int32Array;
  readonly #isEligible: Uint8Array;
  /** 1: the pod itself would count */
  readonly #self: number;
  #least: number | undefined;

  constructor(constraint: SpreadConstraint, { pod, domains, perNode }: Given, isCounted: (node: NodeFacts) => boolean) {
    this.domains = domains;
    this.maxSkew = constraint.maxSkew;
    this.#constraint = constraint;
    this.#namespace = pod.namespace;
    this.#perNode = perNode;
    this.#isCounted = isCounted;
    this.#counts = new Int32Array(domains.size);
    this.#isEligible = new Uint8Array(domains.size);
    this.#self = constraint.selector.matches(pod.labels) ? 1 : 0;
  }

  countAll(nodes: readonly NodeFacts[]): this {
    for (const node of nodes) {
      const domain = this.domains.at(node);
      if (domain < 0 || !this.#isCounted(node)) continue;
      this.#counts[domain] = (this.#counts[domain] ?? 0) + (this.#perNode[node.index] ?? 0);
      this.#isEligible[domain] = 1;
    }
    return this;
  }

  /** How much more than the emptiest domain this one would have with the pod. */
  skewAt(domain: number): number {
    this.#least ??= this.#leastCount();
    return (this.#counts[domain] ?? 0) + this.#self - this.#least;
  }

  change(other: PodFacts, node: NodeFacts, by: 1 | -1): void {
    if (other.namespace !== this.#namespace || other.isTerminating || !this.#constraint.selector.matches(other.labels)) return;
    const domain = this.domains.at(node);
    if (domain < 0 || !this.#isCounted(node)) return;
    this.#counts[domain] = (this.#counts[domain] ?? 0) + by;
    this.#least = undefined;
  }

  /** Nothing while there are fewer domains than the constraint wants. */
  #leastCount(): number {
    let least = Number.POSITIVE_INFINITY;
    let eligible = 0;
    for (let domain = 0; domain < this.#counts.length; domain++) {
      if (!this.#isEligible[domain]) continue;
      eligible++;
      least = Math.min(least, this.#counts[domain] ?? 0);
    }
    return eligible < this.#constraint.minDomains ? 0 : least;
  }
}
