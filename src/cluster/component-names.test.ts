import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseComponents } from './component-names.ts';

test('components by their names and by those of upstream’s programs', () => {
  assert.deepEqual(parseComponents('api-server, kube-controller-manager,node,kube-proxy'), [
    'api-server',
    'controllers',
    'kubelet',
    'proxy',
  ]);
  assert.throws(() => parseComponents('scheduler,etcd,'), {
    message: 'unknown component: "etcd", ""',
    exitCode: 2,
    fix: /^the components are: api-server, /,
  });
});
