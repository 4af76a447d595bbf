/**
 * Follows nodes and pods into the node table and the queue, and says which events may make room for waiting pods.
 * A pod that the scheduler has placed itself ("assumed") is on its node before the API server says so.
 */
import { Namespace, Node, Pod } from '../../api/generated/kinds.ts';
import { equalJson } from '../../api/meta/deep-equal.ts';
import type { Client } from '../../client/client.ts';
import { NodeTable } from './node-table.ts';
import { PodFacts } from './pod-facts.ts';
import type { SchedulingQueue } from './scheduling-queue.ts';

export interface ClusterWatchOptions {
  readonly client: Client;
  readonly schedulerName: string;
}

/** Finished pods take nothing. */
const unfinished = 'status.phase!=Succeeded,status.phase!=Failed';

export class ClusterWatch implements Disposable {
  readonly table: NodeTable;
  readonly synced: Promise<unknown>;
  readonly #options: ClusterWatchOptions;
  readonly #queue: SchedulingQueue;
  readonly #assumed = new Map<string, string>();
  readonly #subscriptions: Disposable[] = [];

  constructor(options: ClusterWatchOptions, queue: SchedulingQueue) {
    this.#options = options;
    this.#queue = queue;
    const namespaces = options.client.informer(Namespace);
    const nodes = options.client.informer(Node);
    const pods = options.client.informer(Pod, { fieldSelector: unfinished });
    this.table = new NodeTable((namespace) => namespaces.get(namespace)?.metadata.labels);
    this.synced = Promise.all([namespaces.synced, nodes.synced, pods.synced]);
    this.#subscriptions.push(
      nodes.on({
        added: (node) => {
          this.table.setNode(node);
          queue.happened('node-added');
        },
        updated: (node, old) => {
          if (sameForScheduling(node, old)) return;
          this.table.setNode(node);
          queue.happened('node-changed');
        },
        deleted: (node) => this.table.removeNode(node.metadata.name),
      }),
      pods.on({ added: (pod) => this.#seen(pod), updated: (pod, old) => this.#seen(pod, old), deleted: (pod) => this.#gone(pod) }),
    );
  }

  /** Puts a pod on a node before it is bound. */
  assume(pod: PodFacts, nodeName: string): void {
    this.#assumed.set(pod.uid, nodeName);
    this.table.addPod(nodeName, pod);
  }

  /** The binding failed: the room is free again. */
  forget(pod: PodFacts): void {
    if (!this.#assumed.delete(pod.uid)) return;
    this.table.removePod(pod.uid);
    this.#queue.happened('pod-removed');
  }

  [Symbol.dispose](): void {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
  }

  #seen(pod: Pod, old?: Pod): void {
    const { nodeName } = pod.spec;
    if (nodeName) this.#assigned(pod, nodeName, old);
    else if (!this.#assumed.has(pod.metadata.uid)) this.#pending(pod, old);
  }

  #assigned(pod: Pod, nodeName: string, old: Pod | undefined): void {
    const { uid } = pod.metadata;
    const wasAssumed = this.#assumed.delete(uid);
    const known = this.table.nodeOf(uid)?.pods.get(uid);
    if (known && old?.spec.nodeName === nodeName && sameForOthers(pod, old)) return; // only its status changed
    this.table.addPod(nodeName, new PodFacts(pod, known));
    this.#queue.delete(uid);
    if (!wasAssumed) this.#queue.happened(old?.spec.nodeName ? 'pod-changed' : 'pod-assigned');
    else this.#queue.happened('pod-assigned');
  }

  #pending(pod: Pod, old: Pod | undefined): void {
    const { uid, deletionTimestamp } = pod.metadata;
    const isOurs = (pod.spec.schedulerName ?? 'default-scheduler') === this.#options.schedulerName;
    if (!isOurs || deletionTimestamp !== undefined || (pod.spec.schedulingGates ?? []).length > 0) {
      this.#queue.delete(uid);
      return;
    }
    const facts = new PodFacts(pod);
    if (this.#queue.has(uid)) this.#queue.update(facts, old !== undefined && !sameForOthers(pod, old));
    else if (!this.#queue.isInFlight(uid)) this.#queue.add(facts);
  }

  #gone(pod: Pod): void {
    const { uid } = pod.metadata;
    this.#assumed.delete(uid);
    this.#queue.delete(uid);
    if (this.table.removePod(uid)) this.#queue.happened('pod-removed');
  }
}

/** Heartbeats change nothing for the scheduler. */
function sameForScheduling(a: Node, b: Node): boolean {
  return (
    a.spec.unschedulable === b.spec.unschedulable &&
    equalJson(a.spec.taints, b.spec.taints) &&
    equalJson(a.metadata.labels, b.metadata.labels) &&
    equalJson(a.status.allocatable, b.status.allocatable) &&
    equalJson(a.status.images, b.status.images)
  );
}

/** What the scheduler reads of a pod. */
function sameForOthers(a: Pod, b: Pod): boolean {
  return (
    a.metadata.deletionTimestamp === b.metadata.deletionTimestamp &&
    equalJson(a.metadata.labels, b.metadata.labels) &&
    equalJson(a.spec, b.spec)
  );
}
