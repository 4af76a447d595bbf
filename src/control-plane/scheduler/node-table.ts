/**
 * The cluster as the scheduler sees it: nodes with their sums in typed arrays, the pods on them, the domains of
 * topology keys, and counts of pods by selector. Kept current by single changes; nothing is rebuilt per pod.
 *
 * Every change of a node appends its index to a log, so that whoever derived something per node (pod-class.ts) can
 * catch up on just what changed.
 */
import type { Node } from '../../api/generated/kinds.ts';
import type { LabelMap, LabelMatcher } from '../../api/meta/selectors.ts';
import { columnCount, NodeFacts } from './node-facts.ts';
import type { PodFacts } from './pod-facts.ts';

const initialCapacity = 64;
const logMax = 65_536;
/** Counts by selector that are kept; the least recently used goes first. */
const countersMax = 128;

/** How many pods a selector matches on each node. */
interface Counter {
  readonly namespace: string;
  readonly selector: LabelMatcher;
  perNode: Int32Array;
}

export class NodeTable {
  /** by index; a hole where a node is gone */
  readonly nodes: (NodeFacts | undefined)[] = [];
  readonly #byName = new Map<string, NodeFacts>();
  readonly #table = {
    requested: new Float64Array(initialCapacity * columnCount),
    allocatable: new Float64Array(initialCapacity * columnCount),
  };
  readonly #free: number[] = [];
  readonly #nodeOfPod = new Map<string, NodeFacts>();
  readonly #withAffinity = new Set<NodeFacts>();
  readonly #waiting = new Map<string, Map<string, PodFacts>>();
  readonly #counters = new Map<string, Counter>();
  readonly #imageNodes = new Map<string, number>();
  /** node index per change; the entry n is at #log[n - #logStart] */
  #log: number[] = [];
  #logStart = 0;
  readonly #namespaceLabels: (namespace: string) => LabelMap | undefined;

  constructor(namespaceLabels: (namespace: string) => LabelMap | undefined) {
    this.#namespaceLabels = namespaceLabels;
  }

  /** How many nodes there are. */
  get size(): number {
    return this.#byName.size;
  }
  get(name: string): NodeFacts | undefined {
    return this.#byName.get(name);
  }
  namespaceLabels = (namespace: string): LabelMap | undefined => this.#namespaceLabels(namespace);
  nodeOf(uid: string): NodeFacts | undefined {
    return this.#nodeOfPod.get(uid);
  }
  /** The nodes with pods that have any pod affinity or anti-affinity. */
  get nodesWithAffinity(): Iterable<NodeFacts> {
    return this.#withAffinity;
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
    return position === this.position ? [] : new Set(this.#log.slice(position - this.#logStart));
  }

  setNode(node: Node): void {
    let facts = this.#byName.get(node.metadata.name);
    if (facts) this.#countImages(facts, -1);
    else {
      const index = this.#free.pop() ?? this.nodes.length;
      this.#reserve(index);
      facts = new NodeFacts(index, node, this.#table);
      this.nodes[index] = facts;
      this.#byName.set(node.metadata.name, facts);
    }
    facts.setNode(node);
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
    this.#byName.delete(name);
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

  /** How many pods of the namespace match, per node index. Kept current from the first question on. */
  countPods(namespace: string, selector: LabelMatcher): Int32Array {
    const key = `${namespace} ${selector.isNothing ? '!' : selector}`;
    let counter = this.#counters.get(key);
    if (counter)
      this.#counters.delete(key); // moved to the end: recently used
    else {
      counter = { namespace, selector, perNode: new Int32Array(Math.max(this.nodes.length, initialCapacity)) };
      for (const node of this.nodes) {
        for (const pod of node?.pods.values() ?? []) if (node && counts(counter, pod)) this.#bump(counter, node.index, 1);
      }
    }
    this.#counters.set(key, counter);
    if (this.#counters.size > countersMax)
      for (const oldest of this.#counters.keys()) {
        this.#counters.delete(oldest);
        break;
      }
    if (counter.perNode.length < this.nodes.length) counter.perNode = grown(counter.perNode, this.nodes.length);
    return counter.perNode;
  }

  #put(node: NodeFacts, pod: PodFacts): void {
    node.addPod(pod);
    this.#nodeOfPod.set(pod.uid, node);
    if (pod.hasAffinity) this.#withAffinity.add(node);
    for (const counter of this.#counters.values()) if (counts(counter, pod)) this.#bump(counter, node.index, 1);
  }

  #take(node: NodeFacts, pod: PodFacts): void {
    node.removePod(pod);
    this.#nodeOfPod.delete(pod.uid);
    if (node.podsWithAffinity.size === 0) this.#withAffinity.delete(node);
    for (const counter of this.#counters.values()) if (counts(counter, pod)) this.#bump(counter, node.index, -1);
  }

  #wait(nodeName: string, pod: PodFacts): void {
    const pods = this.#waiting.get(nodeName) ?? new Map<string, PodFacts>();
    pods.set(pod.uid, pod);
    this.#waiting.set(nodeName, pods);
  }

  #bump(counter: Counter, index: number, by: 1 | -1): void {
    if (index >= counter.perNode.length) counter.perNode = grown(counter.perNode, index + 1);
    counter.perNode[index] = (counter.perNode[index] ?? 0) + by;
  }

  #countImages(facts: NodeFacts, by: 1 | -1): void {
    for (const name of facts.images.keys()) {
      const count = (this.#imageNodes.get(name) ?? 0) + by;
      if (count > 0) this.#imageNodes.set(name, count);
      else this.#imageNodes.delete(name);
    }
  }

  #reserve(index: number): void {
    const needed = (index + 1) * columnCount;
    if (needed > this.#table.requested.length) {
      this.#table.requested = grownFloats(this.#table.requested, needed);
      this.#table.allocatable = grownFloats(this.#table.allocatable, needed);
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

const counts = (counter: Counter, pod: PodFacts): boolean =>
  pod.namespace === counter.namespace && pod.pod.metadata.deletionTimestamp === undefined && counter.selector.matches(pod.labels);

function grown(array: Int32Array, needed: number): Int32Array {
  const bigger = new Int32Array(Math.max(needed, array.length * 2));
  bigger.set(array);
  return bigger;
}

function grownFloats(array: Float64Array, needed: number): Float64Array<ArrayBuffer> {
  const bigger = new Float64Array(Math.max(needed, array.length * 2));
  bigger.set(array);
  return bigger;
}
