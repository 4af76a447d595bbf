import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostname, testFacts, testNode, testTable, zone } from '../../../test/kit/scheduler-objects.ts';
import { column } from './node-facts.ts';
import { NodeTable } from './node-table.ts';

const namesOf = (table: NodeTable): readonly string[] => table.order.map(({ name }) => name);

test('sums follow pods that come, change and go', () => {
  const table = testTable({ nodes: { a: {}, b: {} } });
  const cpu = (name: string): number | undefined => table.get(name)?.requested(column.milliCPU);
  table.addPod('a', testFacts('p', { requests: { cpu: '1' } }));
  table.addPod('a', testFacts('q', { requests: { cpu: '500m', 'example.com/gpu': '1' } }));
  assert.deepEqual([cpu('a'), cpu('b'), table.get('a')?.requested(column.pods)], [1500, 0, 2]);
  table.addPod('a', testFacts('p', { requests: { cpu: '250m' } }));
  assert.equal(cpu('a'), 750);
  table.addPod('b', testFacts('p', { requests: { cpu: '250m' } }));
  assert.deepEqual([cpu('a'), cpu('b')], [500, 250]);
  assert.equal(table.removePod('q')?.uid, 'q');
  assert.equal(table.removePod('q'), undefined);
  assert.deepEqual([cpu('a'), table.get('a')?.otherRequested.get('example.com/gpu')], [0, 0]);
});

test('a pod is counted as soon as its node is known, and again when the node comes back', () => {
  const table = new NodeTable(() => undefined);
  table.addPod('late', testFacts('p', { requests: { cpu: '1' } }));
  assert.equal(table.nodeOf('p'), undefined);
  table.setNode(testNode('late'));
  assert.equal(table.get('late')?.requested(column.milliCPU), 1000);
  table.removeNode('late');
  assert.equal(table.size, 0);
  table.setNode(testNode('other'));
  table.setNode(testNode('late'));
  assert.deepEqual([table.get('other')?.requested(column.milliCPU), table.get('late')?.requested(column.milliCPU)], [0, 1000]);
  table.removeNode('late');
  table.removePod('p');
  table.setNode(testNode('late'));
  assert.equal(table.get('late')?.requested(column.pods), 0);
});

test('zones take turns in the order of the search', () => {
  const table = testTable({
    nodes: {
      a1: { labels: { [zone]: 'a' } },
      a2: { labels: { [zone]: 'a' } },
      a3: { labels: { [zone]: 'a' } },
      b1: { labels: { [zone]: 'b' } },
      c1: {},
    },
  });
  assert.deepEqual(namesOf(table), ['a1', 'b1', 'c1', 'a2', 'a3']);
  table.setNode(testNode('a2', { labels: { [zone]: 'b' } }));
  table.removeNode('c1');
  assert.deepEqual(namesOf(table), ['a1', 'a2', 'a3', 'b1']);
});

test('who derives something per node learns just which nodes changed', () => {
  const table = testTable({ nodes: { a: {}, b: {}, c: {} } });
  const position = table.position;
  const changed = (): readonly number[] | undefined => {
    const indices = table.changedSince(position);
    return indices && [...indices];
  };
  assert.deepEqual(changed(), []);
  table.addPod('b', testFacts('p'));
  assert.deepEqual(changed(), [1]);
  table.addPod('b', testFacts('q'));
  table.addPod('c', testFacts('r'));
  assert.deepEqual(changed(), [1, 2]);
  table.removePod('q');
  assert.equal(changed(), undefined, 'more changes than nodes: look at all');
});

test('domains are numbers that follow labels', () => {
  const table = testTable({ nodes: { a: { labels: { [zone]: 'x' } }, b: { labels: { [zone]: 'y' } }, c: {} } });
  const domainOf = (name: string, key = zone): number => {
    const node = table.get(name);
    return node ? table.topology.of(key).at(node) : -2;
  };
  assert.equal(domainOf('c'), -1);
  assert.notEqual(domainOf('a'), domainOf('b'));
  table.setNode(testNode('c', { labels: { [zone]: 'x' } }));
  assert.equal(domainOf('c'), domainOf('a'));
  table.removeNode('b');
  table.setNode(testNode('d', { labels: { [zone]: 'z' } }));
  assert.notEqual(domainOf('d'), domainOf('a'));
  assert.equal(table.topology.of(zone).size, 2, 'the number of a domain that is gone is used again');
  assert.equal(table.topology.of(hostname).size, 3);
});

test('counts are kept current from the first question on', () => {
  const table = testTable({ nodes: { a: {}, b: {} }, pods: { a: { p: { labels: { app: 'web' } }, q: {} } } });
  const count = (): readonly number[] => [...table.counts.of('web', (pod) => pod.labels['app'] === 'web')].slice(0, 2);
  assert.deepEqual(count(), [1, 0]);
  table.addPod('b', testFacts('r', { labels: { app: 'web' } }));
  table.addPod('a', testFacts('q', { labels: { app: 'web' } }));
  assert.deepEqual(count(), [2, 1]);
  table.removePod('p');
  table.removeNode('b');
  assert.deepEqual(count(), [1, 0]);
});

test('images are counted by the nodes that have them', () => {
  const table = testTable({ nodes: { a: { images: { x: 1, y: 1 } }, b: { images: { x: 1 } } } });
  assert.deepEqual([table.nodesWithImage('x'), table.nodesWithImage('y')], [2, 1]);
  table.setNode(testNode('a', { images: { y: 1 } }));
  table.removeNode('b');
  assert.deepEqual([table.nodesWithImage('x'), table.nodesWithImage('y')], [0, 1]);
});
