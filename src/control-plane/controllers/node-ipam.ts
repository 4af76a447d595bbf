/**
 * Gives every node its range of pod addresses (spec.podCIDR): the lowest free subnet of the cluster's range. What a
 * node has it keeps; ranges of removed nodes are given again. Simulated nodes bring addresses of their own.
 * Upstream: pkg/controller/nodeipam (RangeAllocator).
 */
import { Node } from '../../api/generated/kinds.ts';
import { type Controller, defineController, watched } from '../../client/controller.ts';

export interface NodeIPAMOptions {
  /** `10.244.0.0/16` */
  readonly clusterCIDR: string;
  /** default: 24 */
  readonly nodePrefixLength?: number;
}

const hollowLabel = 'timonier.dev/hollow';

export function nodeIPAM({ clusterCIDR, nodePrefixLength = 24 }: NodeIPAMOptions): Controller {
  return defineController({
    name: 'node-ipam',
    serviceAccount: 'node-controller',
    watches: [watched(Node)],
    async reconcile(key, { client, events }) {
      const nodes = client.informer(Node);
      const node = nodes.get(key);
      if (!node || node.spec.podCIDR || node.metadata.labels?.[hollowLabel]) return;
      const taken = new Set(nodes.list().map((other) => other.spec.podCIDR));
      const podCIDR = firstFreeSubnet(clusterCIDR, nodePrefixLength, taken);
      if (!podCIDR) {
        events.event(node, 'Normal', 'CIDRNotAvailable', `Node ${key} status is now: CIDRNotAvailable`);
        return;
      }
      await client.patch(Node, { name: key }, { type: 'strategic', body: { spec: { podCIDR, podCIDRs: [podCIDR] } } });
    },
  });
}

export function firstFreeSubnet(clusterCIDR: string, prefixLength: number, taken: ReadonlySet<string | undefined>): string | undefined {
  const [address = '', length = '32'] = clusterCIDR.split('/');
  const base = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - prefixLength);
  const count = 2 ** (prefixLength - Number(length));
  for (let i = 0; i < count; i++) {
    const subnet = base + i * size;
    const text = `${[24, 16, 8, 0].map((shift) => Math.floor(subnet / 2 ** shift) % 256).join('.')}/${prefixLength}`;
    if (!taken.has(text)) return text;
  }
  return undefined;
}
