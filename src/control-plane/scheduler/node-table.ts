/**
 * The cluster as the scheduler sees it: nodes with their sums in typed arrays, the pods on them, and what is derived
 * from both (topology, pod-counts, term-index). Kept current by single changes; nothing is rebuilt per pod.
 *
 * Every change of a node appends its index to a log, so that whoever derived something per node (pod-class.ts) can
 * catch up on just what changed.
 */
import type { Node } from '../../api/generated/kinds.ts';
import type { ObjectKey } from '../../api/meta/object.ts';
import type { LabelMap } from '../../api/meta/selectors.ts';
import { zoneOf } from '../../api/predicates/node-selection.ts';
import { grown } from './grown.ts';
import { columnCount, NodeFacts } from './node-facts.ts';
import { searchOrder } from './node-order.ts';
import { PodCounts } from './pod-counts.ts';
import type { PodFacts } from './pod-facts.ts';
import { TermIndex } from './term-index.ts';
import { Topology } from './topology.ts';

const initialCapacity = 64;
const logMax = 65_536;

export class NodeTable {
  /** by index; a hole where a node is gone */
  readonly nodes: (NodeFacts | undefined)[] = [];
  readonly topology: Topology = new Topology(this.nodes);
  readonly counts: PodCounts = new PodCounts(this.nodes);
  /** the affinity terms of the pods that are there */
  readonly terms: TermIndex = new TermIndex();
  /** claim → how many pods on nodes use it */
  readonly claimUsers = new Map<ObjectKey, number>();
  readonly namespaceLabels: (namespace: string) => LabelMap | undefined;
  readonly #byName = new Map<string, NodeFacts>();
  readonly #table = {
    requested: new Float64Array(initialCapacity * columnCount),
    allocatable: new Float64Array(initialCapacity * columnCount),
  };
  readonly #free: number[] = [];
  readonly #nodeOfPod = new Map<string, NodeFacts>();
  /** pods of nodes that are not known (yet, or any more), by the node's name */
  readonly #waiting = new Map<string, Map<string, PodFacts>>();
  readonly #imageNodes = new Map<string, number>();
  /** priority → how many pods on nodes have it */
  readonly #priorities = new Map<number, number>();
  #order: readonly NodeFacts[] | undefined;
  /** node index per change; the entry n is at #log[n - #logStart] */
  #log: number[] = [];
  #logStart = 0;

  constructor(namespaceLabels: (namespace: string) => LabelMap | undefined) {
    this.namespaceLabels = namespaceLabels;
  }

  /** How many nodes there are. */
  get size(): number {
    return this.#byName.size;
  }
  get(name: string): NodeFacts | undefined {
    return this.#byName.get(name);
  }
  /** All, in the order in which they are searched. */
  get order(): readonly NodeFacts[] {
    this.#order ??= searchOrder(this.#byName.values());
    return this.#order;
  }
  nodeOf(uid: string): NodeFacts | undefined {
    return this.#nodeOfPod.get(uid);
  }
  /** What is known of a pod that is on a node. */
  pod(uid: string): PodFacts | undefined {
    return this.#nodeOfPod.get(uid)?.pods.get(uid);
  }
  /** Of the pods that are on nodes; infinite when there is none. */
  get leastPriority(): number {
    return Math.min(...this.#priorities.keys());
  }
  /** On how many nodes an image is. */
  nodesWithImage(name: string): number {
    return this.#imageNodes.get(name) ?? 0;
  }

  get position(): number {
    return this.#logStart + this.#log.length;
  }
  /** The nodes that changed since; undefined when that is too long ago: look at all. */
  changedSince(position: number): Iterable<number> | undefined {
    if (position < this.#logStart) return undefined;
    const count = this.position - position;
    if (count <= 1) return count === 0 ? [] : this.#log.slice(-1);
    return count > this.nodes.length ? undefined : new Set(this.#log.slice(position - this.#logStart));
  }

  setNode(node: Node): void {
    let facts = this.#byName.get(node.metadata.name);
    if (facts) {
      this.#countImages(facts, -1);
      if (zoneOf(facts.node) !== zoneOf(node)) this.#order = undefined;
    } else {
      const index = this.#free.pop() ?? this.nodes.length;
      this.#reserve(index);
      facts = new NodeFacts(index, node, this.#table);
      this.nodes[index] = facts;
      this.#byName.set(node.metadata.name, facts);
      this.#order = undefined;
    }
    facts.setNode(node);
    this.topology.nodeChanged(facts);
    this.#countImages(facts, 1);
    const waiting = this.#waiting.get(node.metadata.name);
    this.#waiting.delete(node.metadata.name);
    for (const pod of waiting?.values() ?? []) this.#put(facts, pod);
    this.#touch(facts);
  }

  removeNode(name: string): void {
    const facts = this.#byName.get(name);
    if (!facts) return;
    for (const pod of [...facts.pods.values()]) {
      this.#take(facts, pod);
      this.#wait(name, pod); // its object is still there, until the pod collector removes it
    }
    this.#countImages(facts, -1);
    this.topology.nodeRemoved(facts.index);
    this.#byName.delete(name);
    this.#order = undefined;
    this.nodes[facts.index] = undefined;
    this.#free.push(facts.index);
    this.#touch(facts);
  }

  /** A pod is (or is about to be) on a node; known to be there already, it is replaced. */
  addPod(nodeName: string, pod: PodFacts): void {
    this.removePod(pod.uid);
    const node = this.#byName.get(nodeName);
    if (node) {
      this.#put(node, pod);
      this.#touch(node);
    } else this.#wait(nodeName, pod);
  }

  /** What was known of the pod, when it was known. */
  removePod(uid: string): PodFacts | undefined {
    const node = this.#nodeOfPod.get(uid);
    const pod = node?.pods.get(uid);
    if (node && pod) {
      this.#take(node, pod);
      this.#touch(node);
      return pod;
    }
    for (const [name, pods] of this.#waiting) {
      const waiting = pods.get(uid);
      if (!waiting) continue;
      pods.delete(uid);
      if (pods.size === 0) this.#waiting.delete(name);
      return waiting;
    }
    return undefined;
  }

  /** Labels of a namespace changed: what pods are counted by may select namespaces. */
  namespacesChanged(): void {
    this.counts.clear();
  }

  #put(node: NodeFacts, pod: PodFacts): void {
    node.addPod(pod);
    this.#nodeOfPod.set(pod.uid, node);
    this.counts.podAdded(pod, node);
    this.terms.podAdded(pod, node.index);
    count(this.#priorities, pod.priority, 1);
    for (const key of pod.claims) count(this.claimUsers, key, 1);
  }

  #take(node: NodeFacts, pod: PodFacts): void {
    node.removePod(pod);
    this.#nodeOfPod.delete(pod.uid);
    this.counts.podRemoved(pod, node);
    this.terms.podRemoved(pod, node.index);
    count(this.#priorities, pod.priority, -1);
    for (const key of pod.claims) count(this.claimUsers, key, -1);
  }

  #wait(nodeName: string, pod: PodFacts): void {
    const pods = this.#waiting.get(nodeName) ?? new Map<string, PodFacts>();
    pods.set(pod.uid, pod);
    this.#waiting.set(nodeName, pods);
  }

  #countImages(facts: NodeFacts, by: 1 | -1): void {
    for (const name of facts.images.keys()) count(this.#imageNodes, name, by);
  }

  #reserve(index: number): void {
    const needed = (index + 1) * columnCount;
    if (needed > this.#table.requested.length) {
      this.#table.requested = grown(this.#table.requested, needed);
      this.#table.allocatable = grown(this.#table.allocatable, needed);
    }
    this.#table.requested.fill(0, index * columnCount, needed);
  }

  #touch(node: NodeFacts): void {
    this.#log.push(node.index);
    if (this.#log.length <= logMax) return;
    const dropped = logMax / 2;
    this.#log = this.#log.slice(dropped);
    this.#logStart += dropped;
  }
}

/** Keys that are counted down to nothing are left out. */
function count<K>(counts: Map<K, number>, key: K, by: 1 | -1): void {
  const next = (counts.get(key) ?? 0) + by;
  if (next > 0) counts.set(key, next);
  else counts.delete(key);
}
