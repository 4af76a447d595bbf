/**
 * The kubelet with real containers: a containerd of its own, the API server in this process, and namespaces without
 * uplink. What the scenarios on the simulated runtime can't show: files, mounts, processes, streams.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import type { Container, PodSpec } from '../../src/api/generated/core-v1.ts';
import { ConfigMap, Event, Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, Secret } from '../../src/api/generated/kinds.ts';
import { builtInRegistry } from '../../src/api/kinds/all.ts';
import type { Client } from '../../src/client/client.ts';
import { realClock, realRandom } from '../../src/client/clock.ts';
import { createEventWriter } from '../../src/client/events/event-writer.ts';
import { silentLog } from '../../src/client/log.ts';
import { createApiServer } from '../../src/control-plane/api-server/api-server.ts';
import { memoryFiles, openClusterPKI } from '../../src/control-plane/pki/cluster-pki.ts';
import { openMemoryStore } from '../../src/control-plane/store/memory-store.ts';
import { type Kubelet, startKubelet } from '../../src/node/kubelet/kubelet.ts';
import { knowsNoSwap } from '../../src/node/kubelet/volumes/mounter.ts';
import { findCniPlugins, writeCniConfig } from '../../src/node/network/cni.ts';
import { Containerd } from '../../src/node/runtime/containerd.ts';
import { removeContainerd } from '../../src/node/runtime/remove-containerd.ts';
import { busyboxImage } from './busybox-image.ts';
import { machineState } from './machine-state.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const image = 'kubelet-test:1';
const cgroup = `timonier-kubelet-test-${process.pid}`;
const nodeName = 'node-1';
const namespace = 'default';

type Seen = Pod | undefined;
const isReady = (pod: Seen): boolean => pod?.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;
const isOver = (pod: Seen): boolean => pod?.status.phase === 'Succeeded' || pod?.status.phase === 'Failed';
const isGone = (pod: Seen): boolean => pod === undefined;
const restarts = (pod: Seen): number => pod?.status.containerStatuses?.[0]?.restartCount ?? 0;

if (inOwnNamespaces(import.meta.url)) {
  describe('the kubelet with real containers', () => {
    const stack = new AsyncDisposableStack();
    let dataDir: string;
    let before_: ReturnType<typeof machineState>;
    let containerd: Containerd;
    let client: Client;
    let kubelet: Kubelet;
    let start: () => Promise<Kubelet>;
    let tls: { readonly cert: string; readonly key: string; readonly ca: string };
    let awake: NodeJS.Timeout;

    before(async () => {
      awake = setInterval(() => {}, 60_000);
      dataDir = await mkdtemp(join(tmpdir(), 'kubelet-'));
      before_ = machineState([dataDir, cgroup]);
      containerd = await Containerd.start({
        dataDir: join(dataDir, 'containerd'),
        cniPluginDir: findCniPlugins() ?? '',
        clock: realClock,
        log: silentLog,
      });
      await writeCniConfig(containerd.paths.cniConfDir, {
        network: 'kubelet-test',
        podCidr: '10.244.9.0/24',
        ipamDir: join(dataDir, 'ipam'),
      });
      await containerd.loadImage(busyboxImage(image));
      const storage = stack.use(openMemoryStore({ clock: realClock }));
      const server = stack.use(
        await createApiServer({ storage, registry: builtInRegistry(), clock: realClock, random: realRandom, log: silentLog }),
      );
      client = server.clientFor({ name: `system:node:${nodeName}`, groups: ['system:masters'] });
      for (const name of [namespace, 'kube-node-lease']) await client.create(Namespace, { metadata: { name }, spec: {} });
      const pki = await openClusterPKI({ files: memoryFiles(), clock: realClock });
      const serving = await pki.certificate('kubelet', { commonName: nodeName, ipAddresses: ['127.0.0.1'], usages: ['server'] });
      const admin = await pki.certificate('admin', { commonName: 'admin', organizations: ['system:masters'], usages: ['client'] });
      tls = { cert: admin.certPem, key: admin.keyPem, ca: pki.authority.certPem };
      const events = stack.use(createEventWriter(client, { component: 'kubelet', host: nodeName, clock: realClock, log: silentLog }));
      start = () =>
        startKubelet({
          nodeName,
          client: allowing(client),
          runtime: containerd.runtime,
          dataDir: join(dataDir, 'kubelet'),
          clock: realClock,
          random: realRandom,
          log: silentLog,
          signal: new AbortController().signal,
          events,
          nodeIPs: ['127.0.0.1'],
          clusterDNS: ['10.96.0.10'],
          clusterDomain: 'cluster.local',
          version: 'v1.36.3',
          cgroupRoot: [cgroup],
          serving: { host: '127.0.0.1', port: 0, cert: serving.certPem, key: serving.keyPem, clientCA: pki.authority.certPem },
        });
      kubelet = await start();
    });

    after(async () => {
      await kubelet[Symbol.asyncDispose]();
      await stack[Symbol.asyncDispose]();
      await containerd.removePods();
      await containerd.stop();
      await removeContainerd({ dataDir, clock: realClock, cgroup });
      clearInterval(awake);
      assert.deepEqual(machineState([dataDir, cgroup]), before_);
    });

    const at = (name: string) => ({ namespace, name });
    const until = async (name: string, isRight: (pod: Seen) => boolean): Promise<Seen> => {
      const stop = new AbortController();
      try {
        for await (const event of client.watch(Pod, { namespace, fieldSelector: `metadata.name=${name}`, signal: stop.signal })) {
          if (event.type === 'BOOKMARK') continue;
          const pod = event.type === 'DELETED' ? undefined : event.object;
          if (isRight(pod)) return pod;
        }
        throw new Error(`the watch of ${name} ended`);
      } finally {
        stop.abort();
      }
    };
    const create = (name: string, main: Partial<Container>, spec: Partial<PodSpec> = {}): Promise<Pod> =>
      client.create(Pod, { metadata: at(name), spec: { nodeName, containers: [{ name: 'main', image, ...main }], ...spec } });
    /** Runs a script to its end, and gives what it said. */
    const run = async (name: string, script: string, main: Partial<Container> = {}, spec: Partial<PodSpec> = {}): Promise<string> => {
      await create(name, { command: ['sh', '-c', script], ...main }, { restartPolicy: 'Never', ...spec });
      await until(name, isOver);
      return (await ask('GET', `/containerLogs/${namespace}/${name}/main`)).body;
    };
    const remove = async (name: string): Promise<void> => {
      const gone = until(name, isGone);
      await client.delete(Pod, at(name), { gracePeriodSeconds: 2 });
      await gone;
    };
    const eventsOf = async (name: string): Promise<readonly string[]> =>
      (await client.list(Event, { namespace })).items.filter((e) => e.involvedObject.name === name).map((e) => `${e.reason}: ${e.message}`);
    const ask = (method: string, path: string, more: object = {}): Promise<{ readonly status: number; readonly body: string }> =>
      new Promise((resolve, reject) => {
        const options = { method, host: '127.0.0.1', port: kubelet.port, path, agent: false, ...tls, ...more };
        httpsRequest(options, async (response) => {
          const chunks: Buffer[] = [];
          for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
        })
          .on('error', reject)
          .end();
      });
    const exec = (name: string, ...command: readonly string[]): Promise<string> => {
      const query = new URLSearchParams([['output', '1'], ['error', '1'], ...command.map((word) => ['command', word])]);
      return new Promise((resolve, reject) => {
        const socket = new WebSocket(`wss://127.0.0.1:${kubelet.port}/exec/${namespace}/${name}/main?${query}`, 'v4.channel.k8s.io', tls);
        const said: Buffer[] = [];
        socket.on('message', (data: Buffer) => {
          if (data[0] === 1 || data[0] === 2) said.push(data.subarray(1));
        });
        socket.on('close', () => resolve(Buffer.concat(said).toString()));
        socket.on('error', reject);
      });
    };

    it('starts a web server, probes it in every way, and answers for it', async () => {
      const command = ['sh', '-c', 'mkdir -p /tmp/www; echo hi > /tmp/www/index.html; sleep 1; exec httpd -f -p 8080 -h /tmp/www'];
      await create('web', {
        command,
        ports: [{ name: 'http', containerPort: 8080 }],
        startupProbe: { tcpSocket: { port: 'http' }, periodSeconds: 1, failureThreshold: 20 },
        readinessProbe: { httpGet: { port: 'http', path: '/' }, periodSeconds: 1 },
        livenessProbe: { exec: { command: ['true'] }, periodSeconds: 1 },
        resources: { requests: { cpu: '50m', memory: '32Mi' }, limits: { cpu: '200m', memory: '64Mi' } },
      });
      const pod = await until('web', isReady);
      assert.match(pod?.status.podIP ?? '', /^10\.244\.9\./);
      const summary = JSON.parse((await ask('GET', '/stats/summary')).body);
      assert.equal(summary.pods.find((p: { podRef: { name: string } }) => p.podRef.name === 'web')?.containers[0]?.name, 'main');
      assert.match(
        (await ask('GET', '/metrics/resource')).body,
        /container_memory_working_set_bytes\{container="main",namespace="default",pod="web"\} \d+/,
      );
      assert.equal((await ask('GET', '/healthz')).body, 'ok');
      assert.equal((await ask('GET', '/pods')).body.includes('"web"'), true);
    });

    it('limits a pod as a whole, and its containers', async () => {
      const uid = (await client.get(Pod, at('web'))).metadata.uid;
      const path = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup'].find((p) => existsSync(join(p, cgroup))) ?? '';
      const group = join(path, cgroup, 'kubepods/burstable', `pod${uid}`);
      const file = existsSync(join(group, 'memory.max')) ? 'memory.max' : 'memory.limit_in_bytes';
      assert.equal((await readFile(join(group, file), 'utf8')).trim(), String(64 * 2 ** 20));
    });

    it('runs commands over WebSocket', async () => {
      assert.equal(await exec('web', 'sh', '-c', 'echo out; hostname'), 'out\nweb\n');
    });

    it('forwards a port', async () => {
      const socket = new WebSocket(`wss://127.0.0.1:${kubelet.port}/portForward/${namespace}/web?port=8080`, 'v4.channel.k8s.io', tls);
      const said: Buffer[] = [];
      let frames = 0;
      socket.on('message', (data: Buffer) => {
        // The first frame of each of the two channels says the port.
        if (++frames === 2) socket.send(Buffer.from('\0GET / HTTP/1.0\r\n\r\n'));
        if (frames > 2 && data[0] === 0) said.push(data.subarray(1));
        if (Buffer.concat(said).includes('hi\n')) socket.close();
      });
      await new Promise((resolve, reject) => socket.on('close', resolve).on('error', reject));
      assert.match(Buffer.concat(said).toString(), /^HTTP\/1\.[01] 200 OK/);
    });

    it('attaches to what runs', async () => {
      await create('cat', { command: ['cat'], stdin: true });
      await until('cat', isReady);
      const socket = new WebSocket(
        `wss://127.0.0.1:${kubelet.port}/attach/${namespace}/cat/main?input=1&output=1`,
        'v4.channel.k8s.io',
        tls,
      );
      socket.on('open', () => socket.send(Buffer.from('\0ahoy\n')));
      const said = await new Promise<string>((resolve, reject) => {
        socket.on('message', (data: Buffer) => {
          if (data[0] === 1 && data.length > 1) resolve(data.subarray(1).toString());
        });
        socket.on('error', reject);
      });
      socket.terminate();
      assert.equal(said, 'ahoy\n');
      await remove('cat');
    });

    it('changes limits of a container as it runs', async () => {
      const before = await client.get(Pod, at('web'));
      const limits = { cpu: '200m', memory: '96Mi' };
      await client.patch(
        Pod,
        at('web'),
        { type: 'strategic', body: { spec: { containers: [{ name: 'main', resources: { limits } }] } } },
        { subresource: 'resize' },
      );
      const pod = await until('web', (p) => p?.status.containerStatuses?.[0]?.resources?.limits?.['memory'] === '96Mi');
      assert.equal(pod?.status.containerStatuses?.[0]?.containerID, before.status.containerStatuses?.[0]?.containerID);
      const file = 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max';
      assert.equal(await exec('web', 'sh', '-c', file), `${96 * 2 ** 20}\n`);
    });

    it('changes the pod as a whole as it runs, and takes no memory away that is used', async () => {
      const memory = (limit: string) => ({ resources: { requests: { memory: '16Mi' }, limits: { memory: limit } } });
      const script = 'dd if=/dev/zero of=/dev/shm/full bs=1M count=24 2>/dev/null; touch /tmp/done; sleep 600';
      await create('whole', { command: ['sh', '-c', script] }, memory('64Mi'));
      await until('whole', isReady);
      const resize = (limit: string) =>
        client.patch(Pod, at('whole'), { type: 'merge', body: { spec: memory(limit) } }, { subresource: 'resize' });
      await resize('96Mi');
      const pod = await until('whole', (p) => p?.status.resources?.limits?.['memory'] === '96Mi');
      assert.deepEqual(pod?.status.allocatedResources, { memory: '16Mi' });
      const file = 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max';
      assert.equal(await exec('whole', 'sh', '-c', file), `${96 * 2 ** 20}\n`);
      await exec('whole', 'sh', '-c', 'until [ -e /tmp/done ]; do sleep 0.1; done');
      await resize('17Mi');
      const stuck = await until('whole', (p) => p?.status.conditions?.some(({ reason }) => reason === 'Error') ?? false);
      const condition = stuck?.status.conditions?.find(({ type }) => type === 'PodResizeInProgress');
      assert.match(condition?.message ?? '', /attempting to set pod memory limit \(17825792\) below current usage/);
      assert.equal(stuck?.status.resources?.limits?.['memory'], '96Mi');
      assert.equal(await exec('whole', 'echo', 'alive'), 'alive\n');
      await remove('whole');
    });

    it('lets nobody in whom it does not know', async () => {
      const stranger = { cert: undefined, key: undefined, rejectUnauthorized: true };
      assert.equal((await ask('GET', '/pods', stranger)).status, 401);
      assert.equal((await ask('GET', '/containerLogs/default/no/main')).status, 404);
      assert.equal((await ask('GET', '/exec/default/web/main?output=1&command=id')).status, 400);
    });

    it('leaves pods alone when it is started again, and removes the logs of those that went meanwhile', async () => {
      const before = await client.get(Pod, at('web'));
      await kubelet[Symbol.asyncDispose]();
      await mkdir(join(dataDir, 'kubelet/logs/default_gone_9f0c6a2e-0000-4000-8000-000000000000/main'), { recursive: true });
      kubelet = await start();
      assert.equal(await exec('web', 'echo', 'still here'), 'still here\n');
      assert.deepEqual((await client.get(Pod, at('web'))).status, before.status);
    });

    it('gives a pod its name, hosts, resolver and environment', async () => {
      await client.create(ConfigMap, { metadata: at('env'), data: { a: 'one' } });
      await client.create(Secret, { metadata: at('env'), data: { p: Buffer.from('hush').toString('base64') } });
      const env: Container['env'] = [
        { name: 'A', valueFrom: { configMapKeyRef: { name: 'env', key: 'a' } } },
        { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'BOTH', value: '$(A)-$(NAME)-$$(A)' },
      ];
      const said = await run(
        'names',
        'echo $BOTH $S_p; hostname; cat /etc/hosts /etc/resolv.conf',
        { env, envFrom: [{ prefix: 'S_', secretRef: { name: 'env' } }] },
        { hostname: 'h', subdomain: 's', hostAliases: [{ ip: '192.0.2.7', hostnames: ['far', 'away'] }] },
      );
      assert.match(said, /^one-names-\$\(A\) hush\nh\n/);
      assert.match(said, /\n10\.244\.9\.\d+\th\.s\.default\.svc\.cluster\.local\th\n/);
      assert.match(said, /\n192\.0\.2\.7\tfar\taway\n/);
      assert.match(said, /search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local.*\n(.*\n)*nameserver 10\.96\.0\.10/);
    });

    it('mounts volumes with the right modes, owners and limits', async () => {
      const volumes: PodSpec['volumes'] = [
        { name: 'cm', configMap: { name: 'env', items: [{ key: 'a', path: 'x/y', mode: 0o400 }] } },
        { name: 'secret', secret: { secretName: 'env' } },
        { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        { name: 'disk', emptyDir: {} },
        { name: 'down', downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
        { name: 'host', hostPath: { path: join(dataDir, 'host'), type: 'DirectoryOrCreate' } },
      ];
      const mount = (name: string, more = {}) => ({ name, mountPath: `/${name}`, ...more });
      const volumeMounts = [...volumes.map((v) => mount(v.name)), { name: 'disk', mountPath: '/part', subPathExpr: '$(SUB)/b' }];
      const script = [
        'exec 2>&1', // two streams have no order
        'ls -ldn /memory /disk /cm/x/y /secret/p | cut -c1-10',
        'busybox mount | grep -E "/(memory|secret) " | cut -d" " -f3,5,6',
        'cat /cm/x/y /secret/p /down/name; echo; touch /part/made; ls /disk/a/b; echo x > /host/f; id -G; echo x > /secret/f',
      ].join('; ');
      const said = await run(
        'volumes',
        script,
        { volumeMounts, env: [{ name: 'SUB', value: 'a' }] },
        { volumes, securityContext: { fsGroup: 2000 } },
      );
      const lines = said.split('\n');
      assert.ok(lines.includes('drwxrwxrwt') || lines.includes('drwxrwsrwt'), said);
      assert.ok(lines.includes('drwxrwsrwx'), said);
      assert.ok(lines.includes('-r--r-----'), said);
      assert.match(said, /\/memory tmpfs \(rw,.*size=1024k/);
      assert.match(said, /\/secret tmpfs \(ro,/);
      if (knowsNoSwap(release())) assert.equal(said.match(/ tmpfs \(.*noswap/g)?.length, 2, said);
      assert.match(said, /\nonehushvolumes\nmade\n0 2000\n/);
      assert.equal((await readFile(join(dataDir, 'host/f'), 'utf8')).trim(), 'x');
    });

    it('brings a ConfigMap volume up to date while it is mounted', async () => {
      await client.create(ConfigMap, { metadata: at('live'), data: { key: 'old' } });
      const volumeMounts = [{ name: 'v', mountPath: '/v' }];
      await create(
        'live',
        { command: ['sh', '-c', 'until [ "$(cat /v/key)" = new ]; do sleep 0.1; done; cat /v/key'], volumeMounts },
        { restartPolicy: 'Never', volumes: [{ name: 'v', configMap: { name: 'live' } }] },
      );
      await until('live', (pod) => pod?.status.phase === 'Running');
      await client.patch(ConfigMap, at('live'), { type: 'merge', body: { data: { key: 'new' } } });
      assert.equal((await until('live', isOver))?.status.phase, 'Succeeded');
    });

    it('refuses a subPath that leads out of its volume', async () => {
      const volumes = [{ name: 'v', emptyDir: {} }];
      const initContainers = [
        { name: 'trap', image, command: ['sh', '-c', 'busybox ln -s / /v/out'], volumeMounts: [{ name: 'v', mountPath: '/v' }] },
      ];
      await create('escape', { volumeMounts: [{ name: 'v', mountPath: '/w', subPath: 'out/etc' }] }, { volumes, initContainers });
      const pod = await until('escape', (p) => p?.status.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError');
      assert.equal(
        pod?.status.containerStatuses?.[0]?.state?.waiting?.message,
        'failed to prepare subPath for volumeMount "v" of container "main"',
      );
      await remove('escape');
    });

    it('uses a local and a hostPath PersistentVolume through their claims', async () => {
      const path = join(dataDir, 'local');
      await mkdir(path);
      await writeFile(join(path, 'f'), 'from the volume');
      const claim = async (name: string, source: object): Promise<void> => {
        const { metadata } = await client.create(PersistentVolumeClaim, {
          metadata: at(name),
          spec: {
            accessModes: ['ReadWriteOnce'] as never,
            volumeName: name,
            resources: { requests: { storage: '1Gi' } },
            storageClassName: '',
          },
        });
        await client.create(PersistentVolume, {
          metadata: { name },
          spec: {
            capacity: { storage: '1Gi' },
            accessModes: ['ReadWriteOnce'] as never,
            claimRef: { kind: 'PersistentVolumeClaim', namespace, name, uid: metadata.uid },
            ...source,
          },
        });
        await client.patch(
          PersistentVolumeClaim,
          at(name),
          { type: 'merge', body: { status: { phase: 'Bound' } } },
          { subresource: 'status' },
        );
      };
      const required = {
        nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In' as const, values: [nodeName] }] }],
      };
      await claim('local', { local: { path }, nodeAffinity: { required } });
      await claim('hostpath', { hostPath: { path } });
      const volumes = ['local', 'hostpath'].map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
      const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
      assert.equal(
        await run('claims', 'cat /local/f; echo; cat /hostpath/f', { volumeMounts }, { volumes }),
        'from the volume\nfrom the volume',
      );
    });

    it('keeps last words, and the log of the instance before', async () => {
      const script = 'echo said; echo last words > /dev/termination-log; exit 3';
      await create('words', { command: ['sh', '-c', script] });
      const pod = await until('words', (p) => restarts(p) >= 1 && p?.status.containerStatuses?.[0]?.lastState?.terminated !== undefined);
      const ended = pod?.status.containerStatuses?.[0]?.lastState?.terminated;
      assert.deepEqual([ended?.exitCode, ended?.message, ended?.reason], [3, 'last words\n', 'Error']);
      assert.equal((await ask('GET', '/containerLogs/default/words/main?previous=true')).body, 'said\n');
      const folder = `/logs/pods/default_words_${pod?.metadata.uid}/main/`;
      assert.match((await ask('GET', folder)).body, /<a href=".\/0.log">0.log<\/a>/);
      assert.match((await ask('GET', `${folder}0.log`)).body, /^\S+ stdout F said\n$/);
      assert.match(
        (await ask('GET', '/metrics')).body,
        /^kubelet_terminated_containers_total\{container_type="container",exit_code="3",reason="Error"\} \d+$/m,
      );
      await remove('words');
      await create(
        'fallback',
        { command: ['sh', '-c', 'echo from the log; exit 1'], terminationMessagePolicy: 'FallbackToLogsOnError' },
        { restartPolicy: 'Never' },
      );
      const failed = await until('fallback', isOver);
      assert.equal(failed?.status.containerStatuses?.[0]?.state?.terminated?.message, 'from the log\n');
    });

    it('follows a log until the container ends', async () => {
      await create('talk', { command: ['sh', '-c', 'echo one; sleep 1; echo two; sleep 1; echo three'] }, { restartPolicy: 'Never' });
      await until('talk', (pod) => pod?.status.phase === 'Running');
      assert.equal((await ask('GET', '/containerLogs/default/talk/main?follow=true')).body, 'one\ntwo\nthree\n');
      assert.equal((await ask('GET', '/containerLogs/default/talk/main?tailLines=1')).body, 'three\n');
    });

    it('runs hooks, and waits for a container that ends in its own time', async () => {
      const host = join(dataDir, 'hooks');
      const volumes = [{ name: 'v', hostPath: { path: host, type: 'DirectoryOrCreate' as const } }];
      const hook = (text: string) => ({ exec: { command: ['sh', '-c', `echo ${text} >> /v/log`] } });
      await create(
        'hooks',
        {
          command: ['sh', '-c', 'trap "echo term >> /v/log; sleep 1; echo end >> /v/log; exit 0" TERM; while true; do sleep 0.1; done'],
          lifecycle: { postStart: hook('start'), preStop: hook('stop') },
          volumeMounts: [{ name: 'v', mountPath: '/v' }],
        },
        { volumes },
      );
      await until('hooks', isReady);
      const gone = until('hooks', isGone);
      await client.delete(Pod, at('hooks'), { gracePeriodSeconds: 20 });
      await gone;
      assert.equal(await readFile(join(host, 'log'), 'utf8'), 'start\nstop\nterm\nend\n');
    });

    it('restarts a container whose liveness probe fails', async () => {
      await create('sick', {
        command: ['sleep', '1000'],
        livenessProbe: { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 1, terminationGracePeriodSeconds: 1 },
      });
      await until('sick', (pod) => restarts(pod) >= 1);
      assert.ok((await eventsOf('sick')).some((e) => e === 'Killing: Container main failed liveness probe, will be restarted'));
      await remove('sick');
    });

    it('obeys users and rights', async () => {
      const securityContext = { runAsUser: 1234, runAsGroup: 5678, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false };
      const said = await run('rights', 'id; touch /f || echo read-only; grep NoNewPrivs /proc/self/status', { securityContext });
      assert.match(said, /uid=1234 gid=5678/);
      assert.match(said, /read-only\n/);
      await create('root', { securityContext: { runAsNonRoot: true } });
      const pod = await until('root', (p) => p?.status.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError');
      assert.match(
        pod?.status.containerStatuses?.[0]?.state?.waiting?.message ?? '',
        /^container has runAsNonRoot and image will run as root/,
      );
      await remove('root');
    });

    it('runs on the host’s network', async () => {
      const pod = await create('host', { command: ['sleep', '1000'] }, { hostNetwork: true });
      await until('host', isReady);
      assert.equal((await client.get(Pod, at('host'))).status.podIP, '127.0.0.1');
      assert.equal(pod.spec.hostNetwork, true);
      await remove('host');
    });

    it('leaves nothing behind', async () => {
      for (const { metadata } of (await client.list(Pod, { namespace })).items) await remove(metadata.name);
      // the logs of a pod are the last of it that goes
      const logs = join(dataDir, 'kubelet/logs');
      const watcher = watch(logs);
      for (let change = once(watcher, 'change'); (await readdir(logs)).length > 0; change = once(watcher, 'change')) await change;
      watcher.close();
      assert.deepEqual(await containerd.runtime.listPodSandbox(), []);
      assert.deepEqual(await readdir(join(dataDir, 'kubelet/pods')), []);
      const groups = (await readdir('/sys/fs/cgroup'))
        .map((hierarchy) => join('/sys/fs/cgroup', hierarchy, cgroup))
        .filter((path) => existsSync(path));
      for (const group of groups)
        assert.deepEqual(
          (await readdir(group, { recursive: true })).filter((name) => /\/pod[^/]*$/.test(name)),
          [],
        );
      assert.equal((await readFile('/proc/self/mounts', 'utf8')).includes(join(dataDir, 'kubelet')), false);
      assert.equal((await client.get(Node, { name: nodeName })).status.images?.length, 2);
    });
  });
}

/** The server of this test has no reviews: whoever has a certificate of the authority may do everything. */
function allowing(client: Client): Client {
  const create: Client['create'] = async (kind, object, options) =>
    kind.kind === 'SubjectAccessReview' ? ({ ...object, status: { allowed: true } } as never) : await client.create(kind, object, options);
  return new Proxy(client, {
    get(target, property) {
      if (property === 'create') return create;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
