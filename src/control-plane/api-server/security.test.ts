/** The whole of security on a real API server over the memory store, with the bootstrap policy. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { kindOf } from '../../../test/kit/test-request.ts';
import type { TokenRequest } from '../../api/generated/authentication-v1.ts';
import type { PodSpec } from '../../api/generated/core-v1.ts';
import {
  ClusterRole,
  ConfigMap,
  LimitRange,
  Namespace,
  Node,
  Pod,
  ResourceQuota,
  Role,
  RoleBinding,
  Secret,
  SelfSubjectAccessReview,
  SelfSubjectReview,
  SelfSubjectRulesReview,
  Service,
  ServiceAccount,
  SubjectAccessReview,
  TokenReview,
} from '../../api/generated/kinds.ts';
import { builtInRegistry } from '../../api/kinds/all.ts';
import { withDefaults } from '../../api/kinds/write-steps.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { isStatusError } from '../../api/meta/status-error.ts';
import { takeSteps } from '../../api/meta/steps.ts';
import type { Client } from '../../client/client.ts';
import { realClock, realRandom } from '../../client/clock.ts';
import { silentLog } from '../../client/log.ts';
import { type ClusterPKI, memoryFiles, openClusterPKI } from '../pki/cluster-pki.ts';
import { openMemoryStore } from '../store/memory-store.ts';
import { kubernetesServiceIP } from './allocation/service-network.ts';
import { type ApiServer, createApiServer } from './api-server.ts';
import { ensureDefaultServiceCIDR } from './bootstrap/default-service-cidr.ts';
import { ensureAuthenticationConfig, ensureKubernetesService } from './bootstrap/kubernetes-service.ts';
import { ensureBootstrapPolicy } from './bootstrap/policy.ts';
import type { UserInfo } from './request/request.ts';
import { type Security, securityFor } from './security.ts';

interface TestServer {
  readonly server: ApiServer;
  readonly security: Security;
  readonly stack: AsyncDisposableStack;
}

const clock = realClock;
let pki: ClusterPKI;
let running: TestServer;
let admin: Client;

async function startServer(): Promise<TestServer> {
  const stack = new AsyncDisposableStack();
  const storage = stack.use(openMemoryStore({ clock }));
  let security: Security | undefined;
  const server = await createApiServer({
    storage,
    registry: builtInRegistry(),
    clock,
    random: realRandom,
    log: silentLog,
    parts({ reader, ops, claims, loopback, registry }) {
      security = stack.use(
        securityFor({ reader, ops, claims, loopback, pki, clock, random: realRandom, log: silentLog, served: () => registry.current }),
      );
      return security;
    },
  });
  stack.use(server);
  assert.ok(security);
  return { server, security, stack };
}

async function bootstrap({ server }: TestServer): Promise<void> {
  const tools = { reader: server.reader, client: server.loopback };
  await ensureBootstrapPolicy(tools);
  const { certPem: frontProxyCA } = await pki.frontProxyAuthority();
  await ensureAuthenticationConfig(tools, { clientCA: pki.authority.certPem, frontProxyCA });
  await ensureDefaultServiceCIDR(tools, { cidrs: ['10.96.0.0/16'], clock, events: { event: () => assert.fail() } });
  const options = { clusterIP: kubernetesServiceIP(), endpoint: { address: '192.0.2.1', port: 6443 } };
  await ensureKubernetesService(tools, options);
}

before(async () => {
  pki = await openClusterPKI({ files: memoryFiles(), clock });
  running = await startServer();
  await bootstrap(running);
  admin = running.server.clientFor({ name: 'admin', groups: ['system:masters', 'system:authenticated'] });
  for (const name of ['shop', 'strict', 'small']) {
    const labels: Record<string, string> = name === 'strict' ? { 'pod-security.kubernetes.io/enforce': 'restricted' } : {};
    await admin.create(Namespace, { metadata: { name, labels }, spec: {} });
    await admin.create(ServiceAccount, { metadata: { name: 'default', namespace: name } });
  }
});
after(() => running.stack.disposeAsync());

const as = (name: string, ...groups: string[]): Client => running.server.clientFor({ name, groups: [...groups, 'system:authenticated'] });
const podSpec = (more: Partial<PodSpec> = {}): PodSpec => ({ containers: [{ name: 'web', image: 'web:1' }], ...more });
const messageOf = async (act: () => Promise<unknown>): Promise<string> => {
  try {
    await act();
  } catch (error) {
    if (isStatusError(error)) return error.message;
    throw error;
  }
  return 'allowed';
};

test('a second bootstrap writes nothing', async () => {
  const before = (await admin.list(Namespace)).metadata.resourceVersion;
  await bootstrap(running);
  assert.equal((await admin.list(Namespace)).metadata.resourceVersion, before);
});

test('the Service kubernetes has the first address, and an endpoint', async () => {
  const { spec } = await admin.get(Service, { namespace: 'default', name: 'kubernetes' });
  assert.equal(spec.clusterIP, '10.96.0.1');
  assert.deepEqual(spec.ports, [{ name: 'https', protocol: 'TCP', port: 443, targetPort: 6443 }]);
});

test('what admission adds to a pod is whole: defaulting it again changes nothing', async () => {
  const pod = await admin.create(Pod, {
    metadata: { name: 'whole', namespace: 'shop' },
    spec: podSpec({ initContainers: [{ name: 'first', image: 'i' }], volumes: [{ name: 'v', emptyDir: {} }] }),
  });
  assert.deepEqual(takeSteps(withDefaults(kindOf(Pod), pod)), pod);
  assert.ok(pod.spec.volumes?.some(({ projected }) => projected));
  await admin.delete(Pod, { namespace: 'shop', name: 'whole' }, { gracePeriodSeconds: 0 });
});

test('bootstrap roles that were damaged are repaired, unless they are protected', async () => {
  const name = 'system:basic-user';
  const wanted = await admin.get(ClusterRole, { name });
  await admin.update(ClusterRole, { ...wanted, rules: [] });
  await bootstrap(running);
  const repaired = await admin.get(ClusterRole, { name });
  assert.ok((repaired.rules ?? []).length > 0);
  const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' };
  await admin.update(ClusterRole, { ...repaired, metadata: { ...repaired.metadata, annotations }, rules: [] });
  await bootstrap(running);
  assert.deepEqual((await admin.get(ClusterRole, { name })).rules ?? [], []);
  await admin.update(ClusterRole, { ...wanted, metadata: { ...wanted.metadata, resourceVersion: '' } });
});

const refusals: readonly { name: string; act: () => Promise<unknown>; want: string }[] = [
  {
    name: 'a list without rights',
    act: () => as('x').list(Pod, { namespace: 'default' }),
    want: 'pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "default"',
  },
  {
    name: 'a namespace that is not there',
    act: () => admin.create(ConfigMap, { metadata: { namespace: 'nowhere', name: 'a' } }),
    want: 'namespaces "nowhere" not found',
  },
  {
    name: 'the end of kube-system',
    act: () => admin.delete(Namespace, { name: 'kube-system' }),
    want: 'namespaces "kube-system" is forbidden: this namespace may not be deleted',
  },
  {
    name: 'a service account that is not there',
    act: () => admin.create(Pod, { metadata: { namespace: 'shop', name: 'p' }, spec: podSpec({ serviceAccountName: 'nope' }) }),
    want: 'pods "p" is forbidden: error looking up service account shop/nope: serviceaccount "nope" not found',
  },
  {
    name: 'a priority class that is not there',
    act: () => admin.create(Pod, { metadata: { namespace: 'shop', name: 'p' }, spec: podSpec({ priorityClassName: 'nope' }) }),
    want: 'pods "p" is forbidden: no PriorityClass with name nope was found',
  },
  {
    name: 'a pod that the level of its namespace does not let in',
    act: () => admin.create(Pod, { metadata: { namespace: 'strict', name: 'p' }, spec: podSpec({ hostNetwork: true }) }),
    want: 'pods "p" is forbidden: violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true), allowPrivilegeEscalation != false (container "web" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "web" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "web" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "web" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  },
];
for (const { name, act, want } of refusals) test(`refused: ${name}`, async () => assert.equal(await messageOf(act), want));

test('a pod gets its account, token volume, priority and tolerations', async () => {
  const pod = await admin.create(Pod, { metadata: { namespace: 'shop', name: 'plain' }, spec: podSpec() });
  const { spec } = pod;
  assert.equal(spec.serviceAccountName, 'default');
  assert.equal(spec.serviceAccount, 'default');
  assert.equal(spec.priority, 0);
  assert.equal(spec.preemptionPolicy, 'PreemptLowerPriority');
  assert.deepEqual(
    spec.tolerations?.map(({ key, tolerationSeconds }) => [key, tolerationSeconds]),
    [
      ['node.kubernetes.io/not-ready', 300],
      ['node.kubernetes.io/unreachable', 300],
    ],
  );
  assert.match(spec.volumes?.[0]?.name ?? '', /^kube-api-access-[a-z0-9]{5}$/);
  assert.deepEqual(spec.containers[0]?.volumeMounts, [
    { name: spec.volumes?.[0]?.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
  ]);
  const silent = await admin.create(Pod, {
    metadata: { namespace: 'shop', name: 'silent' },
    spec: podSpec({ automountServiceAccountToken: false }),
  });
  assert.equal(silent.spec.volumes, undefined);
});

test('a pod waits for the default account of a new namespace', async () => {
  await admin.create(Namespace, { metadata: { name: 'fresh' }, spec: {} });
  const creating = admin.create(Pod, { metadata: { namespace: 'fresh', name: 'p' }, spec: podSpec() });
  await admin.create(ServiceAccount, { metadata: { name: 'default', namespace: 'fresh' } });
  assert.equal((await creating).spec.serviceAccountName, 'default');
});

async function authenticate(token: string): Promise<UserInfo | string> {
  for (const each of running.security.authenticators) {
    try {
      const user = await each.authenticate({ headers: { authorization: `Bearer ${token}` } });
      if (user) return user;
    } catch (error) {
      return isStatusError(error) ? error.message : 'failed';
    }
  }
  return 'nobody';
}

test('a token of a pod says who it is, until the pod is gone', async () => {
  const pod = await admin.create(Pod, { metadata: { namespace: 'shop', name: 'bound' }, spec: podSpec() });
  const at = { namespace: 'shop', name: 'default' };
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'bound', uid: pod.metadata.uid };
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: {},
    spec: { expirationSeconds: 3607, boundObjectRef },
  };
  const { status, spec } = await admin.post<TokenRequest>(ServiceAccount, at, 'token', body);
  assert.deepEqual(spec?.audiences, ['https://kubernetes.default.svc.cluster.local']);
  const token = status?.token ?? '';
  const user = await authenticate(token);
  assert.ok(typeof user !== 'string');
  assert.equal(user.name, 'system:serviceaccount:shop:default');
  assert.deepEqual(user.groups, ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated']);
  assert.deepEqual(user.extra?.['authentication.kubernetes.io/pod-name'], ['bound']);
  assert.match(user.extra?.['authentication.kubernetes.io/credential-id']?.[0] ?? '', /^JTI=/);
  assert.equal(await authenticate(token), user, 'the same user object every time');
  assert.equal(await authenticate(`${token.slice(0, -4)}AAAA`), 'Unauthorized');
  assert.equal(await authenticate('abc'), 'Unauthorized');
  const review = await admin.create(TokenReview, { metadata: {}, spec: { token } } as never);
  assert.equal((review as TokenReview).status.authenticated, true);
  const foreign = (await admin.create(TokenReview, { metadata: {}, spec: { token, audiences: ['other'] } } as never)) as TokenReview;
  assert.match(foreign.status.error ?? '', /token audiences \["https:\S+"\] is invalid for the target audiences \["other"\]/);
  await admin.delete(Pod, { namespace: 'shop', name: 'bound' }, { gracePeriodSeconds: 0 });
  assert.equal(await authenticate(token), 'Unauthorized');
  const tooShort = { ...body, spec: { expirationSeconds: 10 } };
  assert.equal(
    await messageOf(() => admin.post(ServiceAccount, at, 'token', tooShort)),
    'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 10: may not specify a duration less than 10 minutes',
  );
});

test('nobody grants what they do not have', async () => {
  const metadata = { namespace: 'shop', name: 'owner' };
  await admin.create(Role, {
    metadata,
    rules: [
      { verbs: ['*'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'] },
      { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] },
    ],
  } as never);
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'owner' };
  await admin.create(RoleBinding, { metadata, roleRef, subjects: [{ apiGroup: roleRef.apiGroup, kind: 'User', name: 'ada' }] } as never);
  const ada = as('ada', 'staff');
  const grant = (name: string, verbs: string[], resources: string[]) => () =>
    ada.create(Role, { metadata: { namespace: 'shop', name }, rules: [{ verbs, apiGroups: [''], resources }] } as never);
  assert.equal(await messageOf(grant('fine', ['get'], ['pods'])), 'allowed');
  // `*` on roles holds the verb escalate too; take it away to see the refusal.
  const owner = await admin.get(Role, metadata);
  const plain = ['get', 'create', 'update'];
  const rules = owner.rules?.map((rule) => (rule.verbs.includes('*') ? { ...rule, verbs: plain } : rule));
  await admin.update(Role, { ...owner, ...(rules && { rules }) });
  assert.equal(
    await messageOf(grant('more', ['get', 'delete', 'create'], ['pods', 'secrets'])),
    'roles.rbac.authorization.k8s.io "more" is forbidden: user "ada" (groups=["staff" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
      '{APIGroups:[""], Resources:["pods"], Verbs:["delete" "create"]}\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "delete" "create"]}',
  );
  const bind = () =>
    ada.create(RoleBinding, {
      metadata: { namespace: 'shop', name: 'b' },
      roleRef: { ...roleRef, kind: 'ClusterRole', name: 'nope' },
      subjects: [],
    } as never);
  assert.equal(await messageOf(bind), 'rolebindings.rbac.authorization.k8s.io "nope" not found');
});

test('reviews answer for others and for oneself', async () => {
  const ask = async (user: string, verb: string): Promise<SubjectAccessReview> =>
    (await admin.create(SubjectAccessReview, {
      metadata: {},
      spec: { user, resourceAttributes: { verb, resource: 'pods', namespace: 'shop' } },
    } as never)) as SubjectAccessReview;
  assert.equal((await ask('ada', 'list')).status.allowed, true);
  assert.equal((await ask('eve', 'list')).status.allowed, false);
  const own = (await as('ada').create(SelfSubjectAccessReview, {
    metadata: {},
    spec: { resourceAttributes: { verb: 'delete', resource: 'pods', namespace: 'shop' } },
  } as never)) as SelfSubjectAccessReview;
  assert.equal(own.status.allowed, false);
  const rules = (await as('ada').create(SelfSubjectRulesReview, {
    metadata: {},
    spec: { namespace: 'shop' },
  } as never)) as SelfSubjectRulesReview;
  assert.ok(rules.status.resourceRules?.some(({ resources }) => resources?.includes('pods')));
  const me = (await as('ada', 'staff').create(SelfSubjectReview, { metadata: {} } as never)) as SelfSubjectReview;
  assert.deepEqual(me.status.userInfo, { username: 'ada', groups: ['staff', 'system:authenticated'] });
});

test('a kubelet reads what its pods use, and writes what is its own', async () => {
  const kubelet = running.server.clientFor({ name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] });
  const created = await kubelet.create(Node, { metadata: { name: 'n1' } } as never);
  assert.deepEqual((created as Node).spec?.taints?.[0]?.key, 'node.kubernetes.io/not-ready');
  assert.equal(
    await messageOf(() => kubelet.create(Node, { metadata: { name: 'n2' } } as never)),
    'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
  );
  await admin.create(Secret, { metadata: { namespace: 'shop', name: 'key' } });
  const secret = (): Promise<KubeObject> => kubelet.get(Secret, { namespace: 'shop', name: 'key' });
  const denied =
    'secrets "key" is forbidden: User "system:node:n1" cannot get resource "secrets" in API group "" in the namespace "shop": no relationship found between node \'n1\' and this object';
  assert.equal(await messageOf(secret), denied);
  const spec = podSpec({ nodeName: 'n1', volumes: [{ name: 'k', secret: { secretName: 'key' } }] });
  await admin.create(Pod, { metadata: { namespace: 'shop', name: 'user' }, spec });
  assert.equal((await secret()).metadata.name, 'key');
  assert.equal((await kubelet.list(Pod, { fieldSelector: 'spec.nodeName=n1' })).items.length, 1);
  assert.match(await messageOf(() => kubelet.list(Pod)), /can only list\/watch pods with spec.nodeName field selector$/);
  await admin.delete(Pod, { namespace: 'shop', name: 'user' }, { gracePeriodSeconds: 0 });
  assert.equal(await messageOf(secret), denied);
});

test('a quota holds against writes of the same moment, and its status follows', async () => {
  await admin.create(ResourceQuota, {
    metadata: { namespace: 'small', name: 'q' },
    spec: { hard: { pods: '2', 'count/configmaps': '1' } },
  });
  const create = (name: string) => messageOf(() => admin.create(Pod, { metadata: { namespace: 'small', name }, spec: podSpec() }));
  const answers = await Promise.all(['a', 'b', 'c', 'd'].map(create));
  assert.equal(answers.filter((text) => text === 'allowed').length, 2);
  assert.match(
    answers.find((text) => text !== 'allowed') ?? '',
    /^pods "." is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2$/,
  );
  for await (const { object } of admin.watch(ResourceQuota, { namespace: 'small' })) {
    if ((object as ResourceQuota).status.used?.['pods'] === '2') break;
  }
  const [first] = (await admin.list(Pod, { namespace: 'small' })).items;
  await admin.delete(Pod, { namespace: 'small', name: first?.metadata.name ?? '' }, { gracePeriodSeconds: 0 });
  assert.equal(await create('e'), 'allowed');
});

test('quotas that count quotas count each of them once', async () => {
  const namespace = 'counted';
  await admin.create(Namespace, { metadata: { name: namespace }, spec: {} });
  const usedBy = async (name: string, want: string): Promise<string> => {
    for await (const { object } of admin.watch(ResourceQuota, { namespace, fieldSelector: `metadata.name=${name}` })) {
      const used = (object as ResourceQuota).status.used?.['resourcequotas'];
      if (used !== undefined && used >= want) return used;
    }
    return '';
  };
  const create = (name: string) => admin.create(ResourceQuota, { metadata: { namespace, name }, spec: { hard: { resourcequotas: '5' } } });
  await create('first');
  assert.equal(await usedBy('first', '1'), '1');
  await create('second');
  assert.deepEqual(await Promise.all([usedBy('first', '2'), usedBy('second', '1')]), ['2', '2']);
});

test('a status of a quota that somebody else wrote is put right', async () => {
  const namespace = 'corrected';
  await admin.create(Namespace, { metadata: { name: namespace }, spec: {} });
  const quota = await admin.create(ResourceQuota, { metadata: { namespace, name: 'q' }, spec: { hard: { pods: '2' } } });
  const seen: unknown[] = [];
  for await (const { object } of admin.watch(ResourceQuota, { namespace, resourceVersion: quota.metadata.resourceVersion ?? '' })) {
    const { hard, used } = (object as ResourceQuota).status;
    seen.push([hard, used]);
    if (seen.length === 1)
      await admin.update(ResourceQuota, { ...(object as ResourceQuota), status: { hard: { pods: '9' } } }, { subresource: 'status' });
    if (seen.length === 3) break;
  }
  const right = [{ pods: '2' }, { pods: '0' }];
  assert.deepEqual(seen, [right, [{ pods: '9' }, undefined], right]);
});

test('a limit range fills in, and holds', async () => {
  const limits = [{ type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '100m' }, max: { cpu: '2' } }];
  await admin.create(LimitRange, { metadata: { namespace: 'shop', name: 'l' }, spec: { limits } });
  const pod = await admin.create(Pod, { metadata: { namespace: 'shop', name: 'limited' }, spec: podSpec() });
  assert.deepEqual(pod.spec.containers[0]?.resources, { limits: { cpu: '1' }, requests: { cpu: '100m' } });
  assert.equal(
    pod.metadata.annotations?.['kubernetes.io/limit-ranger'],
    'LimitRanger plugin set: cpu request for container web; cpu limit for container web',
  );
  const containers = [{ name: 'web', image: 'web:1', resources: { limits: { cpu: '3' } } }];
  assert.equal(
    await messageOf(() => admin.create(Pod, { metadata: { namespace: 'shop', name: 'big' }, spec: { containers } })),
    'pods "big" is forbidden: maximum cpu usage per Container is 2, but limit is 3',
  );
  await admin.delete(LimitRange, { namespace: 'shop', name: 'l' });
});

test('impersonation needs the right to it', async () => {
  const { security } = running;
  const root: UserInfo = { name: 'root', groups: ['system:masters'] };
  const headers = { 'impersonate-user': 'eve', 'impersonate-group': ['a', 'b'], 'impersonate-extra-scopes': 'x' };
  assert.deepEqual(await security.impersonate(root, headers), {
    name: 'eve',
    uid: undefined,
    groups: ['a', 'b', 'system:authenticated'],
    extra: { scopes: ['x'] },
  });
  assert.equal(
    await messageOf(async () => security.impersonate({ name: 'ada', groups: [] }, headers)),
    'users "eve" is forbidden: User "ada" cannot impersonate resource "users" in API group "" at the cluster scope',
  );
  assert.equal(
    await messageOf(async () => security.impersonate(root, { 'impersonate-group': 'g' })),
    'requested [{Group  g    }] without impersonating a user',
  );
  assert.equal(await security.impersonate(root, {}), root);
});
