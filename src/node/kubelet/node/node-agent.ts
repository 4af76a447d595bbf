/**
 * Registers this node, keeps its status told and its lease renewed.
 *
 * Guarantees: the lease is renewed every ten seconds; the status is written when something changed, and every five
 * minutes all the same; what others write into it in the node's place is put right within ten seconds; a node that was
 * deleted registers again.
 * Upstream: pkg/kubelet/kubelet_node_status.go, component-helpers/apimachinery/lease/controller.go.
 */
import type { Lease } from '../../../api/generated/coordination-v1.ts';
import type { Node, NodeStatus } from '../../../api/generated/core-v1.ts';
import { Lease as LeaseKind, Node as NodeKind } from '../../../api/generated/kinds.ts';
import { equalJson, equalSemantically } from '../../../api/meta/deep-equal.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../../../api/meta/status-error.ts';
import { formatMicroTime } from '../../../api/meta/time.ts';
import { nodeLeaseNamespace } from '../../../api/meta/well-known.ts';
import { own } from '../../../api/meta/words.ts';
import type { Client } from '../../../client/client.ts';
import type { Clock, Random, Timer } from '../../../client/clock.ts';
import { detach } from '../../../client/detached.ts';
import type { EventRecorder } from '../../../client/events/event-recorder.ts';
import type { Log } from '../../../client/log.ts';
import type { TimerWheel } from '../timer-wheel.ts';
import { isAllocatableLate, type NodeInput, newNode, nodeLabels, nodeStatus, sameNodeStatus } from './node-object.ts';

export interface NodeAgentOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimerWheel;
  readonly events: EventRecorder;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly name: string;
  /** What the node is now. */
  input(): Promise<NodeInput>;
  /** Something of the node can change that nobody tells of; nothing of simulated ones does. */
  readonly looks: boolean;
}

export const leaseSeconds = 40;
const renewMs = 10_000;
const lookMs = 10_000;
export const reportMs = 300_000;
const retryMs = { first: 200, max: 7_000 } as const;

const conditionEvents = [
  { type: 'MemoryPressure', isTrue: 'NodeHasInsufficientMemory', isFalse: 'NodeHasSufficientMemory' },
  { type: 'DiskPressure', isTrue: 'NodeHasDiskPressure', isFalse: 'NodeHasNoDiskPressure' },
  { type: 'PIDPressure', isTrue: 'NodeHasInsufficientPID', isFalse: 'NodeHasSufficientPID' },
  { type: 'Ready', isTrue: 'NodeReady', isFalse: 'NodeNotReady' },
] as const;

export class NodeAgent implements AsyncDisposable {
  readonly #options: NodeAgentOptions;
  readonly #timers = new Set<Timer>();
  #node: Node | undefined;
  #lease: Lease | undefined;
  #reportedAtMs = 0;
  #writing: Promise<void> = Promise.resolve();
  /** when others have changed the status */
  #look: Timer | undefined;
  /** the report that waits for the one before it: one is enough */
  #next: Promise<void> | undefined;
  #stopped = false;

  constructor(options: NodeAgentOptions) {
    this.#options = options;
  }

  /** The node as it was last read or written. */
  get node(): Node | undefined {
    return this.#node;
  }

  /** The API told of the node. */
  observe(node: Node): void {
    const before = this.#node;
    this.#node = node;
    if (isAllocatableLate(node.status)) this.reportSoon();
    else if (!this.#stopped && !equalJson(node.status, before?.status)) this.#look ??= this.#in(lookMs, () => this.#lookAgain());
  }

  /** Registers, then keeps the node alive until disposed. */
  async start(): Promise<void> {
    await this.#untilDone(() => this.#register());
    this.#untilDone(() => this.#renew()).catch(() => undefined);
    const { random, looks } = this.#options;
    const spread = random.next();
    this.#every(renewMs, spread, () => this.#renew());
    this.#every(looks ? lookMs : reportMs, spread, () => this.report());
  }

  reportSoon(): void {
    detach(
      () => this.report(),
      (error) => this.#options.log.error({ error }, 'node status not written'),
    );
  }

  /** Looks at the status, and tells it when it changed or was not told for long. */
  report(): Promise<void> {
    this.#next ??= this.#writing
      .then(() => {
        this.#next = undefined;
        return this.#report();
      })
      .catch((error: unknown) => this.#options.log.debug({ error }, 'node status not written'));
    this.#writing = this.#next;
    return this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
    await this.#writing;
  }

  #every(periodMs: number, spread: number, action: () => Promise<void>): void {
    const arm = (delayMs: number): void => {
      if (this.#stopped) return;
      this.#in(delayMs, () => {
        arm(periodMs);
        return action();
      });
    };
    arm(periodMs * (0.5 + spread / 2));
  }

  #in(delayMs: number, action: () => Promise<void>): Timer {
    const timer = this.#options.wheel.setTimeout(() => {
      this.#timers.delete(timer);
      action().catch((error: unknown) => this.#options.log.debug({ error }, 'node not kept alive'));
    }, delayMs);
    this.#timers.add(timer);
    return timer;
  }

  #lookAgain(): Promise<void> {
    this.#look = undefined;
    return this.report();
  }

  async #untilDone(action: () => Promise<void>): Promise<void> {
    const { clock, log, signal } = this.#options;
    for (let delayMs: number = retryMs.first; !this.#stopped; delayMs = Math.min(delayMs * 2, retryMs.max)) {
      try {
        return await action();
      } catch (error) {
        signal.throwIfAborted();
        log.debug({ error }, 'node not registered yet');
        await clock.sleep(delayMs, signal);
      }
    }
  }

  async #register(): Promise<void> {
    const { client, clock, name, signal } = this.#options;
    const input = await this.#options.input();
    try {
      this.#node = await client.create(NodeKind, newNode(input, clock.now()), { signal });
      this.#reportedAtMs = clock.now();
      if (this.#options.looks) this.#tellChanges(undefined, this.#node);
      return;
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    this.#node = await client.get(NodeKind, { name }, { signal });
    const labels = nodeLabels(input);
    const have = this.#node.metadata.labels ?? {};
    const annotation = 'volumes.kubernetes.io/controller-managed-attach-detach';
    const fits = Object.entries(labels).every(([key, value]) => own(have, key) === value) && this.#node.metadata.annotations?.[annotation];
    if (!fits) {
      const body = { metadata: { labels, annotations: { [annotation]: 'true' } } };
      this.#node = await client.patch(NodeKind, { name }, { type: 'merge', body }, { signal });
    }
    await this.#report();
  }

  async #report(): Promise<void> {
    const { client, clock, name, signal } = this.#options;
    const node = this.#node;
    if (!node || this.#stopped) return;
    const nowMs = clock.now();
    const next = nodeStatus(await this.#options.input(), node.status, nowMs);
    const due = nowMs - this.#reportedAtMs >= reportMs;
    if (!due && sameNodeStatus({ ...node.status, ...next }, node.status)) return;
    const body = { status: planNodePatch(node.status, next) };
    try {
      this.#node = await client.patch(NodeKind, { name }, { type: 'strategic', body }, { subresource: 'status', signal });
      this.#reportedAtMs = nowMs;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await this.#register();
      return;
    }
    this.#tellChanges(node.status, this.#node);
  }

  /** Each condition that turned, as an event. */
  #tellChanges(before: NodeStatus | undefined, after: Node): void {
    const status = (s: NodeStatus | undefined, type: string): string | undefined => s?.conditions?.find((c) => c.type === type)?.status;
    for (const { type, isTrue, isFalse } of conditionEvents) {
      const now = status(after.status, type);
      if (now === undefined || now === status(before, type)) continue;
      const reason = now === 'True' ? isTrue : isFalse;
      this.#options.events.event(after, 'Normal', reason, `Node ${after.metadata.name} status is now: ${reason}`);
    }
  }

  async #renew(): Promise<void> {
    const { client, clock, name, signal } = this.#options;
    if (this.#stopped) return;
    const at = { namespace: nodeLeaseNamespace, name };
    const spec = { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime: formatMicroTime(clock.now()) };
    try {
      this.#lease ??= await client.get(LeaseKind, at, { signal });
      this.#lease = await client.update(LeaseKind, { ...this.#lease, spec: { ...this.#lease.spec, ...spec } }, { signal });
    } catch (error) {
      this.#lease = undefined;
      if (isConflict(error)) return await this.#renew();
      if (!isNotFound(error)) throw error;
      this.#lease = await client.create(LeaseKind, { metadata: { ...at, ...this.#owner() }, spec }, { signal });
    }
  }

  #owner(): Pick<Lease['metadata'], 'ownerReferences'> {
    const node = this.#node;
    if (!node) return {};
    return { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node.metadata.name, uid: node.metadata.uid }] };
  }
}

/** What differs; conditions and addresses are merged by the server by their type. */
export function planNodePatch(before: NodeStatus, next: NodeStatus): unknown {
  const old = before as Readonly<Record<string, unknown>>;
  const changed = Object.entries(next).filter(([field, value]) => !equalSemantically(own(old, field), value));
  const patch: Record<string, unknown> = Object.fromEntries(changed);
  if (patch['addresses'] !== undefined) {
    const gone = (before.addresses ?? []).filter((a) => !next.addresses?.some((b) => b.type === a.type));
    patch['addresses'] = [...(next.addresses ?? []), ...gone.map(({ type }) => ({ type, $patch: 'delete' }))];
  }
  const { capacity, allocatable } = before;
  if (capacity && next.capacity && patch['capacity']) patch['capacity'] = withRemovals(capacity, next.capacity);
  if (allocatable && next.allocatable && patch['allocatable']) patch['allocatable'] = withRemovals(allocatable, next.allocatable);
  return patch;
}

/** A patch leaves in a map what it does not name. */
function withRemovals(before: Readonly<Record<string, string>>, next: Readonly<Record<string, string>>): Record<string, string | null> {
  return { ...Object.fromEntries(Object.keys(before).map((name) => [name, null])), ...next };
}
