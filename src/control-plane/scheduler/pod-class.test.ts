import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  scoresOf,
  type TestPod,
  testFacts,
  testNode,
  testPod,
  testSelector,
  testTable,
  verdictOf,
} from '../../../test/kit/scheduler-objects.ts';
import { PodFacts } from './pod-facts.ts';

test('a class stays what it was when the pod that it was made for is bound', () => {
  const table = testTable({ nodes: { a: {}, b: {} } });
  const selector = testSelector(table);
  const first = testFacts('p', { requests: { cpu: '1' } });
  table.addPod(verdictOf(selector, first), first);
  assert.ok(first.renew(testPod('p', { requests: { cpu: '1' }, nodeName: 'a' })));
  for (const name of ['a', 'b']) table.setNode(testNode(name));
  assert.deepEqual(Object.keys(scoresOf(selector, testFacts('q', { requests: { cpu: '1' } }))), ['a', 'b']);
});

test('pods are of one class when no plugin that looks at one node can tell them apart', () => {
  const port = (hostPort: number): TestPod => ({ containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 1, hostPort }] }] });
  const rows: readonly (readonly [name: string, a: TestPod, b: TestPod, same: boolean])[] = [
    ['labels and priority', { labels: { a: '1' }, priority: 1 }, { labels: { a: '2' } }, true],
    ['images', { containers: [{ name: 'c', image: 'x' }] }, { containers: [{ name: 'd', image: 'y' }] }, true],
    ['requests, however they are written', { requests: { cpu: '1' } }, { requests: { cpu: '1000m' } }, true],
    ['requests', { requests: { cpu: '1' } }, { requests: { cpu: '2' } }, false],
    ['extended resources', { requests: { 'x.y/z': '1' } }, {}, false],
    ['tolerations', { tolerations: [{ operator: 'Exists' }] }, {}, false],
    ['node selectors', { nodeSelector: { a: 'b' } }, { nodeSelector: { a: 'c' } }, false],
    ['host ports', port(1), port(2), false],
    ['what is asked for at pod level', { resources: { requests: { cpu: '1' } } }, { requests: { cpu: '1' } }, false],
  ];
  for (const [name, a, b, same] of rows) assert.equal(testFacts('p', a).classKey === testFacts('q', b).classKey, same, name);
});

test('a newer version of a pod is taken over when it says the same', () => {
  const rows: readonly (readonly [name: string, newer: TestPod, same: boolean])[] = [
    ['its node', { nodeName: 'a' }, true],
    ['its status', { status: { phase: 'Running' } }, true],
    ['its labels', { labels: { a: 'b' } }, false],
    ['its deletion', { deletionTimestamp: '2026-01-01T00:00:00Z' }, false],
    ['its requests', { requests: { cpu: '1' } }, false],
    ['what it is promised', { status: { containerStatuses: [{ name: 'c', resources: { requests: { cpu: '1' } } }] as never } }, false],
  ];
  for (const [name, newer, same] of rows) {
    const facts = testFacts('p');
    const pod = testPod('p', newer);
    assert.equal(facts.renew(pod), same, name);
    assert.equal(facts.pod === pod, same, name);
  }
});

test('facts of a newer version are the same as those made from nothing', () => {
  const older = testFacts('p', { requests: { cpu: '1' }, labels: { a: '1' } });
  const newer = testPod('p', { requests: { cpu: '2' }, labels: { a: '2' }, nodeName: 'n' });
  const [known, fresh] = [new PodFacts(newer, older), new PodFacts(newer)];
  assert.deepEqual(
    [known.requests, known.nonZero, known.labels, known.classKey],
    [fresh.requests, fresh.nonZero, fresh.labels, fresh.classKey],
  );
  const table = testTable({ nodes: { n: {} } });
  assert.deepEqual(scoresOf(testSelector(table), known), scoresOf(testSelector(table), fresh));
});
