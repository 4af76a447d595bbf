import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RevisedOwner, revisionData } from './revision-history.ts';

test('the data of a revision has its fields in order, as clients write it that compare it byte by byte', () => {
  const template = { spec: { containers: [{ name: 'c', image: 'i' }] }, metadata: { labels: { b: '2', a: '1' } } };
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'd', namespace: 'n' },
    spec: { template },
  } satisfies RevisedOwner;
  assert.equal(
    JSON.stringify(revisionData(owner)),
    '{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"a":"1","b":"2"}},"spec":{"containers":[{"image":"i","name":"c"}]}}}}',
  );
});
