/** The real nodes of this machine: the first in this process, the others each in a process and namespace of its own. */
import type { ClusterPKI } from '../control-plane/pki/cluster-pki.ts';
import { createNodeNamespaces } from '../node/network/node-network.ts';
import type { KeyPair } from './cluster.ts';
import type { ControlPlane, ControlPlaneOptions } from './control-plane.ts';
import { type Identity, identities, nodeIdentity } from './identities.ts';
import { nodeDir } from './instance.ts';
import { startNodeProcess } from './node-process.ts';
import { type RealNodeOptions, startRealNode } from './real-node.ts';

export interface RealNodesOptions {
  readonly cluster: string;
  readonly count: number;
  readonly dataDir: string;
  readonly clusterDomain: string;
  readonly podsMax: number;
  readonly cniPluginDir: string;
  readonly nodeAddress: string;
  readonly signal: AbortSignal;
}

export const realNodeName = (cluster: string, number: number): string => `${cluster}-${number}`;

export async function startRealNodes(options: RealNodesOptions, context: ControlPlaneOptions, plane: ControlPlane): Promise<void> {
  const { cluster, count, dataDir, nodeAddress, podsMax, clusterDomain, cniPluginDir, signal } = options;
  const { addresses, clock, random, log, stack } = context;
  if (count === 0) return;
  const namespaces = await createNodeNamespaces({ cluster, nodes: count - 1, subnet: addresses.nodeCIDR });
  const common = { cluster, addresses, clusterDomain, podsMax, cniPluginDir };
  const first = async (): Promise<void> => {
    const nodeName = realNodeName(cluster, 1);
    const clients: RealNodeOptions['clients'] = {
      node: plane.clientFor(nodeIdentity(nodeName)),
      proxy: plane.clientFor(identities.proxy),
      network: plane.clientFor(identities.network),
    };
    await startRealNode({
      ...common,
      nodeName,
      nodeIP: nodeAddress,
      dataDir: nodeDir(dataDir, 1),
      clients,
      serving: await servingPair(plane.pki, nodeName, nodeAddress),
      clientCA: plane.pki.authority.certPem,
      clock,
      random,
      log,
      signal,
      stack,
    });
  };
  const further = namespaces.nodes.map(async ({ netns, address }, i) => {
    const nodeName = realNodeName(cluster, i + 2);
    const credentials = {
      node: await clientPair(plane.pki, `node-${nodeName}`, nodeIdentity(nodeName)),
      proxy: await clientPair(plane.pki, 'proxy', identities.proxy),
      network: await clientPair(plane.pki, 'network', identities.network),
    };
    const config = {
      ...common,
      nodeName,
      nodeIP: address,
      dataDir: nodeDir(dataDir, i + 2),
      server: `https://${nodeAddress}:${plane.port}`,
      ca: plane.pki.authority.certPem,
      credentials,
      serving: await servingPair(plane.pki, nodeName, address),
      logLevel: 'info' as const,
    };
    stack.use(await startNodeProcess(config, netns));
  });
  await Promise.all([first(), ...further]);
}

async function servingPair(pki: ClusterPKI, nodeName: string, address: string): Promise<KeyPair> {
  const { certPem, keyPem } = await pki.certificate(`kubelet-${nodeName}`, {
    commonName: `system:node:${nodeName}`,
    organizations: ['system:nodes'],
    dnsNames: [nodeName],
    ipAddresses: [address],
    usages: ['server'],
  });
  return { cert: certPem, key: keyPem };
}

/** Certificates name groups in the subject; `system:authenticated` comes by itself. */
export async function clientPair(pki: ClusterPKI, file: string, identity: Identity): Promise<KeyPair> {
  const organizations = identity.groups.filter((group) => group !== 'system:authenticated');
  const { certPem, keyPem } = await pki.certificate(file, { commonName: identity.name, organizations, usages: ['client'] });
  return { cert: certPem, key: keyPem };
}
