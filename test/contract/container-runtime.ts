/**
 * What every container runtime keeps to. A container's behaviour is told both ways: as a command for real containers,
 * and as annotations of its pod for simulated ones.
 */
import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import type { Status } from '../../src/api/generated/meta-v1.ts';
import { type ContainerRuntime, isRuntimeError, type RuntimeEvent } from '../../src/node/runtime/container-runtime.ts';
import type { PodSandboxConfig, StringMap } from '../../src/node/runtime/cri-types.ts';
import { dialSpdy } from '../../src/node/streaming/dial-spdy.ts';
import { SpdyConnection } from '../../src/node/streaming/spdy-connection.ts';

export interface RuntimeUnderTest extends AsyncDisposable {
  readonly runtime: ContainerRuntime;
  /** the image that containers are made of, which is there; it has a shell */
  readonly image: string;
  /** the cgroup that sandboxes are put below */
  readonly cgroupParent: string;
  readonly logDirectory: string;
}

interface Behaviour {
  readonly command: readonly string[];
  readonly annotations: StringMap;
}
const staysUp: Behaviour = { command: ['sleep', '1000000'], annotations: {} };
const endsWith = (exitCode: number): Behaviour => ({
  command: ['sh', '-c', `exit ${exitCode}`],
  annotations: { 'timonier.dev/run-for': '10ms', 'timonier.dev/exit-code': String(exitCode) },
});

export function containerRuntimeContract(name: string, start: () => Promise<RuntimeUnderTest>): void {
  describe(`container runtime: ${name}`, () => {
    let subject: RuntimeUnderTest;
    let runtime: ContainerRuntime;
    let pods = 0;
    // the clock's timers do not keep a process alive; waiting tests do
    let awake: NodeJS.Timeout;

    before(async () => {
      awake = setInterval(() => {}, 60_000);
      subject = await start();
      runtime = subject.runtime;
    });
    after(async () => {
      await subject[Symbol.asyncDispose]();
      clearInterval(awake);
    });

    const sandboxConfig = (annotations: StringMap = {}): PodSandboxConfig => {
      const uid = `uid-${pods++}`;
      return {
        metadata: { name: `pod-${uid}`, namespace: 'default', uid, attempt: 0 },
        hostname: `pod-${uid}`,
        logDirectory: `${subject.logDirectory}/${uid}`,
        labels: { app: 'contract', uid },
        annotations,
        linux: { cgroupParent: `${subject.cgroupParent}/${uid}`, securityContext: { namespaceOptions: { pid: 'CONTAINER' } } },
      };
    };
    const makePod = async ({ command, annotations }: Behaviour) => {
      const config = sandboxConfig(annotations);
      const podSandboxId = await runtime.runPodSandbox(config);
      const containerId = await runtime.createContainer({
        podSandboxId,
        sandboxConfig: config,
        config: {
          metadata: { name: 'main', attempt: 0 },
          image: { image: subject.image },
          command,
          labels: { 'io.kubernetes.container.name': 'main' },
          logPath: 'main.log',
          linux: { resources: { cpuShares: 100, memoryLimitInBytes: 64 * 2 ** 20 } },
        },
      });
      const remove = (): Promise<void> => runtime.removePodSandbox(podSandboxId);
      return { config, podSandboxId, containerId, [Symbol.asyncDispose]: remove };
    };
    const rejectsWith = (code: Parameters<typeof isRuntimeError>[1], call: Promise<unknown>): Promise<void> =>
      assert.rejects(call, (error) => isRuntimeError(error, code));

    it('says who it is and that it is ready', async () => {
      const { runtimeName, runtimeVersion, runtimeApiVersion } = await runtime.version();
      assert.ok(runtimeName !== '' && runtimeVersion !== '');
      assert.equal(runtimeApiVersion, 'v1');
      const { conditions } = await runtime.status();
      // runtimes may have more conditions of their own
      for (const wanted of ['NetworkReady', 'RuntimeReady']) assert.equal(conditions.find(({ type }) => type === wanted)?.status, true);
      assert.equal(await runtime.cgroupDriver(), 'cgroupfs');
    });

    it('knows its images by name, short name and id', async () => {
      const image = await runtime.imageStatus(subject.image);
      assert.ok(image);
      assert.match(image.id, /^sha256:[0-9a-f]{64}$/);
      assert.ok(image.size > 0);
      assert.deepEqual(image.repoTags, [`docker.io/library/${subject.image}`]);
      assert.equal((await runtime.imageStatus(image.id))?.id, image.id);
      assert.equal((await runtime.imageStatus(`docker.io/library/${subject.image}`))?.id, image.id);
      assert.ok((await runtime.listImages()).some(({ id }) => id === image.id));
      assert.equal(await runtime.imageStatus('nobody/has-this:1'), undefined);
      await runtime.removeImage('nobody/has-this:1');
      assert.ok((await runtime.imageFsInfo())[0]?.fsId?.mountpoint);
    });

    it('runs a sandbox with an address, stops and removes it, twice', async () => {
      const config = sandboxConfig({ note: 'kept' });
      const id = await runtime.runPodSandbox(config);
      const status = await runtime.podSandboxStatus(id);
      assert.equal(status.state, 'SANDBOX_READY');
      assert.deepEqual(status.metadata, config.metadata);
      assert.deepEqual([status.labels, status.annotations], [config.labels, config.annotations]);
      assert.match(status.network?.ip ?? '', /^\d+\.\d+\.\d+\.\d+$/);
      assert.ok(status.createdAt > 1e18);
      const byLabel = await runtime.listPodSandbox({ labelSelector: { uid: config.metadata.uid } });
      assert.deepEqual(
        byLabel.map((sandbox) => sandbox.id),
        [id],
      );
      for (let times = 0; times < 2; times++) await runtime.stopPodSandbox(id);
      assert.equal((await runtime.podSandboxStatus(id)).state, 'SANDBOX_NOTREADY');
      assert.deepEqual(await runtime.listPodSandbox({ id, state: { state: 'SANDBOX_READY' } }), []);
      for (let times = 0; times < 2; times++) await runtime.removePodSandbox(id);
      await rejectsWith('NotFound', runtime.podSandboxStatus(id));
    });

    it('gives no two pods one address, and hostNetwork pods none', async () => {
      await using first = await makePod(staysUp);
      await using second = await makePod(staysUp);
      const [one, two] = await Promise.all([first, second].map(({ podSandboxId }) => runtime.podSandboxStatus(podSandboxId)));
      assert.notEqual(one?.network?.ip, two?.network?.ip);
      const { hostname: _, ...config } = sandboxConfig();
      const id = await runtime.runPodSandbox({
        ...config,
        linux: { ...config.linux, securityContext: { namespaceOptions: { network: 'NODE', pid: 'CONTAINER' } } },
      });
      assert.equal((await runtime.podSandboxStatus(id)).network?.ip ?? '', '');
      await runtime.removePodSandbox(id);
    });

    it('creates, starts, stops and removes a container', async () => {
      await using pod = await makePod(staysUp);
      const { containerId, podSandboxId } = pod;
      assert.equal((await runtime.containerStatus(containerId)).state, 'CONTAINER_CREATED');
      await runtime.startContainer(containerId);
      const running = await runtime.containerStatus(containerId);
      assert.equal(running.state, 'CONTAINER_RUNNING');
      assert.deepEqual(running.metadata, { name: 'main', attempt: 0 });
      assert.ok(running.startedAt >= running.createdAt && running.finishedAt === 0);
      assert.equal(running.logPath, `${pod.config.logDirectory}/main.log`);
      assert.equal(running.imageRef, (await runtime.imageStatus(subject.image))?.id);
      await assert.rejects(runtime.startContainer(containerId));
      const selections = [{ id: containerId }, { podSandboxId }, { podSandboxId, state: { state: 'CONTAINER_RUNNING' as const } }];
      for (const filter of selections)
        assert.deepEqual(
          (await runtime.listContainers(filter)).map(({ id }) => id),
          [containerId],
        );
      assert.deepEqual(await runtime.listContainers({ podSandboxId, labelSelector: { 'io.kubernetes.container.name': 'other' } }), []);

      for (let times = 0; times < 2; times++) await runtime.stopContainer(containerId, 0);
      const stopped = await runtime.containerStatus(containerId);
      assert.equal(stopped.state, 'CONTAINER_EXITED');
      assert.equal(stopped.exitCode, 137);
      assert.ok(stopped.finishedAt >= stopped.startedAt);
      for (let times = 0; times < 2; times++) await runtime.removeContainer(containerId);
      await rejectsWith('NotFound', runtime.containerStatus(containerId));
      await runtime.stopContainer(containerId, 0);
    });

    it('removes a running container with its sandbox', async () => {
      const { containerId, podSandboxId } = await makePod(staysUp);
      await runtime.startContainer(containerId);
      await runtime.stopPodSandbox(podSandboxId);
      assert.equal((await runtime.containerStatus(containerId)).state, 'CONTAINER_EXITED');
      await runtime.removePodSandbox(podSandboxId);
      await rejectsWith('NotFound', runtime.containerStatus(containerId));
    });

    it('makes no container of an image that is not there', async () => {
      const config = sandboxConfig();
      const podSandboxId = await runtime.runPodSandbox(config);
      const request = {
        podSandboxId,
        sandboxConfig: config,
        config: { metadata: { name: 'main' }, image: { image: 'nobody/has-this:1' } },
      };
      await rejectsWith('NotFound', runtime.createContainer(request));
      await runtime.removePodSandbox(podSandboxId);
    });

    for (const exitCode of [0, 3]) {
      it(`tells of a container that ends with ${exitCode}`, async () => {
        await using pod = await makePod(endsWith(exitCode));
        await using watched = watchEvents(runtime, pod.config.metadata.uid);
        await runtime.startContainer(pod.containerId);
        await watched.until(({ type, containerId }) => type === 'stopped' && containerId === pod.containerId);
        const status = await runtime.containerStatus(pod.containerId);
        assert.deepEqual(
          [status.state, status.exitCode, status.reason],
          ['CONTAINER_EXITED', exitCode, exitCode === 0 ? 'Completed' : 'Error'],
        );
      });
    }

    it('tells what happens to a pod, in order', async () => {
      await using watched = watchEvents(runtime);
      const pod = await makePod(staysUp);
      const ofContainer = (wanted: RuntimeEvent['type']) => (event: RuntimeEvent) =>
        event.type === wanted && event.containerId === pod.containerId;
      await runtime.startContainer(pod.containerId);
      const started = await watched.until(ofContainer('started'));
      assert.deepEqual(started, {
        type: 'started',
        podUid: pod.config.metadata.uid,
        podSandboxId: pod.podSandboxId,
        containerId: pod.containerId,
      });
      await runtime.stopContainer(pod.containerId, 0);
      await watched.until(ofContainer('stopped'));
      await runtime.removePodSandbox(pod.podSandboxId);
      await watched.until(ofContainer('deleted'));
      await watched.until(({ type, containerId }) => type === 'deleted' && containerId === pod.podSandboxId);
    });

    it('runs a command in a container', async () => {
      const annotations = { 'timonier.dev/exec-exit-code': '7', 'timonier.dev/exec-output': 'hello\n' };
      await using pod = await makePod({ ...staysUp, annotations });
      const request = { containerId: pod.containerId, cmd: ['sh', '-c', 'echo hello; exit 7'], timeoutSeconds: 10 };
      await assert.rejects(runtime.execSync(request));
      await runtime.startContainer(pod.containerId);
      const { exitCode, stdout, stderr } = await runtime.execSync(request);
      assert.deepEqual([exitCode, stdout.toString(), stderr.toString()], [7, 'hello\n', '']);
    });

    /** What comes of a streamed command that is given this input. */
    const stream = async (url: string, input?: string): Promise<{ stdout: string; stderr: string; status: Partial<Status> }> => {
      const { socket, head, protocol } = await dialSpdy(new URL(url), ['v4.channel.k8s.io'], new AbortController().signal);
      assert.equal(protocol, 'v4.channel.k8s.io');
      const connection = new SpdyConnection(socket, { head });
      const [error, stdout, stderr] = ['error', 'stdout', 'stderr'].map((streamtype) => text(connection.open({ streamtype })));
      if (input !== undefined) connection.open({ streamtype: 'stdin' }).end(input);
      await connection.ended;
      return { stdout: (await stdout) ?? '', stderr: (await stderr) ?? '', status: JSON.parse((await error) ?? '') };
    };
    const output = { stdout: true, stderr: true };

    it('streams a command, with its input to the end', async () => {
      await using pod = await makePod(staysUp);
      const request = { containerId: pod.containerId, cmd: ['cat'], stdin: true, ...output };
      await assert.rejects(runtime.exec(request));
      await runtime.startContainer(pod.containerId);
      const input = 'hello\n'.repeat(100_000);
      const { stdout, stderr, status } = await stream(await runtime.exec(request), input);
      assert.equal(stdout, input);
      assert.deepEqual([stderr, status], ['', { metadata: {}, status: 'Success' }]);
    });

    it('tells the exit code of a streamed command', async () => {
      await using pod = await makePod(staysUp);
      await runtime.startContainer(pod.containerId);
      const url = await runtime.exec({ containerId: pod.containerId, cmd: ['sh', '-c', 'echo hello; exit 7'], ...output });
      const { stdout, status } = await stream(url);
      assert.equal(stdout, 'hello\n');
      assert.deepEqual([status.status, status.reason], ['Failure', 'NonZeroExitCode']);
      assert.deepEqual(status.details?.causes, [{ reason: 'ExitCode', message: '7' }]);
      await assert.rejects(stream(url), /unable to upgrade connection/);
    });

    it('tells the exit code of a command that leaves its input unread', async () => {
      await using pod = await makePod(staysUp);
      await runtime.startContainer(pod.containerId);
      const url = await runtime.exec({ containerId: pod.containerId, cmd: ['sh', '-c', 'exit 7'], stdin: true, ...output });
      const { status } = await stream(url, 'unread '.repeat(1000));
      assert.deepEqual(status.details?.causes, [{ reason: 'ExitCode', message: '7' }]);
    });

    it('attaches to a container until it ends', async () => {
      await using pod = await makePod({ ...staysUp, command: ['sh', '-c', 'sleep 1; echo ahoy; exit 4'] });
      await runtime.startContainer(pod.containerId);
      const { stdout, status } = await stream(await runtime.attach({ containerId: pod.containerId, ...output }));
      assert.deepEqual([stdout, status.status], ['ahoy\n', 'Success']);
    });

    it('changes limits of a running container', async () => {
      await using pod = await makePod(staysUp);
      await runtime.startContainer(pod.containerId);
      await runtime.updateContainerResources(pod.containerId, { memoryLimitInBytes: 96 * 2 ** 20 });
      const { resources } = await runtime.containerStatus(pod.containerId);
      assert.equal(resources?.linux?.memoryLimitInBytes, 96 * 2 ** 20);
      assert.equal(resources?.linux?.cpuShares, 100);
    });

    it('gives figures of what containers use', async () => {
      await using pod = await makePod(staysUp);
      await runtime.startContainer(pod.containerId);
      const stats = await runtime.containerStats(pod.containerId);
      assert.equal(stats.attributes.metadata.name, 'main');
      assert.ok((stats.memory?.workingSetBytes?.value ?? 0) > 0);
      assert.ok((stats.cpu?.usageCoreNanoSeconds?.value ?? -1) >= 0);
      const listed = await runtime.listContainerStats({ podSandboxId: pod.podSandboxId });
      assert.deepEqual(
        listed.map(({ attributes }) => attributes.id),
        [pod.containerId],
      );
      const podStats = await runtime.podSandboxStats(pod.podSandboxId);
      assert.equal(podStats.attributes.metadata.uid, pod.config.metadata.uid);
      assert.equal(podStats.linux?.containers.length, 1);
    });
  });
}

/** Collects events from now on; `until` gives the first one that fits. */
function watchEvents(runtime: ContainerRuntime, podUid?: string) {
  const ended = new AbortController();
  const seen: RuntimeEvent[] = [];
  let wake = (): void => {};
  const done = (async () => {
    for await (const event of runtime.events(ended.signal)) {
      if (podUid !== undefined && event.podUid !== podUid) continue;
      seen.push(event);
      wake();
    }
  })();
  return {
    async until(fits: (event: RuntimeEvent) => boolean): Promise<RuntimeEvent> {
      for (;;) {
        const event = seen.find(fits);
        if (event) return event;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async [Symbol.asyncDispose](): Promise<void> {
      ended.abort();
      await done;
    },
  };
}
