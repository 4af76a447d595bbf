/** The objects that are sent, and requests by number. */
import type { LoadRequest } from './connections.ts';

const lineBytes = 64;
/** What a ConfigMap of the smallest kind has beside its data, roughly, as a server answers it. */
const otherBytes = 300;

const textsKept = 64;
const texts = new Map<string, string>();

/** Text that looks like a configuration, compressible as such texts are; one of a few, so that making it costs nothing. */
function configuration(bytes: number, seed: number): string {
  const key = `${bytes} ${seed % textsKept}`;
  const known = texts.get(key);
  if (known !== undefined) return known;
  let text = '';
  for (let i = 0; text.length < bytes; i++)
    text += `setting-${(seed * 31 + i) % 997} = "value ${(seed * 17 + i * 7) % 9973}"\n`.padEnd(lineBytes);
  texts.set(key, text.slice(0, bytes));
  return text.slice(0, bytes);
}

interface OddParts {
  /** a custom resource with the fields of a ConfigMap */
  readonly custom?: boolean | undefined;
  readonly resourceVersion?: string | undefined;
}

export function configMap(name: string, bytes: number, seed: number, { custom, resourceVersion }: OddParts = {}): object {
  return {
    ...(custom ? { apiVersion: `${recordGroup}/v1`, kind: 'Record' } : { apiVersion: 'v1', kind: 'ConfigMap' }),
    metadata: { name, ...(resourceVersion && { resourceVersion }), labels: { app: `app-${seed % 50}` } },
    data: { 'server.conf': configuration(bytes - otherBytes, seed) },
  };
}

const recordGroup = 'bench.example.com';
export const configMapsPath = (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`;
export const recordsPath = (namespace: string): string => `/apis/${recordGroup}/v1/namespaces/${namespace}/records`;

/** A custom resource with the fields of a ConfigMap. */
export const recordDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `records.${recordGroup}` },
  spec: {
    group: recordGroup,
    scope: 'Namespaced',
    names: { plural: 'records', kind: 'Record' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { data: { type: 'object', additionalProperties: { type: 'string', maxLength: 10_000 } } },
          },
        },
      },
    ],
  },
};

/** Nobody schedules the pods of this scheduler: a create is measured, and nothing that follows from it. */
export const nobody = 'nobody';

export function podSpec(schedulerName?: string): object {
  return {
    ...(schedulerName && { schedulerName }),
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: 'main',
        image: 'registry.example/app:1',
        ports: [{ containerPort: 8080 }],
        env: [{ name: 'MODE', value: 'production' }],
        resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
      },
    ],
  };
}

export const pod = (name: string, schedulerName?: string): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: 'load' } },
  spec: podSpec(schedulerName),
});

export const deployment = (name: string, replicas: number): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: podSpec(nobody) },
  },
});

export const bareNodeLabel = 'bench.example/bare';

/** A node that is Ready, though no kubelet stands behind it. */
function bareNode(name: string, number: number): object {
  const podCIDR = `10.${128 + (number >> 8)}.${number & 255}.0/24`;
  const resources = { cpu: '32', memory: '256Gi', pods: '110', 'ephemeral-storage': '100Gi' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { [bareNodeLabel]: '', 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
    spec: { podCIDR, podCIDRs: [podCIDR] },
    status: {
      capacity: resources,
      allocatable: resources,
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'ready' }],
    },
  };
}

/** What a run of requests is made of; each request follows from its number. */
export type Workload =
  | { readonly type: 'create-config-maps'; readonly bytes: number }
  | { readonly type: 'get-config-maps' }
  | { readonly type: 'update-config-maps'; readonly bytes: number }
  | { readonly type: 'merge-patch-config-maps' }
  | { readonly type: 'apply-config-maps'; readonly bytes: number }
  | { readonly type: 'create-nodes' }
  | { readonly type: 'create-pods'; readonly schedulerName?: string };

const namesKept = 7919;

export interface LoadPlace {
  readonly namespace: string;
  /** of the objects' names */
  readonly prefix: string;
  /** how many objects the requests are spread over */
  readonly existing: number;
  /** custom resources in place of ConfigMaps */
  readonly custom?: boolean;
  /** by name, for updates that name one */
  readonly revisions?: Readonly<Record<string, string>> | undefined;
}

export function requestOf(workload: Workload, place: LoadPlace, i: number): LoadRequest {
  const { custom, revisions } = place;
  const configMaps = (custom ? recordsPath : configMapsPath)(place.namespace);
  const nameOf = (number: number): string => `${place.prefix}${number}`;
  const known = (i * namesKept) % Math.max(1, place.existing);
  switch (workload.type) {
    case 'create-config-maps':
      return { method: 'POST', path: configMaps, body: JSON.stringify(configMap(nameOf(i), workload.bytes, i, { custom })) };
    case 'get-config-maps':
      return { method: 'GET', path: `${configMaps}/${nameOf(known)}` };
    case 'update-config-maps':
      return {
        method: 'PUT',
        path: `${configMaps}/${nameOf(known)}`,
        body: JSON.stringify(configMap(nameOf(known), workload.bytes, i + 1, { custom, resourceVersion: revisions?.[nameOf(known)] })),
      };
    case 'merge-patch-config-maps':
      return {
        method: 'PATCH',
        path: `${configMaps}/${nameOf(known)}`,
        contentType: 'application/merge-patch+json',
        body: JSON.stringify({ data: { changed: String(i) } }),
      };
    case 'apply-config-maps':
      return {
        method: 'PATCH',
        path: `${configMaps}/${nameOf(known)}?fieldManager=bench&force=true`,
        contentType: 'application/apply-patch+yaml',
        body: JSON.stringify(configMap(nameOf(known), workload.bytes, i + 2, { custom })),
      };
    case 'create-nodes':
      return { method: 'POST', path: '/api/v1/nodes', body: JSON.stringify(bareNode(nameOf(i), i)) };
    case 'create-pods':
      return {
        method: 'POST',
        path: `/api/v1/namespaces/${place.namespace}/pods`,
        body: JSON.stringify(pod(nameOf(i), workload.schedulerName)),
      };
  }
}
