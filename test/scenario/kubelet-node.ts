/**
 * A kubelet on the in-process API server and the simulated runtime, all on a virtual clock: pods are bound by hand, time
 * is moved by hand, and what the API shows is asked for.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContainerStatus, Event, PodSpec } from '../../src/api/generated/core-v1.ts';
import { Event as EventKind, Namespace, Node, Pod } from '../../src/api/generated/kinds.ts';
import { builtInRegistry } from '../../src/api/kinds/all.ts';
import { isNotFound } from '../../src/api/meta/status-error.ts';
import type { Client } from '../../src/client/client.ts';
import { seededRandom } from '../../src/client/clock.ts';
import { createEventWriter } from '../../src/client/events/event-writer.ts';
import { type Log, silentLog } from '../../src/client/log.ts';
import { VirtualClock } from '../../src/client/virtual-clock.ts';
import { createApiServer } from '../../src/control-plane/api-server/api-server.ts';
import { openMemoryStore } from '../../src/control-plane/store/memory-store.ts';
import { type Kubelet, startKubelet } from '../../src/node/kubelet/kubelet.ts';
import type { KubeletOptions } from '../../src/node/kubelet/kubelet-options.ts';
import type { ContainerRuntime } from '../../src/node/runtime/container-runtime.ts';
import { SimulatedRuntime } from '../../src/node/runtime/simulated-runtime.ts';

export const nodeName = 'node-1';

export interface KubeletNode extends AsyncDisposable {
  readonly client: Client;
  readonly clock: VirtualClock;
  readonly runtime: SimulatedRuntime;
  readonly kubelet: Kubelet;
  /** Lets everything that is under way come to rest, then moves the clock. */
  tick(seconds?: number): Promise<void>;
  /** Creates a pod that is bound to the node already. */
  create(name: string, spec: Partial<PodSpec>, annotations?: Record<string, string>): Promise<Pod>;
  pod(name: string): Promise<Pod | undefined>;
  /** `reason: message` of the pod's events, in order */
  events(name: string): Promise<readonly string[]>;
  /** Stops the kubelet, and starts another over the same runtime. */
  restart(): Promise<void>;
}

export interface KubeletNodeOptions extends Partial<KubeletOptions> {
  readonly log?: Log;
  /** what the runtime does otherwise */
  readonly instead?: (parts: { readonly clock: VirtualClock; readonly runtime: SimulatedRuntime }) => Partial<ContainerRuntime>;
}

export async function startKubeletNode({ instead, ...options }: KubeletNodeOptions = {}): Promise<KubeletNode> {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const log = options.log ?? silentLog;
  const storage = openMemoryStore({ clock });
  const server = await createApiServer({ storage, registry: builtInRegistry(), clock, random, log });
  const client = server.clientFor({ name: `system:node:${nodeName}`, groups: ['system:masters'] });
  for (const name of ['default', 'kube-node-lease']) await client.create(Namespace, { metadata: { name }, spec: {} });
  const runtime = new SimulatedRuntime({ clock, random });
  const events = createEventWriter(client, { component: 'kubelet', host: nodeName, clock, log });
  const start = (): Promise<Kubelet> =>
    startKubelet({
      nodeName,
      client,
      runtime: instead ? withInstead(runtime, instead({ clock, runtime })) : runtime,
      dataDir: join(tmpdir(), 'unused'),
      clock,
      random,
      log,
      signal: new AbortController().signal,
      events,
      nodeIPs: ['192.0.2.1'],
      clusterDNS: ['10.96.0.10'],
      clusterDomain: 'cluster.local',
      podCIDR: '10.244.0.0/24',
      version: 'v1.36.3',
      ...options,
    });
  let kubelet = await start();
  return {
    client,
    clock,
    runtime,
    get kubelet() {
      return kubelet;
    },
    async tick(seconds = 0) {
      await clock.advance(seconds * 1000);
    },
    create: (name, spec, annotations = {}) =>
      client.create(Pod, {
        metadata: { name, namespace: 'default', annotations },
        spec: { nodeName, containers: [{ name: 'main', image: 'registry/main:1' }], ...spec },
      }),
    async pod(name) {
      try {
        return await client.get(Pod, { namespace: 'default', name });
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    async events(name) {
      const { items } = await client.list(EventKind, { namespace: 'default' });
      return items
        .filter((e) => e.involvedObject.name === name)
        .toSorted(byTime)
        .map((e) => `${e.reason}: ${e.message}`);
    },
    async restart() {
      await kubelet[Symbol.asyncDispose]();
      kubelet = await start();
    },
    async [Symbol.asyncDispose]() {
      await kubelet[Symbol.asyncDispose]();
      await events[Symbol.asyncDispose]();
      await runtime[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await storage[Symbol.asyncDispose]();
    },
  };
}

function withInstead(runtime: SimulatedRuntime, instead: Partial<ContainerRuntime>): ContainerRuntime {
  return new Proxy(runtime, {
    get(target, key) {
      const member: unknown = Reflect.get(instead, key) ?? Reflect.get(target, key);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

const byTime = (a: Event, b: Event): number => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion);

/** `main running 0 ready`: a status in a few words. */
export function describeStatus({ name, state, restartCount, ready }: ContainerStatus): string {
  const what = state?.running
    ? 'running'
    : state?.terminated
      ? `terminated ${state.terminated.reason ?? ''} ${state.terminated.exitCode}`
      : `waiting ${state?.waiting?.reason ?? ''}`;
  return `${name} ${what} restarts=${restartCount}${ready ? ' ready' : ''}`;
}

export function describePod(pod: Pod | undefined): readonly string[] {
  if (!pod) return ['gone'];
  const { status } = pod;
  const reason = status.reason ? ` (${status.reason})` : '';
  const statuses = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  return [`${status.phase}${reason}`, ...statuses.map(describeStatus)];
}

export { Node };
