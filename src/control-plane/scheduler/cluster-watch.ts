/**
 * Follows nodes and pods into the node table and the queue, and says which events, also of claims and volumes, may let
 * waiting pods go.
 * A pod that the scheduler has placed itself ("assumed") is on its node before the API server says so.
 * Upstream: pkg/scheduler/eventhandlers.go.
 */
import { Namespace, Node, type PersistentVolumeClaim, Pod } from '../../api/generated/kinds.ts';
import { equalJson } from '../../api/meta/deep-equal.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../client/clock.ts';
import { ClusterVolumes } from './cluster-volumes.ts';
import type { ClusterEvent } from './framework.ts';
import { NodeTable } from './node-table.ts';
import { Nominator } from './nominator.ts';
import { PodFacts } from './pod-facts.ts';
import type { SchedulingQueue } from './scheduling-queue.ts';

export interface ClusterWatchOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly schedulerName: string;
  /** A pod that may be on its way to a node is to go, or gone. */
  readonly onLeaving: (uid: string) => void;
}

/** Finished pods take nothing. */
const unfinished = 'status.phase!=Succeeded,status.phase!=Failed';

export class ClusterWatch implements Disposable {
  readonly table: NodeTable;
  readonly nominator: Nominator = new Nominator();
  readonly volumes: ClusterVolumes;
  readonly synced: Promise<unknown>;
  readonly #options: ClusterWatchOptions;
  readonly #queue: SchedulingQueue;
  /** uid of each pod that is placed and not yet seen on its node */
  readonly #assumed = new Set<string>();
  readonly #subscriptions: Disposable[] = [];

  constructor(options: ClusterWatchOptions, queue: SchedulingQueue) {
    this.#options = options;
    this.#queue = queue;
    const namespaces = options.client.informer(Namespace);
    const nodes = options.client.informer(Node);
    const pods = options.client.informer(Pod, { fieldSelector: unfinished });
    this.table = new NodeTable((namespace) => namespaces.get(namespace)?.metadata.labels);
    this.volumes = new ClusterVolumes({ ...options, table: this.table });
    const { claims, volumes, classes } = this.volumes;
    this.synced = Promise.all([namespaces.synced, nodes.synced, pods.synced, this.volumes.synced]);
    const claimChanged = (claim: PersistentVolumeClaim): void => queue.happened({ type: 'claim-changed', claim });
    const volumesChanged = (): void => queue.happened({ type: 'volumes-changed' });
    this.#subscriptions.push(
      this.volumes,
      namespaces.on({
        added: () => this.table.namespacesChanged(),
        updated: ({ metadata }, old) => {
          if (!equalJson(metadata.labels, old.metadata.labels)) this.table.namespacesChanged();
        },
      }),
      nodes.on({
        added: (node) => {
          this.table.setNode(node);
          queue.happened({ type: 'node-added', node });
        },
        updated: (node, old) => this.#nodeChanged(node, old),
        deleted: (old) => {
          this.table.removeNode(old.metadata.name);
          queue.happened({ type: 'node-removed', old });
        },
      }),
      claims.on({ added: claimChanged, updated: claimChanged }),
      volumes.on({ added: volumesChanged, updated: volumesChanged }),
      classes.on({ added: volumesChanged, updated: volumesChanged }),
      pods.on({ added: (pod) => this.#seen(pod), updated: (pod, old) => this.#seen(pod, old), deleted: (pod) => this.#gone(pod) }),
    );
  }

  /** Puts a pod on a node before it is bound. */
  assume(pod: PodFacts, nodeName: string): void {
    this.#assumed.add(pod.uid);
    this.nominator.remove(pod.uid);
    this.table.addPod(nodeName, pod);
  }

  /** It won't be there: the room is free again. */
  forget(uid: string): void {
    if (!this.#assumed.delete(uid)) return;
    this.#remove(uid);
  }

  [Symbol.dispose](): void {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
  }

  #nodeChanged(node: Node, old: Node): void {
    const change = changeOf(node, old);
    if (change === 'none') return;
    this.table.setNode(node);
    if (change === 'room') this.#queue.happened({ type: 'node-changed', node, old });
  }

  #seen(pod: Pod, old?: Pod): void {
    if (!pod.spec.nodeName) this.#pending(pod);
    else if (old?.spec.nodeName) this.#changed(pod, pod.spec.nodeName);
    else this.#assigned(pod, pod.spec.nodeName);
  }

  #assigned(pod: Pod, nodeName: string): void {
    const { uid } = pod.metadata;
    this.#assumed.delete(uid);
    this.#queue.delete(uid);
    this.nominator.remove(uid);
    const { table } = this;
    if ((table.nodeOf(uid)?.name ?? nodeName) !== nodeName) this.#remove(uid); // somebody else has bound it
    const facts = table.pod(uid);
    if (facts?.renew(pod)) this.#queue.happened({ type: 'pod-assigned', pod: facts });
    else {
      const own = new PodFacts(pod, facts);
      table.addPod(nodeName, own);
      this.#queue.happened({ type: 'pod-assigned', pod: own });
    }
  }

  #changed(pod: Pod, nodeName: string): void {
    const old = this.table.pod(pod.metadata.uid);
    if (old?.renew(pod)) return;
    const facts = new PodFacts(pod, old);
    this.table.addPod(nodeName, facts);
    if (old) this.#queue.happened({ type: 'pod-changed', pod: facts, old });
  }

  #pending(pod: Pod): void {
    const { uid, deletionTimestamp } = pod.metadata;
    if ((pod.spec.schedulerName || 'default-scheduler') !== this.#options.schedulerName) return;
    const old = this.#queue.get(uid);
    const facts = new PodFacts(pod, old);
    if (!old) {
      if (this.#assumed.has(uid)) return;
      this.#queue.add(facts);
      this.nominator.nominate(facts, facts.nominatedNodeName);
      return;
    }
    this.#queue.update(facts);
    if (this.#assumed.has(uid)) {
      if (deletionTimestamp === undefined) return;
      this.#options.onLeaving(uid);
      this.forget(uid); // it can't be bound any more
      return;
    }
    this.nominator.update(facts, old);
    if (old.nominatedNodeName !== undefined && old.nominatedNodeName !== facts.nominatedNodeName) this.#yielded(old);
  }

  #gone(pod: Pod): void {
    const { uid } = pod.metadata;
    const waiting = this.#queue.get(uid);
    if (this.#assumed.delete(uid)) this.#options.onLeaving(uid);
    this.#queue.delete(uid);
    this.nominator.remove(uid);
    if (this.#remove(uid)) return;
    if (waiting?.nominatedNodeName !== undefined) this.#yielded(waiting);
  }

  #remove(uid: string): boolean {
    const old = this.table.removePod(uid);
    if (old) this.#queue.happened({ type: 'pod-removed', old });
    return old !== undefined;
  }

  /** A pod no longer waits for its node: to those that had to leave it the room, it is as if it had left. */
  #yielded(old: PodFacts): void {
    const event: ClusterEvent = { type: 'pod-removed', old };
    this.#queue.happened(event, ({ priority }) => priority <= old.priority);
  }
}

/** Heartbeats change nothing for the scheduler, and images make no room. */
function changeOf(a: Node, b: Node): 'none' | 'images' | 'room' {
  const makesRoom =
    Boolean(a.spec?.unschedulable) !== Boolean(b.spec?.unschedulable) ||
    !equalJson(a.spec?.taints, b.spec?.taints) ||
    !equalJson(a.metadata.labels, b.metadata.labels) ||
    !equalJson(a.status?.allocatable, b.status?.allocatable);
  if (makesRoom) return 'room';
  return equalJson(a.status?.images, b.status?.images) ? 'none' : 'images';
}
