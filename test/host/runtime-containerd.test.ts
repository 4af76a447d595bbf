/**
 * A containerd of our own with real containers: what the contract suite does not ask, since a simulated runtime has no
 * files, processes and streams. Runs in namespaces of its own.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { realClock } from '../../src/client/clock.ts';
import { silentLog } from '../../src/client/log.ts';
import { findCniPlugins, writeCniConfig } from '../../src/node/network/cni.ts';
import { type ContainerRuntime, isRuntimeError } from '../../src/node/runtime/container-runtime.ts';
import { Containerd } from '../../src/node/runtime/containerd.ts';
import type { ContainerConfig, PodSandboxConfig } from '../../src/node/runtime/cri-types.ts';
import { pauseImage } from '../../src/node/runtime/images.ts';
import { removeContainerd } from '../../src/node/runtime/remove-containerd.ts';
import { writeTar } from '../../src/node/runtime/tar.ts';
import { busyboxImage } from './busybox-image.ts';
import { serveImage } from './loopback-registry.ts';
import { machineState } from './machine-state.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const image = 'host-test:1';
const cgroup = `timonier-host-test-${process.pid}`;

if (inOwnNamespaces(import.meta.url)) {
  describe('containerd', () => {
    let containerd: Containerd;
    let runtime: ContainerRuntime;
    let dataDir: string;
    let stateBefore: ReturnType<typeof machineState>;
    let pods = 0;
    let awake: NodeJS.Timeout;

    const start = (): Promise<Containerd> =>
      Containerd.start({ dataDir, cniPluginDir: findCniPlugins() ?? '', clock: realClock, log: silentLog });

    before(async () => {
      awake = setInterval(() => {}, 60_000);
      dataDir = await mkdtemp(join(tmpdir(), 'host-'));
      stateBefore = machineState([dataDir, cgroup]);
      containerd = await start();
      runtime = containerd.runtime;
      await writeCniConfig(containerd.paths.cniConfDir, { network: 'host-test', podCidr: '10.244.8.0/24', ipamDir: join(dataDir, 'ipam') });
      await containerd.loadImage(busyboxImage(image));
    });
    after(async () => {
      await containerd.stop();
      await removeContainerd({ dataDir, clock: realClock, cgroup });
      clearInterval(awake);
      assert.deepEqual(machineState([dataDir, cgroup]), stateBefore);
      assert.equal(existsSync(dataDir), false);
    });

    const runContainer = async (command: readonly string[], more: Partial<ContainerConfig> = {}, linux: PodSandboxConfig['linux'] = {}) => {
      const uid = `uid-${pods++}`;
      const hostNetwork = linux.securityContext?.namespaceOptions?.network === 'NODE';
      const sandboxConfig: PodSandboxConfig = {
        metadata: { name: uid, namespace: 'default', uid },
        ...(!hostNetwork && { hostname: uid }),
        logDirectory: join(dataDir, 'logs', uid),
        linux: { cgroupParent: `/${cgroup}/${uid}`, ...linux },
      };
      const podSandboxId = await runtime.runPodSandbox(sandboxConfig);
      const config = { metadata: { name: 'main' }, image: { image }, command, logPath: 'main.log', ...more };
      const containerId = await runtime.createContainer({ podSandboxId, sandboxConfig, config });
      await runtime.startContainer(containerId);
      const remove = (): Promise<void> => runtime.removePodSandbox(podSandboxId);
      return { podSandboxId, containerId, sandboxConfig, [Symbol.asyncDispose]: remove };
    };
    const output = async (containerId: string, ...cmd: string[]): Promise<string> =>
      (await runtime.execSync({ containerId, cmd, timeoutSeconds: 10 })).stdout.toString().trim();
    const ended = async (containerId: string): Promise<void> => {
      const stop = new AbortController();
      for await (const event of runtime.events(stop.signal)) if (event.containerId === containerId && event.type === 'stopped') break;
      stop.abort();
    };

    it('writes what a container says into its log file, line by line', async () => {
      await using pod = await runContainer(['sh', '-c', 'echo one; echo two >&2; printf three']);
      await ended(pod.containerId);
      const log = await readFile((await runtime.containerStatus(pod.containerId)).logPath, 'utf8');
      const said = log
        .trim()
        .split('\n')
        .map((line) => /^\S+Z (stdout|stderr) ([FP]) (.*)$/.exec(line)?.slice(1));
      assert.deepEqual(said.sort(), [
        ['stderr', 'F', 'two'],
        ['stdout', 'F', 'one'],
        ['stdout', 'P', 'three'],
      ]);
    });

    it('gives a container its environment, user, limits and host name', async () => {
      await using pod = await runContainer(['sleep', '1000'], {
        envs: [{ key: 'GREETING', value: 'ahoy' }],
        linux: {
          resources: { memoryLimitInBytes: 48 * 2 ** 20, oomScoreAdj: 900 },
          securityContext: { runAsUser: { value: 65534 }, runAsGroup: { value: 65534 }, readonlyRootfs: true },
        },
      });
      assert.equal(await output(pod.containerId, 'sh', '-c', 'echo $GREETING $IMAGE'), `ahoy ${image}`);
      assert.match(await output(pod.containerId, 'id'), /^uid=65534/);
      assert.equal(await output(pod.containerId, 'hostname'), pod.sandboxConfig.hostname);
      const [, cgroupPath = ''] = /(?:memory|0::)[:]?(\S*)/.exec(await output(pod.containerId, 'cat', '/proc/self/cgroup')) ?? [];
      assert.match(cgroupPath, new RegExp(pod.containerId));
      const written = await runtime.execSync({ containerId: pod.containerId, cmd: ['sh', '-c', 'echo x > /etc/x'], timeoutSeconds: 5 });
      assert.notEqual(written.exitCode, 0);
    });

    it('kills a container that takes too much memory', async () => {
      const command = ['sh', '-c', 'head -c 200m /dev/zero | tail'];
      await using pod = await runContainer(command, {
        linux: { resources: { memoryLimitInBytes: 16 * 2 ** 20, memorySwapLimitInBytes: 16 * 2 ** 20 } },
      });
      await ended(pod.containerId);
      const status = await runtime.containerStatus(pod.containerId);
      assert.equal(status.exitCode, 137);
    });

    it('gives a command up when it takes too long', async () => {
      await using pod = await runContainer(['sleep', '1000']);
      const slow = runtime.execSync({ containerId: pod.containerId, cmd: ['sleep', '100'], timeoutSeconds: 1 });
      await assert.rejects(slow, { name: 'RuntimeError', code: 'DeadlineExceeded' });
    });

    it('serves exec, attach and port-forward on the node’s address', async () => {
      await using pod = await runContainer(['sleep', '1000']);
      const { containerId, podSandboxId } = pod;
      const streams = [
        { url: await runtime.exec({ containerId, cmd: ['echo', 'streamed'], stdout: true, stderr: true }), protocol: 'v4.channel.k8s.io' },
        { url: await runtime.attach({ containerId, stdout: true }), protocol: 'v4.channel.k8s.io' },
        { url: await runtime.portForward(podSandboxId, [80]), protocol: 'portforward.k8s.io' },
      ];
      for (const { url, protocol } of streams) {
        assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\//);
        const headers = { connection: 'upgrade', upgrade: 'spdy/3.1', 'x-stream-protocol-version': protocol };
        const upgrade = request(url, { method: 'POST', headers });
        upgrade.end();
        const [answer, socket] = await Promise.race([once(upgrade, 'upgrade'), once(upgrade, 'response')]);
        assert.equal((answer as IncomingMessage).statusCode, 101);
        socket.destroy();
      }
    });

    it('puts a hostNetwork pod into the node’s network', async () => {
      const server = createServer((_, response) => response.end('from the node'));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as { port: number };
      await using pod = await runContainer(
        ['sleep', '1000'],
        { linux: { securityContext: { namespaceOptions: { network: 'NODE' } } } },
        {
          cgroupParent: `/${cgroup}/host-network`,
          securityContext: { namespaceOptions: { network: 'NODE' } },
        },
      );
      const page = await output(pod.containerId, 'sh', '-c', `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc 127.0.0.1 ${port}`);
      assert.match(page, /from the node$/);
      server.close();
    });

    it('loads archives of either format, and gives them full names', async () => {
      assert.deepEqual(await containerd.loadImage(busyboxImage('formats:1')), ['docker.io/library/formats:1']);
      assert.ok(await runtime.imageStatus('formats:1'));
      await runtime.removeImage('formats:1');
      assert.equal(await runtime.imageStatus('formats:1'), undefined);

      const config = JSON.stringify({
        architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
        os: 'linux',
        config: {},
        rootfs: { type: 'layers', diff_ids: [] },
      });
      const docker = writeTar([
        { path: 'config.json', content: config },
        { path: 'manifest.json', content: JSON.stringify([{ Config: 'config.json', RepoTags: ['corner/shop:2'], Layers: [] }]) },
      ]);
      assert.deepEqual(await containerd.loadImage(docker), ['docker.io/corner/shop:2']);
      await assert.rejects(containerd.loadImage(Buffer.from('not an archive'.repeat(100))), /no archive of images/);
      await runtime.removeImage('corner/shop:2');
    });

    it('pulls from a registry, with a password where it wants one', async () => {
      const archive = busyboxImage('pulled:1');
      await using open = await serveImage(archive, { repository: 'corner/pulled', tag: '1' });
      await using closed = await serveImage(archive, { repository: 'corner/pulled', tag: '1', credentials: 'me:secret' });
      const name = `${open.host}/corner/pulled:1`;
      const reference = await runtime.pullImage({ image: name });
      const image = await runtime.imageStatus(name);
      assert.equal(image?.id, reference);
      assert.deepEqual(image.repoTags, [name]);
      assert.match(image.repoDigests[0] ?? '', /\/corner\/pulled@sha256:/);
      assert.ok(open.requests.some((line) => line.endsWith('/manifests/1')));

      const secret = `${closed.host}/corner/pulled:1`;
      await assert.rejects(runtime.pullImage({ image: secret }));
      await runtime.pullImage({ image: secret }, { auth: { username: 'me', password: 'secret' } });
      assert.ok(await runtime.imageStatus(secret));
      await assert.rejects(runtime.pullImage({ image: `${open.host}/corner/nothing:1` }), (error) => isRuntimeError(error, 'NotFound'));
      await assert.rejects(runtime.pullImage({ image: '127.0.0.1:1/corner/pulled:1' }), /connection refused/);
      for (const image of [name, secret]) await runtime.removeImage(image);
    });

    it('keeps containers running while it is killed and starts again', async () => {
      await using pod = await runContainer(['sleep', '1000']);
      await output(pod.containerId, 'sh', '-c', 'echo kept > /tmp/note');
      const { pid } = containerd;
      assert.ok(pid);
      process.kill(pid, 'SIGKILL');
      await answeringAgain(runtime, pid, () => containerd.pid);
      assert.equal(await output(pod.containerId, 'cat', '/tmp/note'), 'kept');
    });

    it('finds its containers again after a stop and a start', async () => {
      const pod = await runContainer(['sleep', '1000']);
      await containerd.stop();
      containerd = await start();
      runtime = containerd.runtime;
      assert.equal((await runtime.containerStatus(pod.containerId)).state, 'CONTAINER_RUNNING');
      assert.ok(await runtime.imageStatus(pauseImage));
      await containerd.removePods();
      assert.deepEqual(await runtime.listPodSandbox(), []);
      assert.equal(readFileSync('/proc/self/mounts', 'utf8').includes(pod.podSandboxId), false);
    });

    it('says at once why it does not start', async () => {
      const start = Containerd.start({
        dataDir: join(dataDir, 'other'),
        netns: '/nonexistent/netns',
        cniPluginDir: findCniPlugins() ?? '',
        clock: realClock,
        log: silentLog,
      });
      await assert.rejects(start, /containerd does not start: .*\/nonexistent\/netns.*containerd\.log/);
    });

    it('leaves nothing when it is removed with pods running', async () => {
      await runContainer(['sleep', '1000']);
      await runContainer(['sh', '-c', 'sleep 1000 & sleep 1000'], {}, { securityContext: { namespaceOptions: { pid: 'NODE' } } });
      // the comparison is in `after`
    });
  });
}

/** Resolves when another process answers. */
async function answeringAgain(runtime: ContainerRuntime, oldPid: number, pid: () => number | undefined): Promise<void> {
  for (;;) {
    if (
      pid() !== oldPid &&
      (await runtime.status().then(
        () => true,
        () => false,
      ))
    )
      return;
    await realClock.sleep(20);
  }
}
