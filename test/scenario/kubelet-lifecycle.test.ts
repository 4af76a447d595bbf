/** Lives of pods on a simulated node: start, run, end, fail, start again, be deleted, be found again. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConfigMap, Lease, Node, Pod, Secret, ServiceAccount } from '../../src/api/generated/kinds.ts';
import { describePod, nodeName, startKubeletNode } from './kubelet-node.ts';

const at = (name: string) => ({ namespace: 'default', name });
const started = ['Created: Container created', 'Started: Container started'];

describe('a pod', () => {
  test('runs, becomes ready, and is deleted', async () => {
    await using node = await startKubeletNode();
    await node.create('web', {});
    await node.tick(1);
    const pod = await node.pod('web');
    assert.deepEqual(describePod(pod), ['Running', 'main running restarts=0 ready']);
    assert.deepEqual(
      pod?.status.conditions?.map((c) => `${c.type}=${c.status}`),
      ['PodReadyToStartContainers=True', 'Initialized=True', 'Ready=True', 'ContainersReady=True', 'PodScheduled=True'],
    );
    assert.deepEqual([pod?.status.podIP, pod?.status.hostIP], ['10.244.0.2', '192.0.2.1']);
    assert.deepEqual(await node.events('web'), [
      'Pulling: Pulling image "registry/main:1"',
      'Pulled: Successfully pulled image "registry/main:1" in 0s (0s including waiting). Image size: 16777216 bytes.',
      ...started,
    ]);
    await node.client.delete(Pod, at('web'));
    await node.tick(1);
    assert.deepEqual(describePod(await node.pod('web')), ['gone']);
    assert.deepEqual(await node.runtime.listPodSandbox(), []);
  });

  test('starts no container before its network is ready, waits with a reason while it is not, and can be deleted then', async () => {
    const asked: (readonly string[])[] = [];
    let isReady = false;
    const networkReady = async (_: Pod, ips: readonly string[]): Promise<void> => {
      asked.push(ips);
      if (!isReady) throw new Error('nft: refused');
    };
    await using node = await startKubeletNode({ networkReady });
    await node.create('web', {});
    await node.create('gone', {});
    await node.create('hosted', { hostNetwork: true });
    await node.tick(1);
    assert.deepEqual(describePod(await node.pod('hosted')), ['Running', 'main running restarts=0 ready']);
    assert.deepEqual(asked.slice(0, 2).flat().sort(), ['10.244.0.2', '10.244.0.3']);
    for (const name of ['web', 'gone']) {
      assert.equal(describePod(await node.pod(name))[0], 'Pending');
      assert.deepEqual([...new Set(await node.events(name))], ['NetworkNotReady: network is not ready: nft: refused']);
    }
    await node.client.delete(Pod, at('gone'));
    await node.tick(1);
    assert.deepEqual(describePod(await node.pod('gone')), ['gone']);
    isReady = true;
    await node.tick(60);
    assert.deepEqual(describePod(await node.pod('web')), ['Running', 'main running restarts=0 ready']);
  });

  test('that is force-deleted gives its network back when its sandbox is gone', async () => {
    const released: (readonly [uid: string, sandboxes: Promise<readonly object[]>])[] = [];
    await using node = await startKubeletNode({ networkReleased: (id) => released.push([id, node.runtime.listPodSandbox()]) });
    await node.create('web', {});
    await node.tick(1);
    const { uid } = (await node.pod('web'))?.metadata ?? {};
    await node.client.delete(Pod, at('web'), { gracePeriodSeconds: 0 });
    await node.tick(60);
    const [id, sandboxes] = released[0] ?? [];
    assert.deepEqual([released.length, id, await sandboxes], [1, uid, []]);
  });

  test('whose label the node got after the kubelet last looked runs all the same', async () => {
    await using node = await startKubeletNode({ simulated: true });
    const create = (name: string) => node.create(name, { nodeSelector: { tier: 'blue' } });
    await create('early');
    await node.tick(1);
    await node.client.patch(Node, { name: nodeName }, { type: 'merge', body: { metadata: { labels: { tier: 'blue' } } } });
    await create('late');
    await node.tick(1);
    assert.deepEqual(describePod(await node.pod('early'))[0], 'Failed (NodeAffinity)');
    assert.deepEqual(describePod(await node.pod('late'))[0], 'Running');
  });

  test('that fails is started again, later and later', async () => {
    await using node = await startKubeletNode();
    await node.create('crash', {}, { 'timonier.dev/exit-code': '1' });
    const seen: (readonly string[])[] = [];
    for (const seconds of [1, 1, 1, 10, 2, 19]) {
      await node.tick(seconds);
      seen.push(describePod(await node.pod('crash')));
    }
    assert.deepEqual(seen, [
      ['Running', 'main running restarts=0 ready'],
      ['Running', 'main running restarts=1 ready'],
      ['Running', 'main waiting CrashLoopBackOff restarts=1'],
      ['Running', 'main running restarts=2 ready'],
      ['Running', 'main waiting CrashLoopBackOff restarts=2'],
      ['Running', 'main running restarts=3 ready'],
    ]);
    const pod = await node.pod('crash');
    const [status] = pod?.status.containerStatuses ?? [];
    assert.equal(status?.lastState?.terminated?.exitCode, 1);
    const backOff = (await node.events('crash')).filter((e) => e.startsWith('BackOff'));
    assert.deepEqual(backOff, [`BackOff: Back-off restarting failed container main in pod crash_default(${pod?.metadata.uid})`]);
  });

  test('that runs to its end: init containers, a sidecar, and then nothing more', async () => {
    await using node = await startKubeletNode();
    const init = (name: string, more = {}) => ({ name, image: 'registry/main:1', ...more });
    await node.create('job', {
      restartPolicy: 'Never',
      initContainers: [init('one'), init('side', { restartPolicy: 'Always' }), init('two')],
    });
    const seen: (readonly string[])[] = [];
    for (const seconds of [1, 1, 1, 3]) {
      await node.tick(seconds);
      seen.push(describePod(await node.pod('job')));
    }
    const done = (name: string) => `${name} terminated Completed 0 restarts=0 ready`;
    assert.deepEqual(seen, [
      [
        'Pending',
        'one running restarts=0',
        'side waiting PodInitializing restarts=0',
        'two waiting PodInitializing restarts=0',
        'main waiting PodInitializing restarts=0',
      ],
      ['Pending', done('one'), 'side running restarts=0 ready', 'two running restarts=0', 'main waiting PodInitializing restarts=0'],
      ['Running', done('one'), 'side running restarts=0 ready', done('two'), 'main running restarts=0 ready'],
      ['Succeeded', done('one'), 'side terminated Completed 0 restarts=0', done('two'), 'main terminated Completed 0 restarts=0'],
    ]);
  });

  test('whose image can’t be pulled waits, and says why', async () => {
    await using node = await startKubeletNode();
    const image = 'not-found.timonier.dev/x:1';
    await node.create('pull', { containers: [{ name: 'main', image }] });
    await node.tick(2);
    const pod = await node.pod('pull');
    assert.deepEqual(describePod(pod), ['Pending', 'main waiting ImagePullBackOff restarts=0']);
    const why = `rpc error: code = NotFound desc = failed to pull and unpack image "${image}": not found`;
    assert.equal(pod?.status.containerStatuses?.[0]?.state?.waiting?.message, `Back-off pulling image "${image}": ErrImagePull: ${why}`);
    assert.deepEqual(await node.events('pull'), [
      `Pulling: Pulling image "${image}"`,
      `Failed: Failed to pull image "${image}": ${why}`,
      'Failed: Error: ErrImagePull',
      `BackOff: Back-off pulling image "${image}"`,
      'Failed: Error: ImagePullBackOff',
    ]);
  });

  test('that may not be pulled for', async () => {
    await using node = await startKubeletNode();
    await node.create('never', { containers: [{ name: 'main', image: 'other:1', imagePullPolicy: 'Never' }] });
    await node.tick(1);
    assert.deepEqual(describePod(await node.pod('never')), ['Pending', 'main waiting ErrImageNeverPull restarts=0']);
  });

  test('whose configuration is missing starts when it comes', async () => {
    await using node = await startKubeletNode();
    const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'cm', key: 'a' } } }];
    await node.create('config', { containers: [{ name: 'main', image: 'registry/main:1', env }] });
    await node.tick(1);
    const pod = await node.pod('config');
    assert.deepEqual(describePod(pod), ['Pending', 'main waiting CreateContainerConfigError restarts=0']);
    assert.equal(pod?.status.containerStatuses?.[0]?.state?.waiting?.message, 'configmap "cm" not found');
    assert.ok((await node.events('config')).includes('Failed: Error: configmap "cm" not found'));
    await node.client.create(ConfigMap, { metadata: at('cm'), data: { a: 'x' } });
    await node.tick(15);
    assert.deepEqual(describePod(await node.pod('config')), ['Running', 'main running restarts=0 ready']);
  });

  test('whose volume is missing starts when it comes', async () => {
    await using node = await startKubeletNode();
    const containers = [{ name: 'main', image: 'registry/main:1', volumeMounts: [{ name: 'v', mountPath: '/v' }] }];
    await node.create('volume', { containers, volumes: [{ name: 'v', secret: { secretName: 's' } }] });
    await node.tick(1);
    assert.deepEqual(describePod(await node.pod('volume')), ['Pending', 'main waiting ContainerCreating restarts=0']);
    assert.ok((await node.events('volume')).includes('FailedMount: MountVolume.SetUp failed for volume "v" : secret "s" not found'));
    await node.client.create(Secret, { metadata: at('s') });
    await node.tick(5);
    assert.deepEqual(describePod(await node.pod('volume')), ['Running', 'main running restarts=0 ready']);
  });

  test('is restarted when its liveness probe fails, and is ready when its readiness probe says so', async () => {
    await using node = await startKubeletNode();
    const probe = (periodSeconds: number, failureThreshold: number) => ({ tcpSocket: { port: 80 }, periodSeconds, failureThreshold });
    const containers = [{ name: 'main', image: 'registry/main:1', readinessProbe: probe(2, 1), livenessProbe: probe(5, 2) }];
    await node.create(
      'probe',
      { containers },
      { 'timonier.dev/probe-readiness': 'pass-after=5s', 'timonier.dev/probe-liveness': 'fail-after=10s' },
    );
    const seen: (readonly string[])[] = [];
    for (const seconds of [3, 4, 8, 3]) {
      await node.tick(seconds);
      seen.push(describePod(await node.pod('probe')));
    }
    assert.deepEqual(seen, [
      ['Running', 'main running restarts=0'],
      ['Running', 'main running restarts=0 ready'],
      ['Running', 'main running restarts=0 ready'],
      ['Running', 'main running restarts=1'],
    ]);
    const events = await node.events('probe');
    assert.ok(events.includes('Unhealthy: Liveness probe failed: simulated probe failed: fail-after=10s'));
    assert.ok(events.includes('Killing: Container main failed liveness probe, will be restarted'));
  });

  test('that lives too long fails', async () => {
    await using node = await startKubeletNode();
    await node.create('deadline', { activeDeadlineSeconds: 5 });
    await node.tick(2);
    assert.deepEqual(describePod(await node.pod('deadline')), ['Running', 'main running restarts=0 ready']);
    await node.tick(5);
    assert.deepEqual(describePod(await node.pod('deadline')), ['Failed (DeadlineExceeded)', 'main terminated Completed 0 restarts=0']);
  });

  test('that the node has no room for is rejected, and can be deleted', async () => {
    await using node = await startKubeletNode({ capacity: { cpu: '1' } });
    await node.create('big', { containers: [{ name: 'main', image: 'registry/main:1', resources: { requests: { cpu: '2' } } }] });
    await node.tick(1);
    const pod = await node.pod('big');
    assert.deepEqual(describePod(pod), ['Failed (OutOfcpu)']);
    const why = "Node didn't have enough resource: cpu, requested: 2000, used: 0, capacity: 1000";
    assert.equal(pod?.status.message, `Pod was rejected: ${why}`);
    assert.deepEqual(await node.events('big'), [`OutOfcpu: ${why}`]);
    await node.client.delete(Pod, at('big'));
    await node.tick(1);
    assert.deepEqual(describePod(await node.pod('big')), ['gone']);
  });

  test('with another image is restarted', async () => {
    await using node = await startKubeletNode();
    const pod = await node.create('web', {});
    await node.tick(1);
    await node.client.patch(Pod, at('web'), {
      type: 'strategic',
      body: { spec: { containers: [{ name: 'main', image: 'registry/main:2' }] } },
    });
    await node.tick(1);
    const [status] = (await node.pod('web'))?.status.containerStatuses ?? [];
    assert.deepEqual([status?.image, status?.restartCount, pod.metadata.generation], ['registry/main:2', 1, 1]);
    assert.ok((await node.events('web')).includes('Killing: Container main definition changed, will be restarted'));
  });

  test('that is deleted before it could start goes at once', async () => {
    await using node = await startKubeletNode();
    await node.create('pull', { containers: [{ name: 'main', image: 'not-found.timonier.dev/x:1' }] });
    await node.tick(1);
    await node.client.delete(Pod, at('pull'));
    await node.tick(1);
    assert.deepEqual(describePod(await node.pod('pull')), ['gone']);
  });
});

describe('a pod that wants other resources as a whole', () => {
  const wish = (cpu: string) => ({ type: 'merge' as const, body: { spec: { resources: { requests: { cpu }, limits: { cpu } } } } });
  test('gets them as it runs, and tells what was granted and what is there', async () => {
    await using node = await startKubeletNode({ capacity: { cpu: '4' } });
    const resources = { requests: { cpu: '1' }, limits: { cpu: '1' } };
    await node.create('web', { resources, containers: [{ name: 'main', image: 'registry/main:1' }] });
    await node.tick(1);
    const show = async () => {
      const { status } = (await node.pod('web')) ?? {};
      const pending = status?.conditions?.find((c) => c.type.startsWith('PodResize'));
      return [
        status?.allocatedResources?.['cpu'],
        status?.resources?.limits?.['cpu'],
        status?.containerStatuses?.[0]?.restartCount,
        pending?.reason,
      ];
    };
    assert.deepEqual(await show(), ['1', '1', 0, undefined]);
    await node.client.patch(Pod, at('web'), wish('3'), { subresource: 'resize' });
    await node.tick(1);
    assert.deepEqual(await show(), ['3', '3', 0, undefined]);
    await node.client.patch(Pod, at('web'), wish('5'), { subresource: 'resize' });
    await node.tick(1);
    assert.deepEqual(await show(), ['3', '3', 0, 'Infeasible']);
  });
});

describe('a pod that wants other resources', () => {
  const main = (cpu: string) => ({ name: 'main', image: 'registry/main:1', resources: { requests: { cpu } } });
  const wish = (cpu: string) => ({
    type: 'strategic' as const,
    body: { spec: { containers: [{ name: 'main', resources: { requests: { cpu } } }] } },
  });
  const show = (pod: Pod | undefined) => {
    const [status] = pod?.status.containerStatuses ?? [];
    const pending = pod?.status.conditions?.find((c) => c.type.startsWith('PodResize'));
    return [status?.allocatedResources?.['cpu'], status?.resources?.requests?.['cpu'], status?.restartCount, pending?.reason];
  };

  test('gets them as it runs, now, later or never', async () => {
    await using node = await startKubeletNode({ capacity: { cpu: '4' } });
    await node.create('web', { containers: [main('1')] });
    await node.create('other', { containers: [main('2')] });
    await node.tick(1);
    await node.client.patch(Pod, at('web'), wish('2'), { subresource: 'resize' });
    await node.tick(1);
    assert.deepEqual(show(await node.pod('web')), ['2', '2', 0, undefined]);
    await node.client.patch(Pod, at('web'), wish('3'), { subresource: 'resize' });
    await node.tick(1);
    assert.deepEqual(show(await node.pod('web')), ['2', '2', 0, 'Deferred']);
    await node.client.patch(Pod, at('web'), wish('5'), { subresource: 'resize' });
    await node.tick(1);
    const pod = await node.pod('web');
    assert.deepEqual(show(pod), ['2', '2', 0, 'Infeasible']);
    assert.equal(
      pod?.status.conditions?.find((c) => c.type === 'PodResizePending')?.message,
      "Node didn't have enough capacity: cpu, requested: 5000, capacity: 4000",
    );
    await node.client.patch(Pod, at('web'), wish('3'), { subresource: 'resize' });
    await node.tick(1);
    await node.client.delete(Pod, at('other'));
    await node.tick(2);
    assert.deepEqual(show(await node.pod('web')), ['3', '3', 0, undefined]);
    const reasons = (await node.events('web')).map((e) => e.split(':')[0]).filter((r) => r?.startsWith('Resize'));
    assert.deepEqual(reasons, [
      'ResizeStarted',
      'ResizeCompleted',
      'ResizeDeferred',
      'ResizeInfeasible',
      'ResizeDeferred',
      'ResizeStarted',
      'ResizeCompleted',
    ]);
  });

  test('is restarted where its policy says so', async () => {
    await using node = await startKubeletNode();
    const resizePolicy = [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }];
    await node.create('web', { containers: [{ ...main('1'), resizePolicy }] });
    await node.tick(1);
    await node.client.patch(Pod, at('web'), wish('2'), { subresource: 'resize' });
    await node.tick(2);
    assert.deepEqual(show(await node.pod('web')), ['2', '2', 1, undefined]);
  });
});

describe('the end of a pod', () => {
  test('waits for the grace period; a second delete makes it shorter', async () => {
    await using node = await startKubeletNode();
    await node.create('slow', { terminationGracePeriodSeconds: 60 }, { 'timonier.dev/stop-after': '1h' });
    await node.tick(1);
    await node.client.delete(Pod, at('slow'));
    await node.tick(30);
    assert.deepEqual(describePod(await node.pod('slow')), ['Running', 'main running restarts=0 ready']);
    await node.client.delete(Pod, at('slow'), { gracePeriodSeconds: 5 });
    await node.tick(5);
    assert.equal(await node.pod('slow'), undefined);
  });

  test('runs its preStop hook first', async () => {
    await using node = await startKubeletNode();
    const lifecycle = { preStop: { sleep: { seconds: 7 } } };
    await node.create('hook', { containers: [{ name: 'main', image: 'registry/main:1', lifecycle }] });
    await node.tick(1);
    await node.client.delete(Pod, at('hook'));
    await node.tick(6);
    assert.notEqual(await node.pod('hook'), undefined);
    await node.tick(2);
    assert.equal(await node.pod('hook'), undefined);
  });

  test('a hook that fails is told, without its words', async () => {
    await using node = await startKubeletNode();
    const hook = { exec: { command: ['false'] } };
    await node.create(
      'hook',
      { restartPolicy: 'Never', containers: [{ name: 'main', image: 'registry/main:1', lifecycle: { postStart: hook, preStop: hook } }] },
      { 'timonier.dev/exec-exit-code': '1' },
    );
    await node.tick(5);
    const events = await node.events('hook');
    assert.ok(events.includes('FailedPostStartHook: PostStartHook failed'));
    assert.ok(events.includes('Killing: FailedPostStartHook'));
    assert.ok(events.includes('FailedPreStopHook: PreStopHook failed'));
    assert.equal((await node.pod('hook'))?.status.phase, 'Succeeded');
  });

  test('shows a readiness that is lost meanwhile', async () => {
    await using node = await startKubeletNode();
    const readinessProbe = { tcpSocket: { port: 80 }, periodSeconds: 1, failureThreshold: 1 };
    const annotations = { 'timonier.dev/stop-after': '20s', 'timonier.dev/probe-readiness': 'fail-after=5s' };
    await node.create('web', { containers: [{ name: 'main', image: 'registry/main:1', readinessProbe }] }, annotations);
    await node.tick(2);
    await node.client.delete(Pod, at('web'));
    await node.tick(1);
    assert.deepEqual(describePod(await node.pod('web')), ['Running', 'main running restarts=0 ready']);
    await node.tick(5);
    assert.deepEqual(describePod(await node.pod('web')), ['Running', 'main running restarts=0']);
    await node.tick(20);
    assert.equal(await node.pod('web'), undefined);
  });

  test('sidecars end after the others, the last one first', async () => {
    await using node = await startKubeletNode();
    const side = (name: string) => ({ name, image: 'registry/main:1', restartPolicy: 'Always' });
    await node.create('order', { initContainers: [side('a'), side('b')] }, { 'timonier.dev/stop-after': '3s' });
    await node.tick(1);
    const uid = (await node.pod('order'))?.metadata.uid;
    await node.client.delete(Pod, at('order'));
    const running = async () =>
      (await node.runtime.listContainers({ state: { state: 'CONTAINER_RUNNING' }, labelSelector: { 'io.kubernetes.pod.uid': uid ?? '' } }))
        .map((c) => c.metadata.name)
        .sort();
    const seen: (readonly string[])[] = [];
    for (const seconds of [2, 2, 3, 3]) {
      await node.tick(seconds);
      seen.push(await running());
    }
    assert.deepEqual(seen, [['a', 'b', 'main'], ['a', 'b'], ['a'], []]);
  });
});

describe('a kubelet that is started again', () => {
  test('finds its pods as they were, and does not touch them', async () => {
    await using node = await startKubeletNode();
    const readinessProbe = { tcpSocket: { port: 80 }, periodSeconds: 10 };
    await node.create('web', { containers: [{ name: 'main', image: 'registry/main:1', readinessProbe }] });
    await node.tick(5);
    const before = await node.pod('web');
    assert.deepEqual(describePod(before), ['Running', 'main running restarts=0 ready']);
    await node.restart();
    await node.tick(3);
    assert.deepEqual(await node.pod('web'), before);
    await node.client.delete(Pod, at('web'));
    await node.tick(1);
    assert.equal(await node.pod('web'), undefined);
  });

  test('ends what the API no longer knows', async () => {
    await using node = await startKubeletNode();
    await node.create('web', {});
    await node.tick(1);
    await node.kubelet[Symbol.asyncDispose]();
    await node.client.delete(Pod, at('web'), { gracePeriodSeconds: 0 });
    assert.equal((await node.runtime.listPodSandbox()).length, 1);
    await node.restart();
    await node.tick(5);
    assert.deepEqual(await node.runtime.listPodSandbox(), []);
  });

  test('goes on with a deletion', async () => {
    await using node = await startKubeletNode();
    await node.create('slow', {}, { 'timonier.dev/stop-after': '10s' });
    await node.tick(1);
    await node.client.delete(Pod, at('slow'));
    await node.tick(2);
    await node.restart();
    await node.tick(15);
    assert.equal(await node.pod('slow'), undefined);
  });
});

describe('the node', () => {
  test('registers, renews its lease, and reports', async () => {
    await using node = await startKubeletNode({ labels: { zone: 'a' } });
    const get = () => node.client.get(Node, { name: nodeName });
    const lease = () => node.client.get(Lease, { namespace: 'kube-node-lease', name: nodeName });
    await node.tick(1);
    const first = await get();
    assert.equal(first.status.conditions?.find((c) => c.type === 'Ready')?.status, 'True');
    assert.equal(first.metadata.labels?.['zone'], 'a');
    const renewed = (await lease()).spec.renewTime;
    await node.tick(25);
    assert.notEqual((await lease()).spec.renewTime, renewed);
    assert.equal((await get()).metadata.resourceVersion, first.metadata.resourceVersion);
    await node.tick(320);
    assert.notEqual((await get()).metadata.resourceVersion, first.metadata.resourceVersion);
  });

  test('is not ready while its runtime is not', async () => {
    await using node = await startKubeletNode();
    const ready = async () => (await node.client.get(Node, { name: nodeName })).status.conditions?.find((c) => c.type === 'Ready');
    await node.tick(1);
    const { status } = node.runtime;
    node.runtime.status = () => Promise.reject(new Error('gone'));
    await node.tick(15);
    assert.deepEqual([(await ready())?.status, (await ready())?.message], ['False', 'container runtime is down']);
    node.runtime.status = status;
    await node.tick(6);
    assert.equal((await ready())?.status, 'True');
  });

  test('that was deleted registers again', async () => {
    await using node = await startKubeletNode({ simulated: true });
    await node.client.delete(Node, { name: nodeName });
    await node.tick(700);
    assert.equal((await node.client.get(Node, { name: nodeName })).metadata.name, nodeName);
  });

  test('leaves no timer behind', async () => {
    const node = await startKubeletNode();
    await node.create('web', { serviceAccountName: 'default' });
    await node.tick(3);
    await node[Symbol.asyncDispose]();
    assert.equal(node.clock.pending, 0);
  });
});

test('a token is renewed when most of its life is over', async () => {
  await using node = await startKubeletNode();
  await node.client.create(ServiceAccount, { metadata: at('robot') });
  const asked: number[] = [];
  const { client } = node;
  const post = client.post.bind(client);
  client.post = async (kind, where, subresource, body, options) => {
    if (subresource !== 'token') return await post(kind, where, subresource, body, options);
    asked.push(node.clock.monotonic() / 1000);
    const { spec } = body as { readonly spec: { readonly expirationSeconds: number } };
    const expires = new Date(node.clock.now() + spec.expirationSeconds * 1000).toISOString();
    return { spec, status: { token: 't', expirationTimestamp: expires } } as never;
  };
  await node.create('web', {
    serviceAccountName: 'robot',
    containers: [{ name: 'main', image: 'registry/main:1', volumeMounts: [{ name: 't', mountPath: '/t' }] }],
    volumes: [{ name: 't', projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3600 } }] } }],
  });
  await node.tick(6000);
  assert.equal(asked.length, 3);
  for (const [i, seconds] of [0, 2880, 5760].entries()) assert.ok(Math.abs((asked[i] ?? 0) - seconds) <= 25, `${asked}`);
});
