/**
 * An API server as a cluster has it, in memory: authentication, RBAC, admission and allocation are on, the bootstrap
 * policy is there, and every version of every kind is served. Asked in process, or over HTTPS with whatever bytes and
 * headers a test wants to send.
 */
import type { Registry } from 'prom-client';
import { Agent, request } from 'undici';
import { ServiceAccount } from '../../src/api/generated/kinds.ts';
import { builtInRegistry } from '../../src/api/kinds/all.ts';
import type { Client } from '../../src/client/client.ts';
import { type Clock, type Random, realClock, realRandom } from '../../src/client/clock.ts';
import { type Log, silentLog } from '../../src/client/log.ts';
import { AdmissionMetrics } from '../../src/control-plane/api-server/admission/admission-metrics.ts';
import { kubernetesServiceIP } from '../../src/control-plane/api-server/allocation/service-network.ts';
import { type ApiServer, createApiServer, type ServerParts } from '../../src/control-plane/api-server/api-server.ts';
import { ensureDefaultServiceCIDR } from '../../src/control-plane/api-server/bootstrap/default-service-cidr.ts';
import { ensureAuthenticationConfig, ensureKubernetesService } from '../../src/control-plane/api-server/bootstrap/kubernetes-service.ts';
import { ensureBootstrapPolicy } from '../../src/control-plane/api-server/bootstrap/policy.ts';
import { ConversionMetrics } from '../../src/control-plane/api-server/extension/conversion-metrics.ts';
import { publishingEndpoints } from '../../src/control-plane/api-server/publishing/endpoints.ts';
import { type Security, type SecurityConfig, securityFor } from '../../src/control-plane/api-server/security.ts';
import { Dialer, type DialNetwork } from '../../src/control-plane/api-server/streaming/dialer.ts';
import { podStreamEndpoints } from '../../src/control-plane/api-server/streaming/pod-streams.ts';
import { proxyEndpoints } from '../../src/control-plane/api-server/streaming/proxy-endpoints.ts';
import { WebhookClient } from '../../src/control-plane/api-server/streaming/webhook-client.ts';
import { type ClusterPKI, memoryFiles, openClusterPKI } from '../../src/control-plane/pki/cluster-pki.ts';
import { openMemoryStore } from '../../src/control-plane/store/memory-store.ts';
import type { Storage } from '../../src/control-plane/store/storage.ts';

export interface Ask {
  /** default: POST with a body, GET without */
  readonly method?: string;
  readonly body?: string | Uint8Array | object;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** a bearer token; absent: the certificate of an administrator, '': nobody */
  readonly token?: string;
  /** another client certificate */
  readonly pair?: { readonly certPem: string; readonly keyPem: string };
}

export interface Answer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
  readonly text: string;
}

export interface GuardedServer extends AsyncDisposable {
  readonly server: ApiServer;
  readonly storage: Storage;
  readonly security: Security;
  readonly pki: ClusterPKI;
  readonly port: number;
  /** of the group system:masters */
  readonly admin: Client;
  /** a client of somebody who is authenticated, in process */
  as(name: string, ...groups: readonly string[]): Client;
  /** one request over HTTPS; an object as the body is sent as JSON */
  ask(path: string, given?: Ask): Promise<Answer>;
}

export async function startGuardedServer(
  options: {
    readonly clock?: Clock;
    readonly random?: Random;
    readonly config?: SecurityConfig;
    readonly log?: Log;
    readonly parts?: ServerParts;
    /** where connections that the server opens lead; default: the real one */
    readonly network?: DialNetwork;
    /** what is scraped at /metrics */
    readonly metrics?: Registry;
    /** the caller's to close; default: one of its own, in memory */
    readonly storage?: Storage;
  } = {},
): Promise<GuardedServer> {
  const { clock = realClock, random = realRandom, log = silentLog, config = {} } = options;
  const cidrs = config.serviceCIDRs ?? ['10.96.0.0/16'];
  const stack = new AsyncDisposableStack();
  const pki = await openClusterPKI({ files: memoryFiles(), clock });
  const kubelet = await pki.certificate('kubelet-client', { commonName: 'kubelet-client', usages: ['client'] });
  const dialer = stack.use(new Dialer({ cert: kubelet.certPem, key: kubelet.keyPem, ca: pki.authority.certPem }, options.network));
  const frontProxy = await pki.frontProxyAuthority();
  let security: Security | undefined;
  const storage = options.storage ?? stack.use(openMemoryStore({ clock }));
  const server = await createApiServer({
    storage,
    registry: builtInRegistry({ 'api/all': true }),
    clock,
    random,
    log,
    aggregation: { dialer, frontProxy: () => frontProxy.issue({ commonName: 'front-proxy-client', usages: ['client'] }) },
    parts({ reader, ops, claims, loopback, registry }) {
      const client = new WebhookClient({ dialer, reader, random, clock });
      const admissionMetrics = new AdmissionMetrics();
      const conversionMetrics = new ConversionMetrics();
      if (options.metrics) for (const each of [admissionMetrics, conversionMetrics]) each.register(options.metrics);
      security = stack.use(
        securityFor({
          reader,
          ops,
          claims,
          loopback,
          pki,
          clock,
          random,
          log,
          served: () => registry.current,
          webhooks: { client },
          admissionMetrics,
          frontProxyCA: frontProxy.certPem,
          config,
        }),
      );
      const nonResourceEndpoints = [
        ...security.nonResourceEndpoints,
        ...publishingEndpoints({ registry, version: 'v1.36.0', ...(options.metrics && { metrics: options.metrics }) }),
      ];
      const out = { reader, dialer, random };
      const connectEndpoints = [...podStreamEndpoints(out), ...proxyEndpoints(out)];
      return { ...security, webhooks: client, conversionMetrics, nonResourceEndpoints, connectEndpoints, ...options.parts };
    },
  });
  stack.use(server);
  if (!security) throw new Error('the server was put together without its parts');
  const tools = { reader: server.reader, client: server.loopback };
  await ensureBootstrapPolicy(tools);
  await ensureAuthenticationConfig(tools, { clientCA: pki.authority.certPem, frontProxyCA: frontProxy.certPem });
  const endpoint = { address: '192.0.2.1', port: 6443 };
  await ensureDefaultServiceCIDR(tools, { cidrs, clock, events: { event: () => undefined } });
  await ensureKubernetesService(tools, { clusterIP: kubernetesServiceIP(cidrs), endpoint });
  const account = { namespace: 'default', name: 'default' };
  if (!server.reader.get(ServiceAccount, account)) await server.loopback.create(ServiceAccount, { metadata: account });
  const serving = await pki.certificate('apiserver', { commonName: 'kube-apiserver', ipAddresses: ['127.0.0.1'], usages: ['server'] });
  const tls = { cert: serving.certPem, key: serving.keyPem, clientCA: `${pki.authority.certPem}\n${frontProxy.certPem}` };
  const { port } = await server.listen({ host: '127.0.0.1', port: 0, tls });
  const own = await pki.certificate('admin', { commonName: 'admin', organizations: ['system:masters'], usages: ['client'] });
  const agent = (pair?: { readonly certPem: string; readonly keyPem: string }): Agent => {
    const made = new Agent({ connect: { ca: pki.authority.certPem, ...(pair && { cert: pair.certPem, key: pair.keyPem }) } });
    stack.defer(() => made.destroy());
    return made;
  };
  const known = agent(own);
  const unknown = agent();
  return {
    server,
    storage,
    security,
    pki,
    port,
    admin: server.clientFor({ name: 'admin', groups: ['system:masters', 'system:authenticated'] }),
    as: (name, ...groups) => server.clientFor({ name, groups: [...groups, 'system:authenticated'] }),
    ask: (path, given = {}) =>
      ask(`https://127.0.0.1:${port}${path}`, given, given.pair ? agent(given.pair) : given.token === undefined ? known : unknown),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function ask(url: string, { method, body, headers, token }: Ask, dispatcher: Agent): Promise<Answer> {
  const sent = body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  const answer = await request(url, {
    method: (method ?? (body === undefined ? 'GET' : 'POST')) as 'GET',
    dispatcher,
    ...(sent !== undefined && { body: sent }),
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }), ...headers },
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  return { code: answer.statusCode, headers: answer.headers, bytes, text: bytes.toString() };
}
