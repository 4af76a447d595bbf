/** What `timonier watch` reads: acts over HTTPS, in the library, and of components elsewhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap, Deployment, Pod, Secret } from '../../src/api/generated/kinds.ts';
import { realClock, realRandom } from '../../src/client/clock.ts';
import { openActs } from '../../src/client/events/act-stream.ts';
import type { Act, ActFilter, LostActs } from '../../src/client/events/acts.ts';
import { accessOf, parseKubeconfig } from '../../src/client/files/kubeconfig.ts';
import { silentLog } from '../../src/client/log.ts';
import { createHTTPClient, type HTTPAccess } from '../../src/client/transport/http-client.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { actorNames, actorOf } from '../../src/control-plane/api-server/acts/actor.ts';
import { builtinControllers, identityOf } from '../../src/control-plane/controllers/index.ts';
import { startCluster } from '../../src/index.ts';

const pod = (name: string) => ({ metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'a', image: 'a' }] } });
const deployment = {
  metadata: { name: 'front', namespace: 'default' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'front' } },
    template: { metadata: { labels: { app: 'front' } }, spec: { containers: [{ name: 'a', image: 'a' }] } },
  },
};
const map = (name: string) => ({ metadata: { name, namespace: 'default' }, data: { a: 'b' } });

async function httpClient(cluster: Cluster): Promise<HTTPAccess> {
  const access = await accessOf(await parseKubeconfig(cluster.kubeconfig));
  return createHTTPClient({ ...access, clock: realClock, random: realRandom, log: silentLog });
}

/** `kubelet created pod/x`, until it is seen. */
async function until(acts: AsyncIterable<Act | LostActs>, last: RegExp): Promise<readonly string[]> {
  const seen: string[] = [];
  for await (const act of acts) {
    if ('lost' in act) continue;
    const text = `${act.component ?? act.user} ${act.did} ${act.object.kind}/${act.object.name}${act.event ? ` ${act.event.reason}` : ''}`;
    seen.push(text);
    if (last.test(text)) break;
  }
  return seen;
}

test('acts of an object and all that it owns, as long as one reads', { timeout: 30_000 }, async () => {
  await using cluster = await startCluster({ nodes: 0, simulated: 1 });
  const acts = cluster.acts({ objects: ['deploy/front'] });
  await cluster.client.create(ConfigMap, map('other'));
  await cluster.client.create(Deployment, deployment as never);
  const seen = await until(acts, /kubelet told pod\/front-.* Started/);
  assert.equal(seen[0], 'kubernetes-admin created deployment/front');
  assert.ok(seen.every((text) => text.includes('/front')));
  assert.match(seen.join('\n'), /^deployment created replicaset\/front-\w+$/m);
  assert.match(seen.join('\n'), /^replicaset created pod\/front-\w+-\w+$/m);
  assert.match(seen.join('\n'), /^scheduler changed pod\/front-\w+-\w+$/m);
  assert.throws(() => cluster.acts({ objects: ['cake/front'] }), { message: 'there is no kind "cake"' });
  assert.throws(() => cluster.acts({ objects: ['pod/a/b'] }), { message: '"pod/a/b" is no KIND/NAME' });
  assert.throws(() => cluster.acts({ objects: ['front'] }), { message: '"front" is no KIND/NAME: did you mean deployment/front?' });
  assert.throws(() => cluster.acts({ objects: ['nothing'] }), { message: '"nothing" is no KIND/NAME' });
  assert.throws(() => cluster.acts({ objects: ['deployments.batch/front'] }), { message: 'there is no kind "deployments.batch"' });
  assert.throws(() => cluster.acts({ components: ['nosuch'] }), { message: /^there is no component "nosuch", but: .*deployment.*kubelet/ });
  for (const kind of ['deployments.apps', 'deployment.v1.apps', 'Deployment']) {
    const named = cluster.acts({ objects: [`${kind}/front`] });
    await cluster.client.patch(Deployment, deployment.metadata, { type: 'merge', body: { metadata: { labels: { kind } } } });
    assert.deepEqual(await until(named, /deployment\/front/), ['kubernetes-admin changed deployment/front']);
  }
});

test('a reader ends with the cluster', { timeout: 30_000 }, async () => {
  const cluster = await startCluster({ components: ['api-server'] });
  await using client = await httpClient(cluster);
  const [inside, outside] = [cluster.acts(), await openActs(client)];
  await cluster.client.create(ConfigMap, map('m'));
  await cluster.stop();
  for await (const act of inside) assert.ok('did' in act);
  const seen = [];
  for await (const act of outside) seen.push('did' in act && act.did);
  assert.deepEqual(seen, ['created']);
  assert.throws(() => cluster.acts(), { code: 503, message: 'the API server has stopped' });
});

test('acts are for administrators alone', { timeout: 30_000 }, async () => {
  await using cluster = await startCluster({ components: ['api-server'] });
  const read = async (name: string, groups: readonly string[]): Promise<unknown> =>
    cluster.clientFor({ name, groups }).raw('/timonier.dev/v1/acts');
  await assert.rejects(read('jane', []), { code: 403 });
  const everything = { rules: [{ nonResourceURLs: ['*'], verbs: ['*'] }] };
  const at = { apiVersion: 'rbac.authorization.k8s.io/v1' };
  const { ClusterRole, ClusterRoleBinding } = await import('../../src/api/generated/kinds.ts');
  await cluster.client.create(ClusterRole, { ...at, kind: 'ClusterRole', metadata: { name: 'all' }, ...everything } as never);
  const binding = {
    ...at,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'all' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'all' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
  };
  await cluster.client.create(ClusterRoleBinding, binding as never);
  await assert.rejects(read('jane', []), { code: 403, message: /is for administrators/ });
  await using client = await httpClient(cluster);
  const wrong: ActFilter = { objects: ['cake/x'] };
  await assert.rejects(openActs(client, wrong), { code: 400 });
});

test('a refusal about a Secret quotes nothing of it', { timeout: 30_000 }, async () => {
  await using cluster = await startCluster({ components: ['api-server'] });
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{"stringData":{"one":"FIRST"}}' };
  const metadata = { name: 's', namespace: 'default', annotations };
  await cluster.client.create(Secret, { metadata, data: { one: 'RklSU1Q=' } } as never);
  const acts = cluster.acts();
  const patches = [{ data: { two: { a: 'b' } } }, { data: { two: 'b@d RklS' } }, { data: { 'o/e': 'RklS' } }, { metadata: { labels: 1 } }];
  for (const body of patches) {
    const patching = cluster.client.patch(Secret, metadata, { type: 'merge', body });
    await assert.rejects(patching, ({ code }) => code === 400 || code === 422);
  }
  const told = [];
  for await (const act of acts) {
    told.push('did' in act ? `${act.did} ${act.refusal?.code}` : 'lost');
    assert.doesNotMatch(JSON.stringify(act), /RklS|FIRST|last-applied/);
    if (told.length === patches.length) break;
  }
  assert.ok(
    told.every((text) => text.startsWith('refused 4')),
    told.join(),
  );
});

test('every controller is a component, and an account that anybody made is none', () => {
  const given = { certificate: () => assert.fail(), secretToken: () => assert.fail() };
  for (const controller of builtinControllers({ rootCA: 'x', clusterCIDR: '10.0.0.0/16', signing: given as never })) {
    const { component = '' } = actorOf(identityOf(controller), undefined);
    assert.ok(actorNames.includes(component), `${controller.name}: ${component}`);
  }
  assert.deepEqual(actorOf({ name: 'system:serviceaccount:kube-system:evil-controller', groups: [] }, undefined), {});
});

test('components elsewhere are known by the name that they give', { timeout: 60_000 }, async () => {
  await using home = await startCluster({ components: ['api-server'] });
  const access = await accessOf(await parseKubeconfig(home.kubeconfig));
  const acts = home.acts();
  await using _controllers = await startCluster({ components: ['controllers'], access, name: 'second' });
  await using _scheduler = await startCluster({ components: ['scheduler'], access, name: 'third' });
  await using far = await startCluster({ components: ['kubelet'], access, name: 'far', nodes: 0, simulated: 1 });
  await home.client.create(Pod, pod('x') as never);
  const seen = await until(acts, /pod\/x Started/);
  assert.match(seen.join('\n'), /^service-account created serviceaccount\/default$/m);
  assert.match(seen.join('\n'), /^scheduler changed pod\/x$/m);
  assert.equal(seen.at(-1), 'kubelet told pod/x Started');
  const why: string[] = [];
  const fromFar = far.acts({ components: ['scheduler'] })[Symbol.asyncIterator]();
  const next = fromFar.next();
  for (let i = 0; why.length === 0; i++) {
    await home.client.create(Pod, pod(`y${i}`) as never);
    const act = await Promise.race([next, realClock.sleep(20)]);
    if (act?.value && 'did' in act.value) why.push(act.value.why ?? '');
  }
  assert.deepEqual(why, ['of 1 node 1 fits']);
  await fromFar.return?.();
});
