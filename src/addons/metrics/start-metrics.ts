/** Answers for metrics.k8s.io. */
import { Node, Pod } from '../../api/generated/kinds.ts';
import type { NodeMetrics, PodMetrics } from '../../api/generated/metrics-v1beta1.ts';
import { nodeMetrics, podMetrics } from '../../api/kinds/metrics/metrics.ts';
import { formatGoDuration } from '../../api/meta/duration.ts';
import { type KubeObject, keyOf } from '../../api/meta/object.ts';
import { errors } from '../../api/meta/status-error.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { Client } from '../../client/client.ts';
import type { ComputedResource } from '../../client/computed-resource.ts';
import type { Log } from '../../client/log.ts';
import { inSlices } from '../../client/turns.ts';
import type { AddonContext } from '../addon.ts';
import { type Reading, readSummary, type Summary } from './node-summary.ts';
import type { SampleStore, Used } from './sample-store.ts';
import { Sampler } from './sampler.ts';

const apiVersion = 'metrics.k8s.io/v1beta1';
/** nodes that are read at once */
const readingMax = 50;
/** however new it is: what the cache shows is enough */
const fromCache = { resourceVersion: '0' } as const;

export async function startMetrics({ client, clock, log, serve }: AddonContext, stack: AsyncDisposableStack): Promise<void> {
  const sampler = stack.use(new Sampler({ clock, log, read: (signal) => readNodes(client, log, signal) }));
  const described = (store: SampleStore): Describe => ({ store, nowMs: clock.now() });
  const ofNodes: ComputedResource = {
    kind: nodeMetrics,
    async list({ labelSelector }) {
      const by = described(await sampler.current());
      const { items } = await client.list(Node, { labelSelector, ...fromCache });
      return items.flatMap((node) => describeNode(node, by) ?? []);
    },
    async get({ name }) {
      const node = await client.get(Node, { name });
      const found = describeNode(node, described(await sampler.current()));
      if (!found) throw errors.notFound(nodeMetrics, name);
      return found;
    },
  };
  const ofPods: ComputedResource = {
    kind: podMetrics,
    async list({ namespace, labelSelector }) {
      const by = described(await sampler.current());
      const { items } = await client.list(Pod, { namespace, labelSelector, fieldSelector: 'status.phase=Running', ...fromCache });
      return items.flatMap((pod) => describePod(pod, by) ?? []);
    },
    async get(at) {
      const pod = await client.get(Pod, at);
      const found = describePod(pod, described(await sampler.current()));
      if (!found) throw errors.notFound(podMetrics, keyOf(pod));
      return found;
    },
  };
  const served = await serve?.([ofNodes, ofPods]);
  if (served) stack.use(served);
}

interface Describe {
  readonly store: SampleStore;
  readonly nowMs: number;
}

function describeNode({ metadata }: Node, { store, nowMs }: Describe): NodeMetrics | undefined {
  const used = store.node(metadata.name);
  return used && ({ kind: 'NodeMetrics', ...describe(metadata, used, nowMs), usage: used.usage } as NodeMetrics);
}

function describePod(pod: Pod, { store, nowMs }: Describe): PodMetrics | undefined {
  const used = pod.status.phase === 'Running' ? store.pod(keyOf(pod)) : undefined;
  return used && ({ kind: 'PodMetrics', ...describe(pod.metadata, used, nowMs), containers: used.containers } as PodMetrics);
}

function describe({ name, namespace, labels }: KubeObject['metadata'], { atMs, windowMs }: Pick<Used, 'atMs' | 'windowMs'>, nowMs: number) {
  return {
    apiVersion,
    metadata: { name, ...(namespace !== undefined && { namespace }), creationTimestamp: formatTime(nowMs), ...(labels && { labels }) },
    timestamp: formatTime(atMs),
    window: formatGoDuration(windowMs),
  };
}

/** One that does not answer has not been measured. */
async function readNodes(client: Client, log: Log, signal: AbortSignal): Promise<ReadonlyMap<string, Reading>> {
  const found = new Map<string, Reading>();
  const { items } = await client.list(Node, fromCache);
  await inSlices(items, { atOnce: readingMax, signal }, async ({ metadata: { name } }) => {
    try {
      found.set(name, readSummary(await client.raw<Summary>(`/api/v1/nodes/${name}/proxy/stats/summary`)));
    } catch (error) {
      log.debug({ error, node: name }, 'a node does not say what it uses');
    }
  });
  return found;
}
