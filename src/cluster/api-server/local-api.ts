/** The API server in this process: its store, certificates, server, and what must be in it before anything else. */
import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { Counter, Registry } from 'prom-client';
import type { KindSnapshot } from '../../api/kinds/kind-snapshot.ts';
import type { KindRegistry } from '../../api/kinds/registry.ts';
import type { Clock, Random } from '../../client/clock.ts';
import { createEventWriter } from '../../client/events/event-writer.ts';
import type { Log } from '../../client/log.ts';
import { actsEndpoint } from '../../control-plane/api-server/acts/acts-endpoint.ts';
import { AdmissionMetrics } from '../../control-plane/api-server/admission/admission-metrics.ts';
import { type ApiServer, createApiServer } from '../../control-plane/api-server/api-server.ts';
import { frontProxyName } from '../../control-plane/api-server/authentication/request-header.ts';
import { issueSecretToken } from '../../control-plane/api-server/authentication/service-account-tokens.ts';
import { defaultServiceCIDRComponent, ensureDefaultServiceCIDR } from '../../control-plane/api-server/bootstrap/default-service-cidr.ts';
import { ensureAuthenticationConfig, ensureKubernetesService } from '../../control-plane/api-server/bootstrap/kubernetes-service.ts';
import { ensureBootstrapPolicy } from '../../control-plane/api-server/bootstrap/policy.ts';
import { AggregationMetrics } from '../../control-plane/api-server/extension/aggregation-metrics.ts';
import { ConversionMetrics } from '../../control-plane/api-server/extension/conversion-metrics.ts';
import { publishingEndpoints } from '../../control-plane/api-server/publishing/endpoints.ts';
import { type BootHook, type HookDone, healthChecks } from '../../control-plane/api-server/publishing/health-checks.ts';
import { threadPool } from '../../control-plane/api-server/publishing/thread-pool.ts';
import { securityFor } from '../../control-plane/api-server/security.ts';
import { Dialer } from '../../control-plane/api-server/streaming/dialer.ts';
import { podStreamEndpoints } from '../../control-plane/api-server/streaming/pod-streams.ts';
import { proxyEndpoints } from '../../control-plane/api-server/streaming/proxy-endpoints.ts';
import { WebhookClient } from '../../control-plane/api-server/streaming/webhook-client.ts';
import type { CertificateSpec, KeyedCertificate } from '../../control-plane/pki/authority.ts';
import { type ClusterPKI, directoryFiles, memoryFiles, openClusterPKI } from '../../control-plane/pki/cluster-pki.ts';
import type { Storage } from '../../control-plane/store/storage.ts';
import type { API, KeyPair } from '../component.ts';
import { type Identity, identities } from '../identities.ts';
import type { ProcessFaults } from '../machine/process-faults.ts';
import { SimulatedKubelets } from '../nodes/simulated-kubelets.ts';
import type { PhaseRunner } from '../phase-runner.ts';
import type { AddressPlan } from '../settings/address-plan.ts';
import { type ClusterConfig, configDefaults } from '../settings/config.ts';
import { kubernetesVersion } from '../version.ts';
import { apiPorts, onFreePort } from './api-port.ts';
import { openAudit } from './audit.ts';
import { type Controls, controlEndpoints } from './control-endpoints.ts';
import { type ListenPlan, planListening } from './listen-plan.ts';
import { openStore } from './open-store.ts';
import { ensureOwnPolicy } from './own-policy.ts';

export interface LocalAPIOptions {
  readonly config: ClusterConfig;
  readonly addresses: AddressPlan;
  /** what it serves */
  readonly registry: KindRegistry;
  /** absent: all in memory */
  readonly dataDir?: string | undefined;
  /** where pods and other nodes reach it; absent: no real node needs it */
  readonly nodeAddress?: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly phase: PhaseRunner;
  readonly faults?: ProcessFaults | undefined;
  /** aborted when the cluster stops */
  readonly stopping: AbortSignal;
  /** what is started is put on it: stopped in reverse */
  readonly stack: AsyncDisposableStack;
}

/** Where the pods of simulated nodes would reach the API: a place on paper, as their own are (RFC 2544). */
const simulatedEndpoint = { address: '198.19.255.254', port: configDefaults.port };

export async function startLocalAPI(options: LocalAPIOptions): Promise<API> {
  const { phase, stack, clock, dataDir } = options;
  const listening = planListening({
    host: options.config.host ?? configDefaults.host,
    nodeAddress: options.nodeAddress,
    ...options.addresses,
    machineAddresses: Object.values(networkInterfaces()).flatMap((each = []) => each.map(({ address }) => address)),
  });
  const storage = await phase('store', async () => stack.use(await openStore(options)));
  const pki = await phase('certificates', () =>
    openClusterPKI({
      files: dataDir === undefined ? memoryFiles() : directoryFiles(join(dataDir, 'pki')),
      clock,
      // Keys that can be guessed are for clusters that nobody else reaches, and that nothing is kept of.
      seed: dataDir === undefined && listening.hosts.every(isLoopback) ? options.random.seed : undefined,
    }),
  );
  const metrics = new Registry();
  if (options.faults) registerFaults(options.faults, metrics);
  const simulatedKubelets = new SimulatedKubelets({ clock, pki });
  const hooksDone = new Set<BootHook>();
  const controls: Controls = {};
  const parts = { controls, listening, storage, pki, metrics, simulatedKubelets, hooksDone };
  const { server, port } = await phase('api-server', () => startApiServer(options, parts));
  const done = (hook: BootHook): void => {
    hooksDone.add(hook);
  };
  await phase('bootstrap', () => bootstrap(options, { server, pki, listening, port, done }));
  return {
    server: `https://${listening.urlHost}:${port}`,
    ca: pki.authority.certPem,
    clientFor: (identity) => server.clientFor(identity),
    acts: (filter) => server.acts.subscribe(filter),
    credentialsFor: (identity) => clientPair(pki, identity),
    local: {
      port,
      metrics,
      simulatedKubelets,
      controls,
      serve: (resources) => server.serve(resources),
      signing: {
        certificate: (request, terms) => {
          const signed = pki.authority.sign(request, terms);
          clock.holdFor?.(signed);
          return signed;
        },
        secretToken: (account, secretName) => issueSecretToken(pki.serviceAccountKeys, account, secretName),
      },
      servingPair: (nodeName, address) => servingPair(pki, nodeName, address),
    },
  };
}

function registerFaults(faults: ProcessFaults, metrics: Registry): void {
  new Counter({
    name: 'timonier_unhandled_rejections_total',
    help: 'Failures that no part of the process has caught',
    registers: [metrics],
    collect() {
      this.reset();
      this.inc(faults.unhandledRejections);
    },
  });
}

async function startApiServer(
  options: LocalAPIOptions,
  parts: {
    controls: Controls;
    listening: ListenPlan;
    storage: Storage;
    pki: ClusterPKI;
    metrics: Registry;
    simulatedKubelets: SimulatedKubelets;
    hooksDone: ReadonlySet<BootHook>;
  },
): Promise<{ server: ApiServer; port: number }> {
  const { clock, random, config, addresses, stack } = options;
  const { listening, storage, pki, metrics: exported } = parts;
  const log = options.log.child({ component: 'api-server' });
  const serving = await pki.certificate('apiserver', {
    commonName: 'kube-apiserver',
    dnsNames: [
      'localhost',
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      `kubernetes.default.svc.${config.clusterDomain ?? configDefaults.clusterDomain}`,
      ...listening.dnsNames,
    ],
    ipAddresses: listening.ipAddresses,
    usages: ['server'],
  });
  const kubelet = await pki.certificate('apiserver-kubelet-client', {
    commonName: identities.kubeletClient.name,
    usages: ['client'],
  });
  const { reach: kubeletsInProcess, read: pagesInProcess } = parts.simulatedKubelets;
  const securityConfig = {
    serviceCIDRs: [addresses.serviceCIDR],
    disabledAdmissionPlugins: config.disableAdmissionPlugins ?? [],
  };
  const audit = await openAudit({ config, dataDir: options.dataDir, clock, log, metrics: exported, stack });
  const dialer = stack.use(new Dialer({ cert: kubelet.certPem, key: kubelet.keyPem, ca: pki.authority.certPem }));
  const frontProxy = await pki.frontProxyAuthority();
  let shown: Promise<KeyedCertificate> | undefined;
  const server = await createApiServer({
    aggregation: {
      dialer,
      frontProxy() {
        shown ??= frontProxy.issue({ commonName: frontProxyName, usages: ['client'] });
        return shown;
      },
    },
    keepsFirstActs: options.dataDir !== undefined,
    storage,
    registry: options.registry,
    clock,
    random,
    log,
    parts: ({ reader, ops, claims, loopback, registry, isHealthy, unregistered, metrics, flow, acts }) => {
      metrics.register(exported, flow);
      stack.use(new AggregationMetrics(reader)).register(exported);
      const client = new WebhookClient({ dialer, reader, random, clock });
      const served = (): KindSnapshot => registry.current;
      const admissionMetrics = new AdmissionMetrics();
      admissionMetrics.register(exported);
      const conversionMetrics = new ConversionMetrics();
      conversionMetrics.register(exported);
      const security = stack.use(
        securityFor({
          reader,
          ops,
          claims,
          loopback,
          pki,
          clock,
          random,
          log,
          served,
          webhooks: { client },
          admissionMetrics,
          frontProxyCA: frontProxy.certPem,
          config: securityConfig,
        }),
      );
      return {
        ...security,
        webhooks: client,
        conversionMetrics,
        audit,
        nonResourceEndpoints: [
          ...security.nonResourceEndpoints,
          actsEndpoint(acts),
          ...controlEndpoints(parts.controls),
          ...publishingEndpoints({
            registry,
            version: kubernetesVersion,
            checks: healthChecks({
              storage,
              threads: threadPool,
              isCacheCurrent: isHealthy,
              hooksDone: parts.hooksDone,
              unregistered,
              stopping: options.stopping,
            }),
            metrics: exported,
            onHealthFailure: (check, error) => log.warn({ check, error }, 'health check failed'),
            otherPaths: security.nonResourceEndpoints.flatMap(({ paths }) => paths),
          }),
        ],
        connectEndpoints: [
          ...podStreamEndpoints({ reader, dialer, kubeletsInProcess }),
          ...proxyEndpoints({ reader, dialer, kubeletsInProcess, pagesInProcess, random }),
        ],
      };
    },
  });
  stack.use(server);
  const tls = { cert: serving.certPem, key: serving.keyPem, clientCA: `${pki.authority.certPem}\n${frontProxy.certPem}` };
  const [first = configDefaults.host, ...others] = listening.hosts;
  const { port } = await onFreePort(apiPorts(config, options.dataDir), (wanted) => server.listen({ host: first, port: wanted, tls }));
  for (const host of others) await server.listen({ host, port, tls });
  return { server, port };
}

async function bootstrap(
  { addresses, clock, log, stack }: LocalAPIOptions,
  { server, pki, listening, port, done }: { server: ApiServer; pki: ClusterPKI; listening: ListenPlan; port: number; done: HookDone },
): Promise<void> {
  const tools = { client: server.loopback, reader: server.reader };
  await ensureBootstrapPolicy(tools, done);
  const { certPem: frontProxyCA } = await pki.frontProxyAuthority();
  await ensureAuthenticationConfig(tools, { clientCA: pki.authority.certPem, frontProxyCA });
  done('start-cluster-authentication-info-controller');
  const events = stack.use(createEventWriter(server.loopback, { component: defaultServiceCIDRComponent, clock, log }));
  await ensureDefaultServiceCIDR(tools, { cidrs: [addresses.serviceCIDR], clock, events });
  done('start-kubernetes-service-cidr-controller');
  await ensureKubernetesService(tools, {
    clusterIP: addresses.apiServiceIP,
    endpoint: listening.advertised === undefined ? simulatedEndpoint : { address: listening.advertised, port },
    done,
  });
  await ensureOwnPolicy(server.loopback);
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));

function servingPair(pki: ClusterPKI, nodeName: string, address: string): Promise<KeyPair> {
  const subject = { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] };
  return pairOf(pki, `kubelet-${nodeName}`, { ...subject, dnsNames: [nodeName], ipAddresses: [address], usages: ['server'] });
}

/** Certificates name groups in the subject; `system:authenticated` comes by itself. */
function clientPair(pki: ClusterPKI, { name, groups }: Identity): Promise<KeyPair> {
  const organizations = groups.filter((group) => group !== 'system:authenticated');
  return pairOf(pki, name.replaceAll(':', '-'), { commonName: name, organizations, usages: ['client'], keyType: 'rsa' });
}

async function pairOf(pki: ClusterPKI, file: string, spec: CertificateSpec): Promise<KeyPair> {
  const { certPem, keyPem } = await pki.certificate(file, spec);
  return { cert: certPem, key: keyPem };
}
