/** The scheduler on the real API server, in memory, on a virtual clock; nodes and pods are objects only. */
import type { PodSpec } from '../../src/api/generated/core-v1.ts';
import { Event, Namespace, Node, Pod } from '../../src/api/generated/kinds.ts';
import { builtInRegistry } from '../../src/api/kinds/all.ts';
import { findCondition } from '../../src/api/meta/conditions.ts';
import type { Client } from '../../src/client/client.ts';
import { seededRandom } from '../../src/client/clock.ts';
import { createEventWriter } from '../../src/client/events/event-writer.ts';
import { silentLog } from '../../src/client/log.ts';
import { VirtualClock } from '../../src/client/virtual-clock.ts';
import { createApiServer } from '../../src/control-plane/api-server/api-server.ts';
import { Scheduler, type SchedulerOptions } from '../../src/control-plane/scheduler/scheduler.ts';
import { openMemoryStore } from '../../src/control-plane/store/memory-store.ts';

export interface SchedulerClusterOptions {
  /** between the scheduler and the server */
  readonly wrap?: (client: Client) => Client;
  readonly metrics?: SchedulerOptions['metrics'];
}

export interface NodeChange {
  readonly labels?: Record<string, string>;
  readonly cpu?: string;
  readonly taints?: Node['spec']['taints'];
  readonly unschedulable?: boolean;
}

export type SchedulerCluster = Awaited<ReturnType<typeof startSchedulerCluster>>;

export async function startSchedulerCluster({ wrap = (client) => client, metrics }: SchedulerClusterOptions = {}) {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const log = silentLog;
  const storage = openMemoryStore({ clock });
  const server = await createApiServer({ storage, registry: builtInRegistry(), clock, random, log });
  const client = server.clientFor({ name: 'admin', groups: ['system:masters'] });
  await client.create(Namespace, { metadata: { name: 'default' }, spec: {} });
  const events = createEventWriter(client, { component: 'default-scheduler', clock, log });
  const start = () => Scheduler.start({ client: wrap(client), clock, events, log, ...(metrics && { metrics }) });
  let scheduler = await start();
  const at = (name: string) => ({ namespace: 'default', name });
  const nodeBody = (name: string, { labels, cpu = '4', taints, unschedulable }: NodeChange) => ({
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: { ...(taints && { taints }), ...(unschedulable && { unschedulable }) },
    status: { allocatable: { cpu, memory: '8Gi', pods: '110' } },
  });
  const get = (name: string) => client.get(Pod, at(name));
  return {
    client,
    clock,
    get scheduler() {
      return scheduler;
    },
    get,
    node: (name: string, change: NodeChange = {}) => client.create(Node, nodeBody(name, change)),
    changeNode: (name: string, body: object) => client.patch(Node, { name }, { type: 'merge', body }),
    pod: (name: string, spec: Partial<PodSpec> = {}, labels: Record<string, string> = {}) =>
      client.create(Pod, { metadata: { ...at(name), labels }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } }),
    remove: (name: string) => client.delete(Pod, at(name), { gracePeriodSeconds: 0 }),
    settle: (ms = 0) => clock.advance(ms),
    nodeOf: async (name: string) => (await get(name)).spec.nodeName,
    /** the condition PodScheduled */
    scheduled: async (name: string) => findCondition((await get(name)).status.conditions, 'PodScheduled'),
    /** `reason: message` of each event about a pod, as they came */
    async events(about: string): Promise<readonly string[]> {
      const { items } = await client.list(Event, { namespace: 'default' });
      const its = items.filter(({ involvedObject }) => involvedObject.name === about);
      return its.map(({ reason, message, count }) => `${reason}: ${message}${count && count > 1 ? ` (x${count})` : ''}`);
    },
    async restart(): Promise<void> {
      await scheduler[Symbol.asyncDispose]();
      scheduler = await start();
    },
    async [Symbol.asyncDispose]() {
      await scheduler[Symbol.asyncDispose]();
      await events[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await storage[Symbol.asyncDispose]();
    },
  };
}

export const requests = (cpu: string): Pick<PodSpec, 'containers'> => ({
  containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }],
});
