/**
 * Starts a whole cluster: the phases in order, each reported with its time; on failure everything that was started is
 * stopped again. What the data directory holds stays, so that the same call brings every object back.
 */

import { startDNS } from '../addons/dns/dns-addon.ts';
import { Node, ServiceAccount } from '../api/generated/kinds.ts';
import { builtInRegistry } from '../api/kinds/all.ts';
import { type KindRegistry, parseRuntimeConfig } from '../api/kinds/registry.ts';
import { isConditionTrue } from '../api/meta/conditions.ts';
import type { Client } from '../client/client.ts';
import { type Clock, realClock, realRandom, sleepOn } from '../client/clock.ts';
import { kubeconfigFor, renderKubeconfig } from '../client/kubeconfig.ts';
import { silentLog } from '../client/log.ts';
import { addressAt, parseCidr } from '../node/network/cidr.ts';
import { type AddressPlan, keepAddresses, planAddresses } from './address-plan.ts';
import type { Cluster, StartOptions } from './cluster.ts';
import { configDefaults } from './config.ts';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './control-plane.ts';
import { HollowKubelets } from './hollow-kubelets.ts';
import { startHollowNodes } from './hollow-nodes.ts';
import { identities } from './identities.ts';
import { checkName } from './instance.ts';
import { detectMachine, realNodesPossible } from './machine.ts';
import { OperationError } from './operation-error.ts';
import { ensureOwnPolicy } from './own-policy.ts';
import { createPhaseRunner } from './phase-runner.ts';

const timeoutMsDefault = 120_000;
const hostIndex = 1;

interface NodeCounts {
  readonly nodes: number;
  readonly hollow: number;
  readonly cniPluginDir: string;
  readonly note?: string;
}

export async function startCluster(options: StartOptions = {}): Promise<Cluster> {
  const clock = options.clock ?? realClock;
  const deadline = new AbortController();
  const timeoutMs = options.timeoutMs ?? timeoutMsDefault;
  const timer = realClock.setTimeout(() => {
    deadline.abort(
      new OperationError({
        code: 'timeout',
        message: `not ready after ${timeoutMs / 1000} s`,
        fix: 'see the log for what it waits for; --timeout gives it longer',
      }),
    );
  }, timeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, deadline.signal]) : deadline.signal;
  const stop = new AbortController();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => stop.abort());
  const context: Omit<Context, 'stack'> = { options, clock, signal, stop };
  const cluster = await start({ ...context, stack });
  timer.cancel();
  const started = stack.move();
  const stopCluster = once(() => started.disposeAsync());
  return { ...cluster, stop: stopCluster, [Symbol.asyncDispose]: stopCluster };
}

interface Context {
  readonly options: StartOptions;
  readonly clock: Clock;
  /** aborted when the start is given up */
  readonly signal: AbortSignal;
  /** aborted when the cluster stops */
  readonly stop: AbortController;
  readonly stack: AsyncDisposableStack;
}

async function start({ options, clock, signal, stop, stack }: Context): Promise<Omit<Cluster, 'stop' | typeof Symbol.asyncDispose>> {
  const name = checkName(options.name ?? 'default');
  const registry = registryOf(options);
  const counts = await countNodes(options);
  const kept = options.dataDir !== undefined;
  const addresses =
    options.dataDir === undefined ? planAddresses(options) : await keepAddresses(options, { dir: options.dataDir, real: counts.nodes > 0 });
  const nodeAddress = counts.nodes > 0 ? addressAt(parseCidr(addresses.nodeCIDR), hostIndex) : undefined;
  const host = options.host ?? configDefaults.host;
  const phase = createPhaseRunner({ clock: realClock, signal, onPhase: options.onPhase });
  const context: ControlPlaneOptions = {
    config: options,
    addresses,
    registry,
    ...(options.dataDir !== undefined && { dataDir: options.dataDir }),
    host,
    port: options.port ?? (kept ? configDefaults.port : 0),
    ...(nodeAddress && { nodeAddress }),
    hollowKubelets: stack.use(new HollowKubelets(clock)),
    clock,
    random: options.random ?? realRandom,
    log: options.log ?? silentLog,
    phase,
    stack,
  };
  if (nodeAddress) await prepareNodeNetwork(name, addresses);
  const plane = await startControlPlane(context);
  await ensureOwnPolicy(plane.server.loopback);
  const clusterDomain = options.clusterDomain ?? configDefaults.clusterDomain;
  const podsMax = options.maxPods ?? configDefaults.maxPods;
  const common = { cluster: name, clusterDomain, podsMax, signal: stop.signal };
  await phase(
    'nodes',
    async () => {
      if (counts.nodes > 0 && nodeAddress && options.dataDir !== undefined) {
        const { startRealNodes } = await import('./real-nodes.ts');
        const real = { ...common, count: counts.nodes, dataDir: options.dataDir, cniPluginDir: counts.cniPluginDir, nodeAddress };
        await startRealNodes(real, context, plane);
      }
      const { dnsServiceIP } = addresses;
      await startHollowNodes({ ...common, ...context, count: counts.hollow, dnsServiceIP, clientFor: plane.clientFor, pki: plane.pki });
    },
    () => counts.note ?? describeNodes(counts),
  );
  await phase('dns', () => startClusterDNS(context, plane, clusterDomain));
  const client = plane.server.clientFor(identities.admin);
  await phase('ready', () => whenReady(client, counts.nodes + counts.hollow, signal));
  const server = `https://${host === '0.0.0.0' ? '127.0.0.1' : host}:${plane.port}`;
  return {
    name,
    server,
    client,
    kubeconfig: await adminKubeconfig(plane, name, server),
    nodes: counts.nodes,
    hollow: counts.hollow,
    clientFor: (user) => plane.clientFor({ name: user.name, groups: [...(user.groups ?? []), 'system:authenticated'] }),
  };
}

function registryOf({ runtimeConfig = {} }: StartOptions): KindRegistry {
  try {
    return builtInRegistry(parseRuntimeConfig(runtimeConfig));
  } catch (cause) {
    const fix = 'name api/all, api/ga, api/beta, api/alpha, GROUP/VERSION or GROUP/VERSION/RESOURCE (core: v1), each true or false';
    throw new OperationError({ code: 'bad-config', message: 'runtimeConfig', fix, cause });
  }
}

async function countNodes(options: StartOptions): Promise<NodeCounts> {
  const inMemory = options.dataDir === undefined;
  if (options.nodes === 0 || (inMemory && options.nodes === undefined)) return { nodes: 0, hollow: options.hollow ?? 1, cniPluginDir: '' };
  if (inMemory)
    throw new OperationError({ code: 'bad-config', message: 'real nodes need a data directory', fix: 'give dataDir, or nodes: 0' });
  const machine = await detectMachine();
  const possible = realNodesPossible(machine);
  if (possible.ok) return { nodes: options.nodes ?? 1, hollow: options.hollow ?? 0, cniPluginDir: machine.cniPluginDir ?? '' };
  const missing = possible.missing.map((check) => check.name).join(', ');
  if (options.nodes !== undefined) {
    const fix = possible.missing.find((check) => check.fix)?.fix ?? 'see `timonier doctor`';
    throw new OperationError({ code: 'no-real-nodes', message: `real nodes are not possible here: ${missing}`, fix });
  }
  return { nodes: 0, hollow: options.hollow ?? 1, cniPluginDir: '', note: `simulated only: no containers run (missing: ${missing})` };
}

const describeNodes = ({ nodes, hollow }: NodeCounts): string =>
  [nodes ? `${nodes} real` : '', hollow ? `${hollow} simulated: no containers run there` : ''].filter(Boolean).join(', ');

async function prepareNodeNetwork(cluster: string, { nodeCIDR, serviceCIDR }: AddressPlan): Promise<void> {
  const { createNodeNamespaces } = await import('../node/network/node-network.ts');
  await createNodeNamespaces({ cluster, nodes: 0, subnet: nodeCIDR, serviceCidr: serviceCIDR });
}

async function startClusterDNS(context: ControlPlaneOptions, plane: ControlPlane, domain: string): Promise<void> {
  const { addresses, clock, log, stack, config, nodeAddress } = context;
  const dns = await startDNS({
    client: plane.clientFor(identities.dns),
    clock,
    log: log.child({ component: 'dns' }),
    domain,
    address: nodeAddress ?? '127.0.0.1',
    port: 0,
    clusterIP: addresses.dnsServiceIP,
    ...(config.upstreamDNS && { upstreams: config.upstreamDNS }),
  });
  stack.use(dns);
}

const readyPollMs = 20;

/** Every node is Ready, and pods can be created in the default namespace. On real time: a virtual clock may stand still. */
async function whenReady(client: Client, nodeCount: number, signal: AbortSignal): Promise<void> {
  const nodes = client.informer(Node);
  await nodes.synced;
  for (;;) {
    const ready = nodes.list().filter((node) => isConditionTrue(node.status.conditions, 'Ready')).length;
    if (ready >= nodeCount && (await hasDefaultServiceAccount(client))) return;
    await sleepOn(realClock, readyPollMs, signal);
  }
}

async function hasDefaultServiceAccount(client: Client): Promise<boolean> {
  const { items } = await client.list(ServiceAccount, { namespace: 'default', fieldSelector: 'metadata.name=default' });
  return items.length > 0;
}

async function adminKubeconfig(plane: ControlPlane, name: string, server: string): Promise<string> {
  const { clientPair } = await import('./real-nodes.ts');
  const pair = await clientPair(plane.pki, 'admin', identities.admin);
  return renderKubeconfig(kubeconfigFor(`timonier-${name}`, { server, ca: plane.pki.authority.certPem, ...pair }));
}

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= action();
    return done;
  };
}
