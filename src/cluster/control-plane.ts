/** The control plane in this process: store, certificates, API server, controllers, scheduler; started in this order. */
import { join } from 'node:path';
import { Registry } from 'prom-client';
import type { KindRegistry } from '../api/kinds/registry.ts';
import type { Client } from '../client/client.ts';
import type { Clock, Random } from '../client/clock.ts';
import { createControllerMetrics } from '../client/controller-metrics.ts';
import { runControllers } from '../client/controller-runner.ts';
import { createEventWriter } from '../client/event-writer.ts';
import type { Log } from '../client/log.ts';
import { type ApiServer, createApiServer } from '../control-plane/api-server/api-server.ts';
import { ensureAuthenticationConfig, ensureKubernetesService } from '../control-plane/api-server/bootstrap/kubernetes-service.ts';
import { ensureBootstrapPolicy } from '../control-plane/api-server/bootstrap/policy.ts';
import { publishingEndpoints } from '../control-plane/api-server/publishing/endpoints.ts';
import type { HealthCheck } from '../control-plane/api-server/publishing/health.ts';
import { securityFor } from '../control-plane/api-server/security.ts';
import { podStreamEndpoints } from '../control-plane/api-server/streaming/pod-streams.ts';
import { proxyEndpoints } from '../control-plane/api-server/streaming/proxy-endpoints.ts';
import { builtinControllers, identityOf } from '../control-plane/controllers/index.ts';
import { type ClusterPKI, directoryFiles, memoryFiles, openClusterPKI } from '../control-plane/pki/cluster-pki.ts';
import { Scheduler } from '../control-plane/scheduler/scheduler.ts';
import { createSchedulerMetrics } from '../control-plane/scheduler/scheduler-metrics.ts';
import { openMemoryStore } from '../control-plane/store/memory-store.ts';
import type { Storage } from '../control-plane/store/storage.ts';
import type { AddressPlan } from './address-plan.ts';
import type { ClusterConfig } from './config.ts';
import type { HollowKubelets } from './hollow-kubelets.ts';
import { type Identity, identities } from './identities.ts';
import type { PhaseRunner } from './phase-runner.ts';
import { kubernetesVersion } from './version.ts';

export interface ControlPlaneOptions {
  readonly config: ClusterConfig;
  readonly addresses: AddressPlan;
  /** what the API serves */
  readonly registry: KindRegistry;
  /** absent: all in memory */
  readonly dataDir?: string;
  readonly host: string;
  readonly port: number;
  /** where pods and other nodes reach the API; absent: no real node needs it */
  readonly nodeAddress?: string;
  readonly hollowKubelets: HollowKubelets;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly phase: PhaseRunner;
  /** what is started is put on it: stopped in reverse */
  readonly stack: AsyncDisposableStack;
}

export interface ControlPlane {
  readonly server: ApiServer;
  readonly pki: ClusterPKI;
  readonly port: number;
  clientFor(identity: Identity): Client;
}

export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { phase, stack, clock, random, log } = options;
  const storage = await phase('store', () => openStore(options));
  stack.use(storage);
  const pki = await phase('certificates', () => {
    const files = options.dataDir === undefined ? memoryFiles() : directoryFiles(join(options.dataDir, 'pki'));
    return openClusterPKI({ files, clock });
  });
  const metrics = new Registry();
  const { server, port } = await phase('api-server', () => startApiServer(options, { storage, pki, metrics }));
  const clientFor = (identity: Identity): Client => server.clientFor(identity);
  await phase('bootstrap', () => bootstrap(options, server, pki, port));
  await phase('controllers', async () => {
    const running = runControllers(builtinControllers({ rootCA: pki.authority.certPem, clusterCIDR: options.addresses.podCIDR }), {
      client: clientFor(identities.controllerManager),
      clientFor: (controller) => clientFor(identityOf(controller)),
      clock,
      random,
      log: log.child({ component: 'controllers' }),
      metrics: await createControllerMetrics(metrics),
    });
    stack.use(running);
    await running.started;
  });
  await phase('scheduler', async () => {
    const client = clientFor(identities.scheduler);
    const componentLog = log.child({ component: 'scheduler' });
    const events = stack.use(createEventWriter(client, { component: 'default-scheduler', clock, log: componentLog }));
    stack.use(await Scheduler.start({ client, clock, events, log: componentLog, metrics: await createSchedulerMetrics(metrics) }));
  });
  return { server, pki, port, clientFor };
}

async function openStore({ dataDir, clock, log, config }: ControlPlaneOptions): Promise<Storage> {
  const historyMs = (config.historySeconds ?? 300) * 1000;
  if (dataDir === undefined) return openMemoryStore({ clock, historyMs });
  const { openLmdbStore } = await import('../control-plane/store/lmdb-store.ts');
  return openLmdbStore({ path: join(dataDir, 'store'), clock, historyMs, log: log.child({ component: 'store' }) });
}

async function startApiServer(
  options: ControlPlaneOptions,
  { storage, pki, metrics: exported }: { storage: Storage; pki: ClusterPKI; metrics: Registry },
): Promise<{ server: ApiServer; port: number }> {
  const { clock, random, config, addresses, stack, nodeAddress } = options;
  const log = options.log.child({ component: 'api-server' });
  const serving = await pki.certificate('apiserver', {
    commonName: 'kube-apiserver',
    dnsNames: [
      'localhost',
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      `kubernetes.default.svc.${config.clusterDomain ?? 'cluster.local'}`,
    ],
    ipAddresses: [...new Set(['127.0.0.1', options.host, addresses.apiServiceIP, ...(nodeAddress ? [nodeAddress] : [])])].filter(
      (ip) => ip !== '0.0.0.0',
    ),
    usages: ['server'],
  });
  const kubelet = await pki.certificate('apiserver-kubelet-client', {
    commonName: identities.kubeletClient.name,
    organizations: ['system:masters'],
    usages: ['client'],
  });
  const simulatedKubelets = options.hollowKubelets.reach;
  const kubeletCredentials = { cert: kubelet.certPem, key: kubelet.keyPem, ca: pki.authority.certPem };
  const server = await createApiServer({
    storage,
    registry: options.registry,
    clock,
    random,
    log,
    parts: ({ reader, loopback, registry, isHealthy, metrics, flow }) => {
      metrics.register(exported, flow);
      const security = stack.use(
        securityFor({ reader, loopback, pki, clock, random, log, config: { serviceCIDRs: [addresses.serviceCIDR] } }),
      );
      return {
        ...security,
        pathEndpoints: [
          ...security.pathEndpoints,
          ...publishingEndpoints({
            registry,
            version: kubernetesVersion,
            checks: healthChecks(isHealthy),
            metrics: exported,
            onHealthFailure: (check, error) => log.warn({ check, error }, 'health check failed'),
            otherPaths: security.pathEndpoints.flatMap(({ paths }) => paths),
          }),
        ],
        connectEndpoints: [
          ...podStreamEndpoints({ reader, kubelet: kubeletCredentials, simulatedKubelets }),
          ...proxyEndpoints({ reader, kubelet: kubeletCredentials, simulatedKubelets, random }),
        ],
      };
    },
  });
  stack.use(server);
  const tls = { cert: serving.certPem, key: serving.keyPem, clientCA: pki.authority.certPem };
  const first = await server.listen({ host: options.host, port: options.port, tls });
  if (nodeAddress) await server.listen({ host: nodeAddress, port: first.port, tls });
  return { server, port: first.port };
}

function healthChecks(isHealthy: () => boolean): HealthCheck[] {
  const everywhere = ['livez', 'readyz', 'healthz'] as const;
  const store = (): void => {
    if (!isHealthy()) throw new Error('the watch cache has lost the store');
  };
  return [
    { name: 'etcd', of: everywhere, check: store },
    { name: 'informer-sync', of: ['readyz'], check: store },
  ];
}

async function bootstrap(
  { addresses, clock, nodeAddress }: ControlPlaneOptions,
  server: ApiServer,
  pki: ClusterPKI,
  port: number,
): Promise<void> {
  const tools = { client: server.loopback, reader: server.reader };
  await ensureBootstrapPolicy(tools);
  await ensureAuthenticationConfig(tools, pki.authority.certPem);
  await ensureKubernetesService(tools, {
    serviceCIDRs: [addresses.serviceCIDR],
    clusterIP: addresses.apiServiceIP,
    clock,
    ...(nodeAddress && { endpoint: { address: nodeAddress, port } }),
  });
}
