import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, PersistentVolume, StorageClass } from '../../api/generated/kinds.ts';
import { chooseNode } from './choose-node.ts';

const node = (
  name: string,
  { ready = 'True', zone = 'z', ...spec }: { ready?: string; zone?: string } & Partial<Node['spec']> = {},
): Node =>
  ({
    metadata: { name, labels: { 'topology.kubernetes.io/zone': zone } },
    spec,
    status: { conditions: [{ type: 'Ready', status: ready }] },
  }) as never;
const on = (name: string): PersistentVolume => ({ metadata: { name: 'v', annotations: { 'timonier.dev/node': name } } }) as never;
const zone = (...values: string[]): StorageClass['allowedTopologies'] => [
  { matchLabelExpressions: [{ key: 'topology.kubernetes.io/zone', values }] },
];
const taints = [{ key: 'k', effect: 'NoSchedule' as const }];

const rows: readonly {
  name: string;
  nodes: readonly Node[];
  volumes?: readonly PersistentVolume[];
  allowed?: StorageClass['allowedTopologies'];
  want: string | undefined;
}[] = [
  { name: 'no node', nodes: [], want: undefined },
  { name: 'the only one', nodes: [node('a')], volumes: [on('a')], want: 'a' },
  { name: 'the emptiest', nodes: [node('a'), node('b'), node('c')], volumes: [on('a'), on('a'), on('b')], want: 'c' },
  { name: 'of equals the first by name', nodes: [node('b'), node('a')], want: 'a' },
  { name: 'volumes of nodes that are gone, and of others', nodes: [node('a')], volumes: [on('x'), { metadata: {} } as never], want: 'a' },
  { name: 'none that is not ready', nodes: [node('a', { ready: 'Unknown' }), node('b')], volumes: [on('b')], want: 'b' },
  { name: 'none that is cordoned', nodes: [node('a', { unschedulable: true })], want: undefined },
  { name: 'none that is tainted', nodes: [node('a', { taints })], want: undefined },
  { name: 'where the class allows', nodes: [node('a'), node('b', { zone: 'y' })], allowed: zone('x', 'y'), want: 'b' },
  { name: 'where the class allows none', nodes: [node('a')], allowed: zone('x'), want: undefined },
];

for (const { name, nodes, volumes = [], allowed, want } of rows)
  test(`a volume that waits for no pod goes to: ${name}`, () =>
    assert.equal(chooseNode(nodes, volumes, allowed ? { allowedTopologies: allowed } : {}), want));
