import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../meta/object.ts';
import { customScalePaths, readScale, type ScalePaths, scalePaths, withReplicas } from './scale.ts';

const usual = scalePaths['deployments.apps'] as ScalePaths;
const labels = scalePaths['replicationcontrollers'] as ScalePaths;
const custom = customScalePaths({
  specReplicasPath: '.spec.size.wanted',
  statusReplicasPath: '.status.size',
  labelSelectorPath: '.status.selector',
});
const objectOf = (parts: object): KubeObject => ({ apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, ...parts });

const rows = [
  {
    name: 'a selector',
    paths: usual,
    object: objectOf({ spec: { replicas: 3, selector: { matchLabels: { a: 'b' } } }, status: { replicas: 2 } }),
    want: { replicas: 3, currentReplicas: 2, selector: 'a=b' },
  },
  {
    name: 'labels',
    paths: labels,
    object: objectOf({ spec: { replicas: 0, selector: { a: 'b', c: 'd' } } }),
    want: { replicas: 0, currentReplicas: 0, selector: 'a=b,c=d' },
  },
  {
    name: 'text, deeper down',
    paths: custom,
    object: objectOf({ spec: { size: { wanted: 5 } }, status: { size: 4, selector: 'x in (y)' } }),
    want: { replicas: 5, currentReplicas: 4, selector: 'x in (y)' },
  },
  { name: 'nothing', paths: custom, object: objectOf({}), want: { replicas: undefined, currentReplicas: 0, selector: '' } },
];

for (const { name, paths, object, want } of rows) {
  test(`reads ${name}`, () => assert.deepEqual(readScale(object, paths), want));
}

test('sets replicas where they are, and nothing else', () => {
  const object = objectOf({ spec: { size: { other: true } } });
  assert.deepEqual(withReplicas(object, custom, 7), { ...object, spec: { size: { other: true, wanted: 7 } } });
});
