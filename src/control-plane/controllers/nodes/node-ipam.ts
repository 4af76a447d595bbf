/**
 * Gives every node its range of pod addresses (spec.podCIDR): the lowest free subnet of the cluster's range. What a
 * node has it keeps; ranges of removed nodes are given again. Simulated nodes bring addresses of their own.
 * Upstream: pkg/controller/nodeipam (RangeAllocator).
 */
import { Node } from '../../../api/generated/kinds.ts';
import type { ObjectKey } from '../../../api/meta/object.ts';
import { simulatedLabel } from '../../../api/meta/well-known.ts';
import { type Controller, defineController, watched } from '../../../client/controllers/controller.ts';

export interface NodeIPAMOptions {
  /** `10.244.0.0/16` */
  readonly clusterCIDR: string;
  /** default: 24 */
  readonly nodePrefixLength?: number;
}

export function nodeIPAM({ clusterCIDR, nodePrefixLength = 24 }: NodeIPAMOptions): Controller {
  /** what was given to nodes that the cache still shows without */
  const given = new Map<ObjectKey, string>();
  return defineController({
    name: 'node-ipam',
    serviceAccount: 'node-controller',
    watches: [watched(Node)],
    async reconcile(key, { client, events }) {
      const nodes = client.informer(Node);
      const node = nodes.get(key);
      if (!node || node.spec.podCIDR) given.delete(key);
      if (!node || node.spec.podCIDR || node.metadata.labels?.[simulatedLabel]) return;
      const ofSubnet = nodes.index('podCIDR', ({ spec }) => (spec.podCIDR ? [spec.podCIDR] : []));
      const justGiven = new Set(given.values());
      const isTaken = (subnet: string): boolean => ofSubnet(subnet).length > 0 || justGiven.has(subnet);
      const podCIDR = given.get(key) ?? firstFreeSubnet(clusterCIDR, nodePrefixLength, isTaken);
      if (!podCIDR) {
        events.event(node, 'Normal', 'CIDRNotAvailable', `Node ${key} status is now: CIDRNotAvailable`);
        return;
      }
      given.set(key, podCIDR);
      await client.patch(Node, { name: key }, { type: 'strategic', body: { spec: { podCIDR, podCIDRs: [podCIDR] } } });
    },
  });
}

export function firstFreeSubnet(clusterCIDR: string, prefixLength: number, isTaken: (subnet: string) => boolean): string | undefined {
  const [address = '', length = '32'] = clusterCIDR.split('/');
  const base = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - prefixLength);
  const count = 2 ** (prefixLength - Number(length));
  for (let i = 0; i < count; i++) {
    const subnet = base + i * size;
    const text = `${[24, 16, 8, 0].map((shift) => Math.floor(subnet / 2 ** shift) % 256).join('.')}/${prefixLength}`;
    if (!isTaken(text)) return text;
  }
  return undefined;
}
