/**
 * Reads what the metrics APIs measured, whoever serves them: metrics.k8s.io, custom.metrics.k8s.io and
 * external.metrics.k8s.io. Values become thousandths. Each function throws with upstream's words when there is nothing.
 * Upstream: pkg/controller/podautoscaler/metrics/client.go, k8s.io/metrics.
 */
import type { CrossVersionObjectReference } from '../../../api/generated/autoscaling-v2.ts';
import { parseDuration } from '../../../api/meta/duration.ts';
import { groupOf } from '../../../api/meta/object.ts';
import { quantityMilliValue } from '../../../api/meta/quantity.ts';
import type { LabelMatcher } from '../../../api/meta/selectors.ts';
import { isNotFound, messageOf } from '../../../api/meta/status-error.ts';
import { parseTime } from '../../../api/meta/time.ts';
import { own } from '../../../api/meta/words.ts';
import type { Client } from '../../../client/client.ts';
import { type Discovery, resourceOf } from '../../../client/transport/discovery.ts';
import type { Measurement, Measurements } from './replica-count.ts';

interface Place {
  readonly namespace: string;
  readonly selector: LabelMatcher;
}

interface Metric {
  readonly name: string;
  readonly selector: LabelMatcher;
}

interface ListOf<T> {
  readonly items?: readonly T[];
}
interface PodMetrics {
  readonly metadata: { readonly name: string };
  readonly timestamp?: string;
  readonly window?: string;
  readonly containers?: readonly { readonly name: string; readonly usage?: Readonly<Record<string, string>> }[];
}
interface MetricValue {
  readonly describedObject?: { readonly name?: string };
  readonly timestamp?: string;
  readonly windowSeconds?: number;
  readonly value: string;
}

/** Where a metric of somebody else's names no window. */
const windowMsDefault = 60_000;
const customVersions = ['v1beta2', 'v1beta1'];

/** Of each pod, or of one container of each. */
export async function readResource(
  client: Client,
  resource: string,
  { namespace, selector, container }: Place & { readonly container?: string | undefined },
): Promise<Measurements> {
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods?${query({ labelSelector: selector })}`;
  const { items = [] } = await ask<ListOf<PodMetrics>>(client, path, { api: 'resource metrics API', what: 'get pods.metrics.k8s.io' });
  if (items.length === 0) throw new Error('no metrics returned from resource metrics API');
  return new Map(
    items.flatMap((item) => {
      const containers = (item.containers ?? []).filter(({ name }) => container === undefined || name === container);
      const used = containers.map(({ usage }) => own(usage ?? {}, resource));
      const known = used.filter((each) => each !== undefined);
      if (known.length === 0 || known.length < used.length) return [];
      const milli = known.reduce((sum, each) => sum + quantityMilliValue(each), 0);
      return [[item.metadata.name, { ...timesOf(item.timestamp, parseDuration(item.window ?? '') ?? 0), milli }]];
    }),
  );
}

/** Of each pod. */
export async function readOfPods(client: Client, metric: Metric, { namespace, selector }: Place): Promise<Measurements> {
  const path = `namespaces/${namespace}/pods/*/${metric.name}?${query({ labelSelector: selector, metricLabelSelector: metric.selector })}`;
  const { items = [] } = await askCustom(client, path, `get pods.custom.metrics.k8s.io *`);
  if (items.length === 0) throw new Error('no metrics returned from custom metrics API');
  return new Map(
    items.map((item) => {
      const windowMs = item.windowSeconds === undefined ? windowMsDefault : item.windowSeconds * 1000;
      return [item.describedObject?.name ?? '', { ...timesOf(item.timestamp, windowMs), milli: quantityMilliValue(item.value) }];
    }),
  );
}

export async function readOfObject(
  { client, discover }: { readonly client: Client; readonly discover: () => Promise<Discovery> },
  metric: Metric,
  { namespace, object }: { readonly namespace: string; readonly object: CrossVersionObjectReference },
): Promise<number> {
  const isNamespace = object.kind === 'Namespace' && groupOf(object.apiVersion ?? '') === '';
  const resource = isNamespace ? 'namespaces' : groupResourceOf(await discover(), object);
  const subject = isNamespace ? `namespaces/${namespace}/metrics` : `namespaces/${namespace}/${resource}/${object.name}`;
  const { items = [] } = await askCustom(
    client,
    `${subject}/${metric.name}?${query({ metricLabelSelector: metric.selector })}`,
    `get ${resource}.custom.metrics.k8s.io ${object.name}`,
  );
  const [value, ...others] = items;
  if (!value || others.length > 0)
    throw unable('custom metrics API', `the custom metrics API server returned ${items.length} results when we asked for exactly one`);
  return quantityMilliValue(value.value);
}

/** All values, added up. */
export async function readExternal(client: Client, metric: Metric, namespace: string): Promise<number> {
  const path = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/${metric.name}?${query({ labelSelector: metric.selector })}`;
  const { items = [] } = await ask<ListOf<MetricValue>>(client, path, {
    api: 'external metrics API',
    what: `get ${metric.name}.external.metrics.k8s.io`,
  });
  if (items.length === 0) throw new Error('no metrics returned from external metrics API');
  return items.reduce((sum, { value }) => sum + quantityMilliValue(value), 0);
}

const timesOf = (timestamp: string | undefined, windowMs: number): Pick<Measurement, 'atMs' | 'windowMs'> => ({
  atMs: parseTime(timestamp ?? '') ?? 0,
  windowMs,
});

function query(selectors: Readonly<Record<string, LabelMatcher>>): string {
  const given = Object.entries(selectors).filter(([, selector]) => !selector.isEverything);
  return new URLSearchParams(given.map(([name, selector]) => [name, String(selector)])).toString();
}

/** `pods`, `deployments.apps` */
function groupResourceOf(discovery: Discovery, object: CrossVersionObjectReference): string {
  const found = resourceOf(discovery, object);
  if (found) return found.group === '' ? found.resource : `${found.resource}.${found.group}`;
  throw unable('custom metrics API', `no matches for kind "${object.kind}" in group "${groupOf(object.apiVersion ?? '')}"`);
}

async function askCustom(client: Client, path: string, what: string): Promise<ListOf<MetricValue>> {
  const versions = await client
    .raw<{ readonly versions?: readonly { readonly version: string }[] }>('/apis/custom.metrics.k8s.io')
    .catch((error: unknown) => {
      if (isNotFound(error)) throw unable('custom metrics API', 'no custom metrics API (custom.metrics.k8s.io) registered');
      throw unable('custom metrics API', messageOf(error));
    });
  const version = customVersions.find((each) => versions.versions?.some((served) => served.version === each));
  if (version === undefined) throw unable('custom metrics API', 'no known available metric versions found');
  return ask(client, `/apis/custom.metrics.k8s.io/${version}/${path}`, { api: 'custom metrics API', what });
}

async function ask<T>(client: Client, path: string, { api, what }: { readonly api: string; readonly what: string }): Promise<T> {
  try {
    return await client.raw<T>(path);
  } catch (error) {
    throw unable(api, `${messageOf(error)}${isNotFound(error) || isUnavailable(error) ? ` (${what})` : ''}`);
  }
}

const unable = (api: string, why: string): Error => new Error(`unable to fetch metrics from ${api}: ${why}`);
const isUnavailable = (error: unknown): boolean => (error as { readonly status?: { readonly code?: number } }).status?.code === 503;
