/**
 * Watches over nodes: marks those whose kubelet has fallen silent, and taints nodes after their conditions, so that
 * nothing is scheduled to, and pods leave, where it is no use.
 *
 * Guarantees: a node is taken for silent only after the grace period without lease renewal or status, both counted from
 * when they were seen here, whatever the clocks of nodes say. Pods are driven away from one node per zone in ten
 * seconds; more slowly when much of the zone fails at once, not at all when every node does.
 * Upstream: pkg/controller/nodelifecycle.
 */
import { Lease, Node, Pod } from '../../../api/generated/kinds.ts';
import { findCondition } from '../../../api/meta/conditions.ts';
import { type ObjectKey, parseKey } from '../../../api/meta/object.ts';
import { isNotFound } from '../../../api/meta/status-error.ts';
import { formatTime, parseTime } from '../../../api/meta/time.ts';
import { nodeLeaseNamespace } from '../../../api/meta/well-known.ts';
import { zoneOf } from '../../../api/predicates/node-selection.ts';
import { type Controller, type ControllerIO, defineController, type Outcome, watched } from '../../../client/controllers/controller.ts';
import { TokenBucket } from '../../../client/token-bucket.ts';
import { settleAll } from '../slow-start.ts';
import { nextTaints, readyStatusOf, silentConditions, wantedExecuteTaints, zoneStates } from './node-health.ts';
import { podsOnNode } from './pods-on-node.ts';

const graceMs = 50_000;
/** until the first report of a new node */
const startupGraceMs = 60_000;
const evictionsPerSecond = 0.1;
const slowEvictionsPerSecond = 0.01;
/** zones up to this size have no evictions at all while much of them fails */
const smallZoneMax = 50;
const concurrency = 8;

interface Health {
  readonly uid: string;
  /** what was last seen of the kubelet */
  heartbeat: string;
  renewal: string;
  seenMs: number;
  wasReady: boolean;
  /** its pods are still to be marked */
  marksPods: boolean;
}

export function nodeLifecycleController(): Controller {
  const lifecycle = new NodeLifecycle();
  return defineController({
    name: 'node-controller',
    watches: [
      watched(Node, (node, old, io) => lifecycle.keysOf(node, old, io)),
      // Only noted: thousands of leases are renewed every ten seconds.
      watched(Lease, (lease, _old, io) => lifecycle.renewed(lease, io), { namespace: nodeLeaseNamespace }),
      watched(Pod, () => []),
    ],
    concurrency,
    reconcile: (key, io) => lifecycle.reconcile(key, io),
  });
}

class NodeLifecycle {
  readonly #health = new Map<ObjectKey, Health>();
  readonly #buckets = new Map<string, TokenBucket>();

  /** When one node's health changes, so may the judgement on the others that are not ready. */
  keysOf(node: Node, old: Node | undefined, io: ControllerIO): readonly ObjectKey[] {
    const { name } = node.metadata;
    if (!old || readyStatusOf(old) === readyStatusOf(node)) return [name];
    const others = io.client
      .informer(Node)
      .list()
      .filter((each) => readyStatusOf(each) !== 'True');
    return [name, ...others.map(({ metadata }) => metadata.name)];
  }

  renewed({ metadata, spec }: Lease, io: ControllerIO): readonly ObjectKey[] {
    const health = this.#health.get(metadata.name);
    const renewal = spec?.renewTime ?? '';
    if (!health || health.renewal === renewal) return [];
    health.renewal = renewal;
    health.seenMs = io.clock.monotonic();
    return [];
  }

  async reconcile(name: ObjectKey, io: ControllerIO): Promise<Outcome> {
    const node = io.client.informer(Node).get(name);
    if (!node) {
      this.#forget(name, io);
      return;
    }
    const health = this.#look(node, io);
    const condition = findCondition(node.status?.conditions, 'Ready');
    const silentInMs = health.seenMs + (condition ? graceMs : startupGraceMs) - io.clock.monotonic();
    const current = silentInMs <= 0 ? await this.#markSilent(node, io) : node;
    const evictsInMs = await this.#taint(current, io);
    await this.#markPods(current, health, io);
    const isDoubtful = readyStatusOf(current) !== 'Unknown';
    const againMs = Math.min(isDoubtful ? Math.max(silentInMs, 1) : Number.POSITIVE_INFINITY, evictsInMs ?? Number.POSITIVE_INFINITY);
    return Number.isFinite(againMs) ? { requeueAfterMs: againMs } : undefined;
  }

  #forget(name: ObjectKey, io: ControllerIO): void {
    const health = this.#health.get(name);
    if (!health) return;
    this.#health.delete(name);
    const about = { apiVersion: 'v1', kind: 'Node', metadata: { name, uid: health.uid } };
    io.events.event(about, 'Normal', 'RemovingNode', `Node ${name} event: Removing Node ${name} from Controller`);
  }

  /** Notes what is new of the node. */
  #look(node: Node, io: ControllerIO): Health {
    const { name, uid } = node.metadata;
    const condition = findCondition(node.status?.conditions, 'Ready');
    const heartbeat = condition ? `${condition.status}@${condition.lastHeartbeatTime ?? ''}` : '';
    const known = this.#health.get(name);
    if (known?.uid === uid) {
      // What this controller itself has written is no sign of life.
      if (known.heartbeat !== heartbeat && condition?.status !== 'Unknown') known.seenMs = io.clock.monotonic();
      known.heartbeat = heartbeat;
      return known;
    }
    const ageMs = condition ? 0 : Math.max(0, io.clock.now() - (parseTime(node.metadata.creationTimestamp) ?? io.clock.now()));
    const wasReady = condition?.status === 'True';
    const health = { uid, heartbeat, renewal: '', seenMs: io.clock.monotonic() - ageMs, wasReady, marksPods: false };
    this.#health.set(name, health);
    const about = { ...node, metadata: { name, uid } };
    io.events.event(about, 'Normal', 'RegisteredNode', `Node ${name} event: Registered Node ${name} in Controller`);
    return health;
  }

  async #markSilent(node: Node, io: ControllerIO): Promise<Node> {
    const conditions = silentConditions(node, io.clock.now());
    if (conditions === node.status?.conditions) return node;
    return io.client.update(Node, { ...node, status: { ...node.status, conditions } }, { subresource: 'status' });
  }

  /** How long until pods may be driven away from the node, if they are to be and it is not its turn yet. */
  async #taint(node: Node, io: ControllerIO): Promise<number | undefined> {
    const wanted = wantedExecuteTaints(node);
    const hasOne =
      node.spec?.taints?.some(({ effect, key }) => effect === 'NoExecute' && wanted.some((taint) => taint.key === key)) ?? false;
    const turn = wanted.length > 0 ? this.#turnOf(node, hasOne, io) : { evicts: false };
    const taints = nextTaints(node, turn.evicts, io.clock.now());
    if (taints) {
      const { name, uid, resourceVersion } = node.metadata;
      const body = { metadata: { uid, resourceVersion }, spec: { taints: taints.length > 0 ? taints : null } };
      await io.client.patch(Node, { name }, { type: 'merge', body });
    }
    return turn.inMs;
  }

  #turnOf(node: Node, hasTaint: boolean, io: ControllerIO): { evicts: boolean; inMs?: number } {
    const zones = zoneStates(io.client.informer(Node).list());
    const states = [...zones.values()];
    if (states.length > 0 && states.every(({ state }) => state === 'full disruption')) return { evicts: false };
    if (hasTaint) return { evicts: true };
    const zone = zoneOf(node);
    const { state = 'normal', size = 1 } = zones.get(zone) ?? {};
    const perSecond = state !== 'partial disruption' ? evictionsPerSecond : size > smallZoneMax ? slowEvictionsPerSecond : 0;
    if (perSecond === 0) return { evicts: false };
    const id = `${zone} ${perSecond}`;
    let bucket = this.#buckets.get(id);
    if (!bucket) {
      bucket = new TokenBucket(io.clock, { perSecond, burst: 1 });
      this.#buckets.set(id, bucket);
    }
    return bucket.tryTake() ? { evicts: true } : { evicts: false, inMs: 1000 / perSecond };
  }

  /** Pods of a node that is no longer ready are not ready either: Services take them out. */
  async #markPods(node: Node, health: Health, io: ControllerIO): Promise<void> {
    const isReady = readyStatusOf(node) === 'True';
    if (health.wasReady && !isReady) {
      health.marksPods = true;
      const { name, uid } = node.metadata;
      io.events.event({ ...node, metadata: { name, uid } }, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
    }
    health.wasReady = isReady;
    if (isReady) health.marksPods = false;
    if (!health.marksPods) return;
    await settleAll(podsOnNode(node.metadata.name, io).map((pod) => markNotReady(pod, io)));
    health.marksPods = false;
  }
}

async function markNotReady(pod: Pod, io: ControllerIO): Promise<void> {
  const ready = findCondition(pod.status?.conditions, 'Ready');
  if (ready?.status !== 'True') return;
  const condition = { type: 'Ready', status: 'False', lastTransitionTime: formatTime(io.clock.now()) };
  const body = { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } };
  const at = parseKey(`${pod.metadata.namespace}/${pod.metadata.name}`);
  try {
    await io.client.patch(Pod, at, { type: 'strategic', body }, { subresource: 'status' });
    io.events.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
