/**
 * How pods reach the API server: the Service `kubernetes` in `default`, with its Endpoints and
 * EndpointSlice, and what extension API servers have to know to trust the server.
 * What it does not do: several API servers behind the one Service (the lease reconciler).
 * Upstream: pkg/controlplane/controller/kubernetesservice, pkg/controlplane/reconcilers,
 * pkg/controlplane/controller/clusterauthenticationtrust.
 */
import { isIPv6 } from 'node:net';
import { ConfigMap, EndpointSlice, Endpoints, Service } from '../../../api/generated/kinds.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import type { KubeObject, New } from '../../../api/meta/object.ts';
import { serviceNameLabel } from '../../../api/meta/well-known.ts';
import { requestHeaderConfig } from '../authentication/request-header.ts';
import type { HookDone } from '../publishing/health-checks.ts';
import { type BootstrapTools, ensureObject, ignored } from './policy.ts';
import type { Step } from './policy-object.ts';

export interface KubernetesServiceOptions {
  /** the Service's own address: the first of the first CIDR */
  readonly clusterIP: string;
  /** where pods reach the server: not a loopback address */
  readonly endpoint: { readonly address: string; readonly port: number };
  readonly done?: HookDone;
}

const at = { namespace: 'default', name: 'kubernetes' };
const portName = 'https';
const servicePort = 443;

export async function ensureKubernetesService(tools: BootstrapTools, options: KubernetesServiceOptions): Promise<void> {
  const { endpoint, done = ignored } = options;
  const wanted: New<Service> = {
    metadata: { ...at, labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      type: 'ClusterIP',
      clusterIP: options.clusterIP,
      clusterIPs: [options.clusterIP],
      ipFamilies: [isIPv6(options.clusterIP) ? 'IPv6' : 'IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [{ name: portName, protocol: 'TCP', port: servicePort, targetPort: endpoint.port }],
      sessionAffinity: 'None',
    },
  };
  await ensureObject(tools, Service, { plan: planKubernetesService, wanted: object('v1', 'Service', wanted) });
  await ensureEndpoints(tools, endpoint);
  done('bootstrap-controller');
}

const object = <T>(apiVersion: string, kind: string, body: object): T => ({ apiVersion, kind, ...body }) as T;

function planKubernetesService(existing: Service | undefined, wanted: Service): Step<Service> {
  if (!existing) return { do: 'create', object: wanted };
  const ports = wanted.spec.ports ?? [];
  const same = existing.spec.ports?.length === 1 && existing.spec.ports[0]?.targetPort === ports[0]?.targetPort;
  return same ? { do: 'nothing' } : { do: 'update', object: { ...existing, spec: { ...existing.spec, ports } } };
}

async function ensureEndpoints(tools: BootstrapTools, { address, port }: { address: string; port: number }): Promise<void> {
  const ports = [{ name: portName, port, protocol: 'TCP' }];
  await ensureObject(tools, Endpoints, {
    plan: planFields(['subsets']),
    wanted: object('v1', 'Endpoints', {
      metadata: { ...at, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      subsets: [{ addresses: [{ ip: address }], ports }],
    }),
  });
  await ensureObject(tools, EndpointSlice, {
    plan: planFields(['addressType', 'endpoints', 'ports']),
    wanted: object('discovery.k8s.io/v1', 'EndpointSlice', {
      metadata: { ...at, labels: { [serviceNameLabel]: at.name } },
      addressType: isIPv6(address) ? 'IPv6' : 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports,
    }),
  });
}

/** Brings the named top-level fields to what is wanted. */
const planFields =
  <T extends KubeObject>(fields: readonly (keyof T)[]) =>
  (existing: T | undefined, wanted: T): Step<T> => {
    if (!existing) return { do: 'create', object: wanted };
    if (fields.every((field) => equalSemantically(existing[field], wanted[field]))) return { do: 'nothing' };
    return { do: 'update', object: { ...wanted, metadata: { ...existing.metadata, labels: wanted.metadata.labels } } as T };
  };

/** The ConfigMap from which extension API servers learn whose client certificates to trust, and which proxies' words. */
export async function ensureAuthenticationConfig(
  tools: BootstrapTools,
  { clientCA, frontProxyCA }: { readonly clientCA: string; readonly frontProxyCA: string },
): Promise<void> {
  await ensureObject(tools, ConfigMap, {
    plan: planFields(['data']),
    wanted: object('v1', 'ConfigMap', {
      metadata: { namespace: 'kube-system', name: 'extension-apiserver-authentication' },
      data: { 'client-ca-file': clientCA, ...requestHeaderConfig(frontProxyCA) },
    }),
  });
}
