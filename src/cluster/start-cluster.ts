/**
 * Starts a whole cluster, or some of its components beside an API server elsewhere: the phases in order, each reported
 * with its time; on failure everything that was started is stopped again. What the data directory holds stays, so that
 * the same call brings every object back.
 */
import { mkdirSync } from 'node:fs';
import { Node, ServiceAccount } from '../api/generated/kinds.ts';
import { builtInRegistry } from '../api/kinds/all.ts';
import type { KindRegistry } from '../api/kinds/registry.ts';
import { parseRuntimeConfig, runtimeConfigFix } from '../api/kinds/runtime-config.ts';
import { isConditionTrue } from '../api/meta/conditions.ts';
import type { Client } from '../client/client.ts';
import { type Clock, realClock, realRandom } from '../client/clock.ts';
import { kubeconfigFor, renderKubeconfig } from '../client/files/kubeconfig.ts';
import { silentLog } from '../client/log.ts';
import { controllerChoice } from '../control-plane/controllers/controller-names.ts';
import { addressAt, parseCidr } from '../node/network/cidr.ts';
import { Addons, checkAddonNames } from './addons.ts';
import { startLocalAPI } from './api-server/local-api.ts';
import type { RemoteAPIOptions } from './api-server/remote-api.ts';
import type { Cluster, StartOptions } from './cluster.ts';
import type { API, ComponentContext, LocalNodes } from './component.ts';
import { type ComponentName, componentNames } from './component-names.ts';
import { components } from './components.ts';
import { identities, isNodeNameOf } from './identities.ts';
import { checkClusterName, machineName, makeDataDir, nodesDir } from './instance/instance.ts';
import { planGoneNodes, removeNodes } from './nodes/gone-nodes.ts';
import { markNodes, marksElsewhere, marksOf } from './nodes/node-marks.ts';
import { nodeNames, noNodes, planNodes } from './nodes/nodes.ts';
import { type SimulatedNode, SimulatedNodes } from './nodes/simulated-nodes.ts';
import { OperationError } from './operation-error.ts';
import { createPhaseRunner } from './phase-runner.ts';
import { type AddressPlan, keepAddresses, planAddresses } from './settings/address-plan.ts';
import { checkStartOptions, checkUser } from './start-options.ts';

const timeoutMsDefault = 120_000;
const hostIndex = 1;

/** In a program: real nodes, which change the machine's network, only where they are asked for. */
export async function startCluster(given: StartOptions = {}): Promise<Cluster> {
  const options = checkStartOptions(given);
  if (options.dataDir !== undefined) makeDataDir(options.dataDir);
  return startChecked({ ...options, nodes: options.nodes ?? 0 });
}

/** As the command line has it: without a number one real node, where the machine can have it; the directory is there. */
export const startMachineCluster = async (given: StartOptions): Promise<Cluster> => startChecked(checkStartOptions(given));

async function startChecked(options: StartOptions): Promise<Cluster> {
  const clock = options.clock ?? realClock;
  const deadline = new AbortController();
  const timeoutMs = options.timeoutMs ?? timeoutMsDefault;
  using _timer = realClock.setTimeout(() => {
    deadline.abort(
      new OperationError({
        code: 'timeout',
        message: `not ready after ${timeoutMs / 1000} s`,
        fix: 'give it longer (--timeout, timeoutMs); the log says what it waits for',
      }),
    );
  }, timeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, deadline.signal]) : deadline.signal;
  const stop = new AbortController();
  await using undo = new AsyncDisposableStack();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => stop.abort());
  const cluster = await start({ options, clock, signal, stop, stack, undo });
  undo.move(); // it is not undone
  const started = stack.move();
  const { dataDir: dir } = options;
  const stopCluster = once(async () => {
    await started.disposeAsync();
    if (cluster.nodes === 0 || dir === undefined) return;
    const { removeNetwork } = await import('./instance/remove.ts');
    await removeNetwork({ name: cluster.name, dir }); // its pods have ended; after a crash they go on, and need it
  });
  return Object.assign(cluster, { stop: stopCluster, [Symbol.asyncDispose]: stopCluster });
}

interface Context {
  readonly options: StartOptions;
  readonly clock: Clock;
  /** aborted when the start is given up */
  readonly signal: AbortSignal;
  /** aborted when the cluster stops */
  readonly stop: AbortController;
  readonly stack: AsyncDisposableStack;
  /** what a start that fails takes back, beside stopping everything */
  readonly undo: AsyncDisposableStack;
}

async function start({ options, clock, signal, stop, stack, undo }: Context): Promise<Omit<Cluster, 'stop' | typeof Symbol.asyncDispose>> {
  const { dataDir, random = realRandom, log = silentLog } = options;
  const chosen: ReadonlySet<ComponentName> = new Set(options.components ?? componentNames);
  const localAPI = chosen.has('api-server');
  const cluster = checkClusterName(options.name ?? (localAPI ? 'default' : machineName()));
  const nodes = chosen.has('kubelet')
    ? await planNodes(options, { dataDir: dataDir !== undefined, localAPI, realTime: clock === realClock })
    : noNodes;
  const registry = registryOf(options);
  const addresses = dataDir === undefined ? planAddresses(options) : await keepAddresses(options, { dir: dataDir, real: nodes.real > 0 });
  const nodeAddress = nodes.real > 0 ? addressAt(parseCidr(addresses.nodeCIDR), hostIndex) : undefined;
  if (nodeAddress && dataDir !== undefined) await prepareNodeNetwork({ cluster, dataDir, addresses, undo });
  const phase = createPhaseRunner({ clock: realClock, signal, onPhase: options.onPhase });
  const common = { config: options, addresses, dataDir, nodeAddress, clock, random, log };
  const api = localAPI
    ? await startLocalAPI({ ...common, registry, phase, stack, stopping: stop.signal, faults: options.faults })
    : await connectAPI(options, { ...common, phase, stack });
  const credentialsMade = api.credentialsFor(identities.admin); // their key takes its time, beside the components
  credentialsMade.catch(() => undefined); // told below
  const marks = localAPI || nodes.simulated === 0 ? marksOf(cluster, nodes) : await marksElsewhere(api.clientFor(identities.admin));
  if (localAPI && chosen.has('kubelet')) {
    await removeGoneNodes(api.clientFor(identities.admin), { cluster, nodes });
    await markNodes(api.clientFor(identities.admin), marks);
  }
  const shared = { ...common, cluster, nodes, marks, components: chosen, giveUp: signal, signal: stop.signal, api };
  const simulatedNodes = new SimulatedNodes(shared);
  const addons = new Addons(shared);
  const context: ComponentContext = { ...shared, simulatedNodes, addons };
  const isNeeded = (name: ComponentName): boolean => chosen.has(name) && !(name === 'proxy' && chosen.has('kubelet') && nodes.real === 0);
  for (const { names, phase: phaseName, start: startComponent } of components) {
    if (!names.some(isNeeded)) continue;
    await phase(
      phaseName,
      () => startComponent(context, stack),
      (note) => note,
    );
  }
  const client = api.clientFor(identities.admin);
  const makesAccounts = chosen.has('controllers') && controllerChoice(options.controllers)('serviceaccount-controller');
  const awaited = { nodes: new Set(nodeNames(cluster, nodes)), defaultServiceAccount: localAPI && makesAccounts };
  const credentials = await phase('ready', async () => {
    await whenReady(client, awaited, signal);
    return credentialsMade;
  });
  const simulatedNodeOf = (nodeName: string): SimulatedNode => {
    const node = simulatedNodes.get(nodeName);
    if (node) return node;
    const fix = `name one of: ${simulatedNodes.names.join(', ')}`;
    throw new OperationError({ code: 'no-such-node', message: `"${nodeName}" is no simulated node of this process`, fix });
  };
  const access = { ...options.access, server: api.server, ca: api.ca, ...credentials };
  return {
    name: cluster,
    server: api.server,
    client,
    kubeconfig: await renderKubeconfig(kubeconfigFor(`timonier-${cluster}`, access)),
    nodes: nodes.real,
    get simulated() {
      return simulatedNodes.count;
    },
    setSimulated: (count) => simulatedNodes.resize(count),
    get addons() {
      return addons.states;
    },
    disableAddons: (names) => addons.disable(checkAddonNames(names)),
    acts: (filter) => api.acts(filter),
    killNode: (nodeName) => simulatedNodeOf(nodeName).kill(),
    startNode: (nodeName) => simulatedNodeOf(nodeName).start(),
    clientFor: (user) => {
      const { name, groups } = checkUser(user);
      return api.clientFor({ name, groups: [...groups, 'system:authenticated'] });
    },
  };
}

async function connectAPI({ access }: StartOptions, how: Omit<RemoteAPIOptions, 'access'>): Promise<API> {
  if (!access)
    throw new OperationError({ code: 'bad-config', message: 'no API server', fix: 'say where it is, or add api-server to the components' });
  const { connectRemoteAPI } = await import('./api-server/remote-api.ts');
  return connectRemoteAPI({ ...how, access });
}

function registryOf({ runtimeConfig = {} }: StartOptions): KindRegistry {
  try {
    return builtInRegistry(parseRuntimeConfig(runtimeConfig));
  } catch (cause) {
    throw new OperationError({ code: 'bad-config', message: 'runtimeConfig', fix: runtimeConfigFix, cause });
  }
}

interface NodeNetworkOptions {
  readonly cluster: string;
  readonly dataDir: string;
  readonly addresses: AddressPlan;
  readonly undo: AsyncDisposableStack;
}

/** A first start that fails takes everything away from the machine again; a later one leaves it as the one before did. */
async function prepareNodeNetwork({ cluster, dataDir, addresses, undo }: NodeNetworkOptions): Promise<void> {
  const [{ createNodeNamespaces }, { claimName }] = await Promise.all([
    import('../node/network/node-network.ts'),
    import('./instance/name-claim.ts'),
  ]);
  const owner = await claimName({ name: cluster, dir: dataDir });
  mkdirSync(nodesDir(dataDir), { recursive: true, mode: 0o700 });
  const { nodeCIDR: subnet, serviceCIDR: serviceCidr } = addresses;
  const { isNew } = await createNodeNamespaces({ cluster, nodes: 0, subnet, serviceCidr, owner });
  if (!isNew) return;
  undo.defer(async () => {
    const { removeTraces } = await import('./instance/remove.ts');
    await removeTraces({ name: cluster, dir: dataDir });
  });
}

interface Awaited {
  readonly nodes: ReadonlySet<string>;
  readonly defaultServiceAccount: boolean;
}

/** Of earlier starts, which had more. */
async function removeGoneNodes(
  client: Client,
  { cluster, nodes }: { readonly cluster: string; readonly nodes: LocalNodes },
): Promise<void> {
  const { items } = await client.list(Node);
  const own = new Set(nodeNames(cluster, nodes));
  await removeNodes(client, planGoneNodes(items, { own, isOwn: (name) => isNodeNameOf(cluster, name) }));
}

/** Every node is Ready, and pods can be created in the default namespace. */
async function whenReady(client: Client, awaited: Awaited, signal: AbortSignal): Promise<void> {
  await Promise.all([whenNodesReady(client, awaited.nodes, signal), awaited.defaultServiceAccount && whenAccountThere(client, signal)]);
}

async function whenNodesReady(client: Client, names: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
  if (names.size === 0) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const nodes = client.informer(Node);
  const isReady = (name: string): boolean => isConditionTrue(nodes.get(name)?.status.conditions, 'Ready');
  const check = (): void => {
    if ([...names].every(isReady)) resolve();
  };
  const giveUp = (): void => reject(signal.reason);
  using _check = nodes.on({ added: check, updated: check });
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    if (signal.aborted) giveUp();
    await promise;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

async function whenAccountThere(client: Client, signal: AbortSignal): Promise<void> {
  const which = { namespace: 'default', fieldSelector: 'metadata.name=default' };
  for await (const { type } of client.watch(ServiceAccount, { ...which, signal })) if (type === 'ADDED') return;
  signal.throwIfAborted();
}

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= action();
    return done;
  };
}
