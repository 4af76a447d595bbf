/**
 * A control plane for scenario tests: the in-process API server on a memory store, controllers, and a virtual clock.
 * The node is a controller too: it starts the pods that are there, and ends those that are deleted.
 */
import { ClusterRoleBinding, Node, Pod } from '../../src/api/generated/kinds.ts';
import { builtInRegistry } from '../../src/api/kinds/all.ts';
import { parseKey } from '../../src/api/meta/object.ts';
import { isConflict } from '../../src/api/meta/status-error.ts';
import { formatTime } from '../../src/api/meta/time.ts';
import type { Client } from '../../src/client/client.ts';
import { seededRandom } from '../../src/client/clock.ts';
import { type Controller, defineController, watched } from '../../src/client/controllers/controller.ts';
import { runControllers } from '../../src/client/controllers/controller-runner.ts';
import { type Log, silentLog } from '../../src/client/log.ts';
import { VirtualClock } from '../../src/client/virtual-clock.ts';
import { namespaceLifecycle } from '../../src/control-plane/api-server/admission/namespace-lifecycle.ts';
import { type ApiServer, createApiServer, type ServerContext } from '../../src/control-plane/api-server/api-server.ts';
import { BindingIndex } from '../../src/control-plane/api-server/authorization/binding-index.ts';
import { decideBy } from '../../src/control-plane/api-server/authorization/decide.ts';
import { privilegedGroup } from '../../src/control-plane/api-server/authorization/privileged.ts';
import { RBAC } from '../../src/control-plane/api-server/authorization/rbac.ts';
import { ensureBootstrapPolicy } from '../../src/control-plane/api-server/bootstrap/policy.ts';
import { publishingEndpoints } from '../../src/control-plane/api-server/publishing/endpoints.ts';
import { identityOf } from '../../src/control-plane/controllers/index.ts';
import { targetNodeOf } from '../../src/control-plane/controllers/workloads/daemon-nodes.ts';
import { openMemoryStore } from '../../src/control-plane/store/memory-store.ts';

export interface ControlPlane extends AsyncDisposable {
  readonly server: ApiServer;
  readonly client: Client;
  readonly clock: VirtualClock;
  /** Lets everything that is under way come to rest: no time passes. */
  settle(): Promise<void>;
  /** Moves the clock. */
  tick(seconds: number): Promise<void>;
}

export interface ControlPlaneOptions {
  readonly log?: Log;
  readonly seed?: number;
  /** between the controllers and the server */
  readonly wrap?: (client: Client) => Client;
}

export async function startControlPlane(controllers: readonly Controller[], options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { log = silentLog, seed = 1, wrap } = options;
  const clock = new VirtualClock();
  const random = seededRandom(seed);
  const storage = openMemoryStore({ clock });
  const registry = builtInRegistry();
  const parts = ({ reader }: ServerContext) => ({
    authorize: decideBy([privilegedGroup, new RBAC(new BindingIndex(reader))]),
    nonResourceEndpoints: publishingEndpoints({ registry, version: 'v1.36.0' }),
    admission: [namespaceLifecycle(reader)],
  });
  const server = await createApiServer({ storage, registry, clock, random, log, parts });
  const client = server.loopback;
  await ensureBootstrapPolicy({ reader: server.reader, client });
  const roles = new Set((await client.list(ClusterRoleBinding)).items.flatMap(({ subjects = [] }) => subjects.map(({ name }) => name)));
  /** Each may what its account may; those of a test alone have none, and may everything. */
  const clientFor = (controller: Controller): Client => {
    const own = roles.has(controller.serviceAccount ?? controller.name) ? server.clientFor(identityOf(controller)) : client;
    return wrap ? wrap(own) : own;
  };
  const running = runControllers(controllers, { client, clientFor, clock, random, log });
  await running.started;
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const settle = async (): Promise<void> => {
    for (let revision = -1; revision !== (await storage.latestRevision()); ) {
      revision = await storage.latestRevision();
      for (let i = 0; i < 20; i++) await turn();
    }
  };
  return {
    server,
    client,
    clock,
    settle,
    async tick(seconds) {
      for (let i = 0; i < seconds; i++) {
        await settle();
        await clock.advance(1000);
      }
      await settle();
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await storage[Symbol.asyncDispose]();
    },
  };
}

export interface TestNodeOptions {
  /** what becomes of a pod that was started; default: it runs and is ready */
  readonly fate?: (pod: Pod) => 'ready' | 'running' | 'succeeded' | 'failed' | 'pending';
}

/** Starts every pod on the node that it is pinned to, else on `node-1`. */
export function testNode({ fate = () => 'ready' }: TestNodeOptions = {}): Controller {
  let addresses = 0;
  return defineController({
    name: 'test-node',
    watches: [watched(Pod)],
    concurrency: 10,
    async reconcile(key, io) {
      const pod = io.client.informer(Pod).get(key);
      if (!pod) return;
      if (pod.metadata.deletionTimestamp) {
        if (pod.metadata.deletionGracePeriodSeconds !== 0) await io.client.delete(Pod, parseKey(key), { gracePeriodSeconds: 0 });
        return;
      }
      const phases = { ready: 'Running', running: 'Running', succeeded: 'Succeeded', failed: 'Failed', pending: 'Pending' } as const;
      const wanted = fate(pod);
      const isReady = wanted === 'ready';
      const isDone = pod.status.phase === phases[wanted] && (pod.status.conditions?.some((c) => c.type === 'Ready') ?? false);
      const wasReady = pod.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;
      if (wanted === 'pending' || (isDone && wasReady === isReady)) return;
      const nodeName = targetNodeOf(pod) ?? 'node-1';
      if (!pod.spec.nodeName) {
        await io.client
          .post(Pod, parseKey(key), 'binding', {
            apiVersion: 'v1',
            kind: 'Binding',
            metadata: pod.metadata,
            target: { kind: 'Node', name: nodeName },
          })
          .catch((error: unknown) => {
            if (!isConflict(error)) throw error;
          });
      }
      const now = formatTime(io.clock.now());
      const current = await io.client.get(Pod, parseKey(key));
      const ip = current.status.podIP ?? `10.1.${++addresses >> 8}.${addresses & 255}`;
      await io.client.update(
        Pod,
        {
          ...current,
          status: {
            ...current.status,
            phase: phases[wanted],
            podIP: ip,
            podIPs: [{ ip }],
            startTime: current.status.startTime ?? now,
            conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: now }],
            containerStatuses: current.spec.containers.map(({ name, image = '' }) => ({
              name,
              image,
              imageID: '',
              ready: isReady,
              restartCount: 0,
              state:
                isReady || wanted === 'running'
                  ? { running: { startedAt: now } }
                  : { terminated: { exitCode: wanted === 'failed' ? 1 : 0, finishedAt: now } },
            })),
          },
        },
        { subresource: 'status' },
      );
    },
  });
}

export const podTemplate = (labels: Record<string, string>, image = 'one') => ({
  metadata: { labels },
  spec: { containers: [{ name: 'main', image }] },
});

/** Makes a node object. */
export async function createNode(client: Client, name: string, labels: Record<string, string> = {}): Promise<Node> {
  return client.create(Node, { metadata: { name, labels }, spec: {} });
}
