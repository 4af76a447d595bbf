/** The real nodes of this machine: the first in this process, the others each in a process and namespace of its own. */
import { createNodeNamespaces } from '../../node/network/node-network.ts';
import type { StartComponent } from '../component.ts';
import { identities, nodeIdentity, realNodeName } from '../identities.ts';
import { shareLoaded } from '../images/images.ts';
import { nodeDir } from '../instance/instance.ts';
import { configDefaults } from '../settings/config.ts';
import { markNode } from './node-marks.ts';
import { endLeftNode, startNodeProcess } from './node-process.ts';
import { startRealNode } from './real-node.ts';

export const startRealNodes: StartComponent = async (context, stack) => {
  const { cluster, components, config, addresses, api, nodes, marks, dataDir, nodeAddress, clock, random, log, giveUp, signal } = context;
  const { local, ca } = api;
  if (!local || !ca || !nodeAddress || dataDir === undefined) throw new Error('real nodes need a directory and the API in this process');
  const namespaces = await createNodeNamespaces({ cluster, nodes: nodes.real - 1, subnet: addresses.nodeCIDR });
  /** Side by side: each gives its pods their time. */
  const nodeStacks: AsyncDisposableStack[] = [];
  stack.defer(() => stopAll(nodeStacks));
  const stackOfNode = (): AsyncDisposableStack => {
    const own = new AsyncDisposableStack();
    nodeStacks.push(own);
    return own;
  };
  const settingsOf = async (number: number, nodeIP: string) => {
    const nodeName = realNodeName(cluster, number);
    return {
      cluster,
      addresses,
      clusterDomain: config.clusterDomain ?? configDefaults.clusterDomain,
      podsMax: config.maxPods ?? configDefaults.maxPods,
      cniPluginDir: nodes.cniPluginDir,
      nodeName,
      nodeIP,
      dataDir: nodeDir(dataDir, number),
      ca,
      serving: await local.servingPair(nodeName, nodeIP),
    };
  };
  const first = async (): Promise<void> => {
    const settings = await settingsOf(1, nodeAddress);
    const clients = {
      node: api.clientFor(nodeIdentity(settings.nodeName)),
      network: api.clientFor(identities.network),
      policy: api.clientFor(identities.policy),
    };
    await startRealNode({ ...settings, clients, clock, random, log, giveUp, signal, stack: stackOfNode() });
    await markNode(api.clientFor(identities.admin), marks, settings.nodeName);
  };
  const further = namespaces.nodes.map(async ({ netns, address }, i) => {
    const settings = await settingsOf(i + 2, address);
    const credentials = {
      node: await api.credentialsFor(nodeIdentity(settings.nodeName)),
      proxy: components.has('proxy') ? await api.credentialsFor(identities.proxy) : undefined,
      network: await api.credentialsFor(identities.network),
      policy: await api.credentialsFor(identities.policy),
    };
    const server = `https://${nodeAddress}:${local.port}`;
    await endLeftNode(settings.dataDir);
    await stackOfNode().use(startNodeProcess({ ...settings, credentials, server, logLevel: 'info' }, netns)).started;
  });
  const results = await Promise.allSettled([first(), ...further]); // one that fails does not leave the others half started
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  if (nodes.real < 2) return;
  try {
    const dirs = Array.from({ length: nodes.real }, (_, i) => nodeDir(dataDir, i + 1));
    const count = await shareLoaded(dirs);
    return count === 0 ? undefined : `${count} loaded ${count === 1 ? 'image' : 'images'} copied to other nodes`;
  } catch (error) {
    log.warn({ error }, 'some nodes lack images that were loaded: load them again');
    return 'some lack images that were loaded: load them again';
  }
};

async function stopAll(stacks: readonly AsyncDisposableStack[]): Promise<void> {
  const results = await Promise.allSettled(stacks.map((each) => each.disposeAsync()));
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  if (errors.length > 0) throw new AggregateError(errors, 'nodes that did not stop well');
}
