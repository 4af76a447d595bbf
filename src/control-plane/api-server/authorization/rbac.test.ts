import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObjectMap } from '../../../../test/kit/object-map.ts';
import { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '../../../api/generated/kinds.ts';
import type { PolicyRule, RoleRef, Subject } from '../../../api/generated/rbac-v1.ts';
import type { RequestAttributes, UserInfo } from '../request/request.ts';
import { BindingIndex } from './binding-index.ts';
import { decideBy } from './decide.ts';
import { forbiddenError } from './forbidden.ts';
import { privilegedGroup } from './privileged.ts';
import { RBAC } from './rbac.ts';

const apiVersion = 'rbac.authorization.k8s.io/v1';
const made = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
const apiGroup = 'rbac.authorization.k8s.io';
const clusterRole = (name: string, ...rules: PolicyRule[]): ClusterRole => ({
  apiVersion,
  kind: 'ClusterRole',
  metadata: { ...made, name },
  rules,
});
const role = (namespace: string, name: string, ...rules: PolicyRule[]): Role => ({
  apiVersion,
  kind: 'Role',
  metadata: { ...made, namespace, name },
  rules,
});
const toClusterRole = (name: string): RoleRef => ({ apiGroup, kind: 'ClusterRole', name });
const toRole = (name: string): RoleRef => ({ apiGroup, kind: 'Role', name });
const clusterBinding = (name: string, roleRef: RoleRef, ...subjects: Subject[]): ClusterRoleBinding => ({
  apiVersion,
  kind: 'ClusterRoleBinding',
  metadata: { ...made, name },
  roleRef,
  subjects,
});
const binding = (namespace: string, name: string, roleRef: RoleRef, ...subjects: Subject[]): RoleBinding => ({
  apiVersion,
  kind: 'RoleBinding',
  metadata: { ...made, namespace, name },
  roleRef,
  subjects,
});
const user = (name: string): Subject => ({ apiGroup, kind: 'User', name });
const group = (name: string): Subject => ({ apiGroup, kind: 'Group', name });
const account = (name: string, namespace?: string): Subject => ({ kind: 'ServiceAccount', name, ...(namespace && { namespace }) });

const objects = new ObjectMap()
  .put(
    ClusterRole,
    clusterRole('reader', { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', 'pods/log'] }),
    clusterRole('scaler', { verbs: ['*'], apiGroups: ['*'], resources: ['*/scale'] }),
    clusterRole('health', { verbs: ['get'], nonResourceURLs: ['/healthz', '/livez/*'] }),
    clusterRole('one', { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['mine'] }),
  )
  .put(Role, role('shop', 'writer', { verbs: ['create'], apiGroups: ['apps'], resources: ['deployments'] }))
  .put(
    ClusterRoleBinding,
    clusterBinding('readers', toClusterRole('reader'), group('staff')),
    clusterBinding('odd', toClusterRole('reader'), group('u:bo')),
    clusterBinding('health', toClusterRole('health'), group('system:unauthenticated')),
    clusterBinding('one', toClusterRole('one'), user('ada')),
    clusterBinding('broken', toClusterRole('nope'), user('bob')),
  )
  .put(
    RoleBinding,
    binding('shop', 'writers', toRole('writer'), account('robot')),
    binding('shop', 'scalers', toClusterRole('scaler'), account('robot', 'other')),
    binding('shop', 'broken', toRole('gone'), user('bob')),
  );
const authorize = decideBy([privilegedGroup, new RBAC(new BindingIndex(objects))]);

type Target = { group?: string; resource: string; subresource?: string; namespace?: string; name?: string };
const ask = (who: UserInfo, verb: string, target: Target | string): RequestAttributes =>
  typeof target === 'string'
    ? { user: who, verb, path: target }
    : { user: who, verb, path: '', resource: { group: '', version: 'v1', ...target } };

const ada: UserInfo = { name: 'ada', groups: ['staff'] };
const bob: UserInfo = { name: 'bob', groups: [] };
const robot: UserInfo = { name: 'system:serviceaccount:shop:robot', groups: [] };
const otherRobot: UserInfo = { name: 'system:serviceaccount:other:robot', groups: [] };
const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
const root: UserInfo = { name: 'root', groups: ['system:masters'] };
const pods = { resource: 'pods', namespace: 'shop' };

const table: readonly { name: string; given: RequestAttributes; want: string }[] = [
  {
    name: 'a cluster role through a group',
    given: ask(ada, 'list', pods),
    want: 'allow: RBAC: allowed by ClusterRoleBinding "readers" of ClusterRole "reader" to Group "staff"',
  },
  { name: 'another verb', given: ask(ada, 'delete', { ...pods, name: 'a' }), want: 'no-opinion: ' },
  { name: 'a subresource that is named', given: ask(ada, 'get', { ...pods, subresource: 'log' }), want: 'allow' },
  { name: 'a subresource that is not', given: ask(ada, 'get', { ...pods, subresource: 'exec' }), want: 'no-opinion: ' },
  {
    name: 'a role in its namespace, the account without namespace',
    given: ask(robot, 'create', { group: 'apps', resource: 'deployments', namespace: 'shop' }),
    want: 'allow: RBAC: allowed by RoleBinding "writers/shop" of Role "writer" to ServiceAccount "robot/shop"',
  },
  {
    name: 'a role elsewhere',
    given: ask(robot, 'create', { group: 'apps', resource: 'deployments', namespace: 'b' }),
    want: 'no-opinion: ',
  },
  {
    name: 'any resource of a subresource',
    given: ask(otherRobot, 'update', { group: 'apps', resource: 'deployments', subresource: 'scale', namespace: 'shop', name: 'x' }),
    want: 'allow',
  },
  { name: 'a path', given: ask(anonymous, 'get', '/healthz'), want: 'allow' },
  { name: 'a path below', given: ask(anonymous, 'get', '/livez/etcd'), want: 'allow' },
  { name: 'a path that is no path below', given: ask(anonymous, 'get', '/livezz'), want: 'no-opinion: ' },
  { name: 'an object by name', given: ask(ada, 'get', { resource: 'secrets', namespace: 'shop', name: 'mine' }), want: 'allow' },
  { name: 'another name', given: ask(ada, 'get', { resource: 'secrets', namespace: 'shop', name: 'yours' }), want: 'no-opinion: ' },
  {
    name: 'bindings to roles that are not there',
    given: ask(bob, 'get', { resource: 'secrets', namespace: 'shop', name: 'x' }),
    want: 'no-opinion: RBAC: [clusterrole.rbac.authorization.k8s.io "nope" not found, role.rbac.authorization.k8s.io "gone" not found]',
  },
  {
    name: 'a group that is called as a user is kept',
    given: ask({ name: 'eve', groups: ['u:ada'] }, 'get', { resource: 'secrets', namespace: 'shop', name: 'mine' }),
    want: 'no-opinion: ',
  },
  {
    name: 'such a group, bound',
    given: ask({ name: 'eve', groups: ['u:bo'] }, 'list', pods),
    want: 'allow: RBAC: allowed by ClusterRoleBinding "odd" of ClusterRole "reader" to Group "u:bo"',
  },
  { name: 'masters', given: ask(root, 'delete', { resource: 'nodes', name: 'n' }), want: 'allow: ' },
];
for (const { name, given, want } of table) {
  test(`RBAC: ${name}`, async () => {
    for (const time of ['first', 'memoized']) {
      const { verdict, reason } = await authorize(given);
      const got = `${verdict}: ${reason}`;
      if (want === 'allow') assert.match(got, /^allow: RBAC: allowed by/, time);
      else assert.equal(got, want, time);
    }
  });
}

test('RBAC: a change of roles and bindings counts at once', async () => {
  const map = new ObjectMap();
  const decide = decideBy([new RBAC(new BindingIndex(map))]);
  const may = async (): Promise<string> => (await decide(ask(ada, 'list', pods))).verdict;
  assert.equal(await may(), 'no-opinion');
  map.put(ClusterRoleBinding, clusterBinding('b', toClusterRole('r'), user('ada')));
  assert.equal(await may(), 'no-opinion');
  map.put(ClusterRole, clusterRole('r', { verbs: ['list'], apiGroups: [''], resources: ['pods'] }));
  assert.equal(await may(), 'allow');
  map.put(ClusterRoleBinding, clusterBinding('b', toClusterRole('r'), user('eve')));
  assert.equal(await may(), 'no-opinion');
  map.put(ClusterRoleBinding, clusterBinding('b', toClusterRole('r'), group('staff'), user('ada')));
  assert.equal(await may(), 'allow');
  map.delete(ClusterRole, { name: 'r' });
  assert.equal(await may(), 'no-opinion');
});

const messages: readonly { given: RequestAttributes; reason?: string; want: string }[] = [
  {
    given: ask({ name: 'x', groups: [] }, 'list', { resource: 'pods', namespace: 'default' }),
    want: 'pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "default"',
  },
  {
    given: ask({ name: 'x', groups: [] }, 'patch', {
      group: 'apps',
      resource: 'deployments',
      subresource: 'scale',
      namespace: 'a',
      name: 'd',
    }),
    reason: 'RBAC: role.rbac.authorization.k8s.io "r" not found',
    want: 'deployments.apps "d" is forbidden: User "x" cannot patch resource "deployments/scale" in API group "apps" in the namespace "a": RBAC: role.rbac.authorization.k8s.io "r" not found',
  },
  {
    given: ask({ name: '<x>', groups: [] }, 'list', { resource: 'nodes' }),
    want: 'nodes is forbidden: User "&lt;x&gt;" cannot list resource "nodes" in API group "" at the cluster scope',
  },
  { given: ask({ name: 'x', groups: [] }, 'get', '/metrics'), want: 'forbidden: User "x" cannot get path "/metrics"' },
];
for (const { given, reason, want } of messages) {
  test(`refused: ${want}`, () => assert.equal(forbiddenError(given, reason ?? '').message, want));
}
