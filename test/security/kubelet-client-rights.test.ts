/**
 * The identity in which the API server asks kubelets may ask kubelets, and nothing else: should a proxy ever lead it
 * somewhere else, it is worth little there. Mechanism: confused deputy.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SubjectAccessReview } from '../../src/api/generated/kinds.ts';
import { type Cluster, startCluster } from '../../src/index.ts';

const rows = [
  { verb: 'get', resource: 'nodes', subresource: 'proxy', want: true },
  { verb: 'create', resource: 'nodes', subresource: 'proxy', want: true },
  { verb: 'get', resource: 'nodes', subresource: 'log', want: true },
  { verb: 'get', resource: 'nodes', subresource: 'metrics', want: true },
  { verb: 'get', resource: 'nodes', subresource: 'configz', want: true },
  { verb: 'get', resource: 'nodes', subresource: 'statusz', want: true },
  { verb: 'list', resource: 'secrets', want: false },
  { verb: 'create', resource: 'pods', want: false },
  { verb: 'create', resource: 'pods', subresource: 'exec', want: false },
  { verb: 'patch', resource: 'nodes', subresource: 'status', want: false },
  { verb: 'impersonate', resource: 'users', want: false },
];

describe('the API server’s client of kubelets', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster({ simulated: 1 });
  });
  after(() => cluster[Symbol.asyncDispose]());

  for (const { want, ...attributes } of rows) {
    it(`${want ? 'may' : 'may not'} ${attributes.verb} ${attributes.resource}/${attributes.subresource ?? ''}`, async () => {
      const spec = {
        user: 'kube-apiserver-kubelet-client',
        groups: ['system:authenticated'],
        resourceAttributes: { version: 'v1', ...attributes },
      };
      const { status } = await cluster.client.create(SubjectAccessReview, { metadata: {}, spec });
      assert.equal(status?.allowed, want);
    });
  }
});
