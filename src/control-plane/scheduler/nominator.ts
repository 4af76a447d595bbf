/**
 * Pods that wait for room on a node which they made by preemption: others of no higher priority leave it to them.
 * Upstream: scheduler/backend/queue/nominator.go.
 */
import type { PodFacts } from './pod-facts.ts';

export class Nominator {
  readonly #byNode = new Map<string, Map<string, PodFacts>>();
  readonly #nodeOf = new Map<string, string>();

  get isEmpty(): boolean {
    return this.#byNode.size === 0;
  }

  /** The pod waits for this node; undefined: for none. */
  nominate(pod: PodFacts, nodeName: string | undefined): void {
    this.remove(pod.uid);
    if (nodeName === undefined) return;
    const pods = this.#byNode.get(nodeName) ?? new Map<string, PodFacts>();
    pods.set(pod.uid, pod);
    this.#byNode.set(nodeName, pods);
    this.#nodeOf.set(pod.uid, nodeName);
  }

  /** The pod's object changed. What its status says counts, unless it says nothing yet of what was decided here. */
  update(pod: PodFacts, old: PodFacts): void {
    const kept = old.nominatedNodeName === undefined && pod.nominatedNodeName === undefined ? this.#nodeOf.get(pod.uid) : undefined;
    this.nominate(pod, kept ?? pod.nominatedNodeName);
  }

  remove(uid: string): void {
    const nodeName = this.#nodeOf.get(uid);
    if (nodeName === undefined) return;
    const pods = this.#byNode.get(nodeName);
    pods?.delete(uid);
    if (pods?.size === 0) this.#byNode.delete(nodeName);
    this.#nodeOf.delete(uid);
  }

  /** Those that the pod has to yield to there. */
  ahead(pod: PodFacts, nodeName: string): readonly PodFacts[] {
    return [...(this.#byNode.get(nodeName)?.values() ?? [])].filter((other) => other.priority >= pod.priority && other.uid !== pod.uid);
  }

  /** Those that have to yield to the pod there. */
  behind(pod: PodFacts, nodeName: string): readonly PodFacts[] {
    return [...(this.#byNode.get(nodeName)?.values() ?? [])].filter((other) => other.priority < pod.priority);
  }
}
