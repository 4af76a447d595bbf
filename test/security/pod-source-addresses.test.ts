/**
 * A pod may send raw packets (NET_RAW is a container's by default), so it could say that it is another: a policy would judge
 * it as that one. Here a pod sends with its own address, with another pod's, and with one that nobody has.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, describe, it } from 'node:test';
import { networkTools } from '../../src/node/network/network-tools.ts';
import { nodeTable, planNodeRules } from '../../src/node/network/node-rules.ts';
import { renderRemoval, renderWhole } from '../../src/node/nft/ruleset.ts';
import { joinNeighbours, sourcesSeen } from '../host/node-and-neighbours.ts';
import { inOwnNamespaces } from '../host/own-namespaces.ts';

const nodeAddress = '172.31.0.1';
const [own, others, nobodys, outside] = ['10.244.0.9', '10.244.0.2', '10.244.0.250', '198.51.100.7'];
const net = nodeTable({ name: 'timonier-sources-test-net', clusterCidr: '10.244.0.0/16', keepSource: [] });
const { nft } = networkTools();

const seenOfPod = (): Promise<string[]> => sourcesSeen(nodeAddress, 'veth-liar', [others, nobodys, outside, own]);

if (inOwnNamespaces(import.meta.url))
  describe('what a pod sends with another address than its own', () => {
    before(() => {
      joinNeighbours(nodeAddress, {
        'veth-liar': { addresses: [own], gateway: '10.244.0.1' },
        'veth-other': { addresses: [others], gateway: '10.244.0.1' },
      });
      for (const address of [others, nobodys, outside])
        execFileSync('ip', ['-n', 'veth-liar', 'address', 'add', `${address}/32`, 'dev', 'eth0']);
    });

    it('goes no further', async () => {
      assert.deepEqual(await seenOfPod(), [others, nobodys, outside, own], 'without the node’s rules it would be taken for theirs');
      await nft(renderWhole(net, planNodeRules([])));
      assert.deepEqual(await seenOfPod(), [own]);
      await nft(renderRemoval(net));
    });
  });
