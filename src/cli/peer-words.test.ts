import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inOurWords } from './peer-words.ts';

const rows: readonly { readonly given: string; readonly want: string; readonly said?: string }[] = [
  { given: 'start', want: 'up', said: '"start" is "up" here' },
  { given: 'start mine --nodes 2', want: 'up mine --nodes 2', said: '"start" is "up" here' },
  { given: 'stop mine', want: 'down mine', said: '"stop" is "down" here' },
  { given: 'create cluster --name mine', want: 'up mine', said: '"create cluster" is "up" here' },
  { given: 'create cluster --name=mine --json', want: 'up mine --json', said: '"create cluster" is "up" here' },
  { given: 'cluster create mine', want: 'up mine', said: '"cluster create" is "up" here' },
  { given: 'start -p mine', want: 'up mine', said: '"start" is "up" here' },
  { given: 'get clusters', want: 'list', said: '"get clusters" is "list" here' },
  { given: 'ls --json', want: 'list --json', said: '"ls" is "list" here' },
  { given: 'destroy', want: 'delete', said: '"destroy" is "delete" here' },
  { given: 'delete cluster', want: 'delete', said: '"delete cluster" is "delete" here' },
  { given: 'delete cluster --name mine', want: 'delete mine', said: '"delete cluster" is "delete" here' },
  { given: 'get kubeconfig --name mine', want: 'kubeconfig mine', said: '"get kubeconfig" is "kubeconfig" here' },
  { given: 'export kubeconfig -n mine', want: 'kubeconfig mine', said: '"export kubeconfig" is "kubeconfig" here' },
  { given: 'image import a.tar', want: 'image load a.tar', said: '"image import" is "image load" here' },
  {
    given: 'load docker-image bakery:1.0 --name mine',
    want: 'image load bakery:1.0 --cluster-name mine',
    said: '"load docker-image" is "image load" here',
  },
  { given: '--version', want: 'version' },
  { given: '-v', want: 'version' },
  { given: 'up start', want: 'up start' },
  { given: 'create', want: 'create' },
  { given: 'get pods', want: 'get pods' },
  { given: 'start --name', want: 'up --name', said: '"start" is "up" here' },
];

for (const { given, want, said } of rows) {
  test(`${given} → ${want}`, () => {
    const ours = inOurWords(given.split(' '), () => false);
    assert.deepEqual([ours.words, ours.said], [want.split(' '), said]);
  });
}

test('`delete cluster` means the cluster of that name, when there is one', () => {
  assert.deepEqual(
    inOurWords(['delete', 'cluster'], (name) => name === 'cluster'),
    { words: ['delete', 'cluster'] },
  );
});
