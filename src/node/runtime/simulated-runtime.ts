/**
 * A container runtime without containers, for simulated nodes: sandboxes get addresses, containers start, run, end and
 * fail as their pod's annotations say (simulation-script.ts), all on the injected clock.
 *
 * Guarantees: the same contract as containerd; a pod at rest costs two small objects and no timer; nothing touches
 * files or processes, nor the network before somebody execs or attaches. It remembers nothing over a restart of the
 * process. A command that is run in a container does what simulation-script.ts can tell of it, and `cat` gives back what
 * it gets; who attaches sees the log.
 * Deliberately without: port-forward (Unimplemented), checkpoints.
 */
import { pipeline } from 'node:stream/promises';
import type { Clock, Random } from '../../client/clock.ts';
import {
  type AttachRequest,
  type CallOptions,
  type ContainerRuntime,
  type CreateContainerRequest,
  type ExecRequest,
  type ExecSyncRequest,
  type PullOptions,
  RuntimeError,
  type RuntimeEvent,
  type Simulation,
  type Usage,
} from './container-runtime.ts';
import type * as cri from './cri-types.ts';
import { EventQueue } from './event-queue.ts';
import { PodAddresses } from './pod-addresses.ts';
import { SharedLoads } from './shared-loads.ts';
import { imageSizeBytes, SimulatedImages } from './simulated-images.ts';
import {
  candidates,
  describeContainer,
  describeSandbox,
  eventOf,
  hasLabels,
  loadKeyOf,
  noStringMap,
  type Sandbox,
  type SimulatedContainer,
  scriptOf,
  stateEvent,
} from './simulated-objects.ts';
import { SimulatedStreams } from './simulated-streams.ts';
import { answerProbe, planExec, type SimulatedExec } from './simulation-script.ts';
import { constant } from './usage-model.ts';

export interface SimulatedRuntimeOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Addresses for pods; can be set later by `updatePodCidr`, until then the network is not ready. */
  readonly podCidr?: string;
  /** what containers on several nodes share; default: those on this one */
  readonly loads?: SharedLoads | undefined;
  /** the version that the node reports */
  readonly version?: string;
}

const killedExitCode = 137;
/** Of the node beside its containers. */
const ownUse = { cpu: constant(0.02), memoryBytes: 200 * 2 ** 20 };

export class SimulatedRuntime implements ContainerRuntime {
  readonly simulation: Simulation;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #version: string;
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #containers = new Map<string, SimulatedContainer>();
  readonly #images = new SimulatedImages();
  readonly #queues = new Set<EventQueue>();
  readonly #streams: SimulatedStreams;
  readonly #loads: SharedLoads;
  readonly #startedMs: number;
  /** core-seconds */
  #usedByEnded = 0;
  #addresses: PodAddresses | undefined;

  constructor(options: SimulatedRuntimeOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#loads = options.loads ?? new SharedLoads();
    this.#startedMs = options.clock.now();
    this.#version = options.version ?? '1.0.0';
    this.#streams = new SimulatedStreams(options.clock, options.random);
    if (options.podCidr !== undefined) this.#addresses = new PodAddresses(options.podCidr);
    this.simulation = {
      probe: ({ containerId, type }) => {
        const { sandbox, config, startedAt } = this.#running(containerId);
        const sinceStartMs = (this.#nowNs() - startedAt) / 1e6;
        return answerProbe(sandbox.config.annotations ?? noStringMap, config.metadata.name, { type, sinceStartMs });
      },
      logs: (containerId, options) => this.#logs(this.#container(containerId), options),
      usage: () => this.#usage(),
    };
  }

  async version(): Promise<cri.VersionResponse> {
    return { version: '0.1.0', runtimeName: 'simulated', runtimeVersion: this.#version, runtimeApiVersion: 'v1' };
  }

  async status(): Promise<cri.RuntimeStatus> {
    const network = this.#addresses
      ? { type: 'NetworkReady', status: true, reason: '', message: '' }
      : { type: 'NetworkReady', status: false, reason: 'NetworkPluginNotReady', message: 'the node has no pod address range yet' };
    return { conditions: [{ type: 'RuntimeReady', status: true, reason: '', message: '' }, network], runtimeHandlers: [] };
  }

  async cgroupDriver(): Promise<'cgroupfs'> {
    return 'cgroupfs';
  }

  async updatePodCidr(podCidr: string): Promise<void> {
    if (this.#addresses?.cidr !== podCidr) this.#addresses = new PodAddresses(podCidr);
  }

  async runPodSandbox(config: cri.PodSandboxConfig, options: { readonly runtimeHandler?: string } = {}): Promise<string> {
    const hostNetwork = config.linux?.securityContext?.namespaceOptions?.network === 'NODE';
    if (!hostNetwork && !this.#addresses) throw new RuntimeError('Unavailable', 'the node has no pod address range yet');
    const ip = hostNetwork ? undefined : this.#addresses?.take();
    const id = this.#newId();
    const sandbox: Sandbox = {
      id,
      config,
      runtimeHandler: options.runtimeHandler ?? '',
      createdAt: this.#nowNs(),
      containers: new Set(),
      ready: true,
      ip,
    };
    this.#sandboxes.set(id, sandbox);
    this.#tell('started', sandbox, id);
    return id;
  }

  async stopPodSandbox(podSandboxId: string): Promise<void> {
    const sandbox = this.#sandboxes.get(podSandboxId);
    if (!sandbox?.ready) return;
    for (const container of sandbox.containers) this.#finish(container, killedExitCode, 'Error');
    sandbox.ready = false;
    if (sandbox.ip !== undefined) this.#addresses?.give(sandbox.ip);
    sandbox.ip = undefined;
    this.#tell('stopped', sandbox, sandbox.id);
  }

  async removePodSandbox(podSandboxId: string): Promise<void> {
    const sandbox = this.#sandboxes.get(podSandboxId);
    if (!sandbox) return;
    await this.stopPodSandbox(podSandboxId);
    for (const container of sandbox.containers) await this.removeContainer(container.id);
    this.#sandboxes.delete(podSandboxId);
    this.#tell('deleted', sandbox, sandbox.id);
  }

  async podSandboxStatus(podSandboxId: string): Promise<cri.PodSandboxStatus> {
    const sandbox = this.#sandbox(podSandboxId);
    const options = sandbox.config.linux?.securityContext?.namespaceOptions;
    return {
      ...describeSandbox(sandbox),
      ...(sandbox.ip !== undefined && { network: { ip: sandbox.ip, additionalIps: [] } }),
      linux: { namespaces: { ...(options && { options }) } },
    };
  }

  async listPodSandbox(filter: cri.PodSandboxFilter = {}): Promise<readonly cri.PodSandbox[]> {
    const state = filter.state?.state;
    return candidates(this.#sandboxes, filter.id)
      .filter(
        (sandbox) =>
          (state === undefined || (state === 'SANDBOX_READY') === sandbox.ready) && hasLabels(sandbox.config.labels, filter.labelSelector),
      )
      .map(describeSandbox);
  }

  async createContainer({ podSandboxId, config }: CreateContainerRequest): Promise<string> {
    const sandbox = this.#sandbox(podSandboxId);
    const image = this.#images.find(config.image.image);
    if (!image) throw new RuntimeError('NotFound', `failed to get image "${config.image.image}": not found`);
    const container: SimulatedContainer = {
      id: this.#newId(),
      sandbox,
      config,
      imageRef: image.id,
      createdAt: this.#nowNs(),
      state: 'CONTAINER_CREATED',
      startedAt: 0,
      finishedAt: 0,
      exitCode: 0,
      reason: '',
      used: 0,
    };
    sandbox.containers.add(container);
    this.#containers.set(container.id, container);
    this.#tell('created', sandbox, container.id);
    return container.id;
  }

  async startContainer(containerId: string): Promise<void> {
    const container = this.#container(containerId);
    if (container.state !== 'CONTAINER_CREATED')
      throw new RuntimeError('FailedPrecondition', `container "${containerId}" is in ${container.state} state`);
    const script = scriptOf(container);
    if (script.startDelayMs > 0) await this.#clock.sleep(script.startDelayMs);
    if (script.startError !== undefined) {
      this.#finish(container, 128, 'StartError');
      throw new RuntimeError('Unknown', script.startError);
    }
    // stopped or removed while it was starting
    if (container.state !== 'CONTAINER_CREATED') return;
    container.state = 'CONTAINER_RUNNING';
    container.startedAt = this.#nowNs();
    if (script.load) container.share = this.#loads.join(loadKeyOf(container, script.load.text), script.load.model, this.#clock.now());
    if (script.runForMs !== undefined)
      container.end = this.#clock.setTimeout(() => this.#finish(container, script.exitCode, script.exitReason), script.runForMs);
    this.#tell('started', container.sandbox, containerId);
  }

  async stopContainer(containerId: string, gracePeriodSeconds: number): Promise<void> {
    const container = this.#containers.get(containerId);
    if (!container || container.state === 'CONTAINER_EXITED') return;
    const { stopAfterMs } = scriptOf(container);
    const graceMs = gracePeriodSeconds * 1000;
    const waitMs = Math.min(stopAfterMs, graceMs);
    if (waitMs > 0) await this.#clock.sleep(waitMs);
    const killed = gracePeriodSeconds === 0 || stopAfterMs > graceMs;
    this.#finish(container, killed ? killedExitCode : 0, killed ? 'Error' : 'Completed');
  }

  async removeContainer(containerId: string): Promise<void> {
    const container = this.#containers.get(containerId);
    if (!container) return;
    this.#finish(container, killedExitCode, 'Error');
    this.#containers.delete(containerId);
    container.sandbox.containers.delete(container);
    this.#tell('deleted', container.sandbox, containerId);
  }

  async listContainers(filter: cri.ContainerFilter = {}): Promise<readonly cri.Container[]> {
    const state = filter.state?.state;
    return candidates(this.#containers, filter.id)
      .filter(
        (container) =>
          (state === undefined || container.state === state) &&
          (filter.podSandboxId === undefined || container.sandbox.id === filter.podSandboxId) &&
          hasLabels(container.config.labels, filter.labelSelector),
      )
      .map(describeContainer);
  }

  async containerStatus(containerId: string): Promise<cri.ContainerStatus> {
    const container = this.#container(containerId);
    const { podSandboxId: _, ...described } = describeContainer(container);
    const { sandbox, config } = container;
    const resources = container.resources ?? config.linux?.resources;
    return {
      ...described,
      startedAt: container.startedAt,
      finishedAt: container.finishedAt,
      exitCode: container.exitCode,
      reason: container.reason,
      message: '',
      mounts: config.mounts ?? [],
      logPath: !config.logPath ? '' : `${sandbox.config.logDirectory ?? ''}/${config.logPath}`,
      ...(resources && { resources: { linux: resources } }),
    };
  }

  async updateContainerResources(containerId: string, resources: cri.LinuxContainerResources): Promise<void> {
    const container = this.#container(containerId);
    container.resources = { ...container.config.linux?.resources, ...container.resources, ...resources };
  }

  async reopenContainerLog(containerId: string): Promise<void> {
    this.#running(containerId);
  }

  async execSync({ containerId, cmd, timeoutSeconds }: ExecSyncRequest, options: CallOptions = {}): Promise<cri.ExecSyncResponse> {
    const container = this.#running(containerId);
    const { isKnown, runForMs, stdout, stderr, exitCode } = this.#planExec(container, cmd);
    const limitMs = Math.min(
      timeoutSeconds > 0 ? timeoutSeconds * 1000 : Number.POSITIVE_INFINITY,
      options.timeoutMs ?? Number.POSITIVE_INFINITY,
    );
    const isOver = await this.#runs(container, Math.min(runForMs, limitMs), options.signal);
    if (isOver && runForMs > limitMs) throw new RuntimeError('DeadlineExceeded', `command ${JSON.stringify(cmd)} timed out`);
    const endedBy = isKnown ? exitCode : 0; // a hook that nobody can tell of does not end its container
    return { exitCode: isOver ? endedBy : killedExitCode, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) };
  }

  async exec({ containerId, cmd, ...streams }: ExecRequest): Promise<string> {
    const container = this.#running(containerId);
    const { isCat, runForMs, exitCode, ...output } = this.#planExec(container, cmd);
    return this.#streams.promise(streams, async ({ stdin, stdout, stderr, signal }) => {
      if (isCat && stdin && stdout) await pipeline(stdin, stdout, { end: false, signal });
      const forTerminal = (text: string): string => (streams.tty ? text.replaceAll('\n', '\r\n') : text);
      stdout?.write(forTerminal(output.stdout));
      (stderr ?? stdout)?.write(forTerminal(output.stderr));
      return (await this.#runs(container, runForMs, signal)) ? exitCode : killedExitCode;
    });
  }

  async attach({ containerId, ...streams }: AttachRequest): Promise<string> {
    const container = this.#running(containerId);
    return this.#streams.promise(streams, async ({ stdout, signal }) => {
      for await (const line of this.#logs(container, { follow: true, signal }))
        stdout?.write(line.toString().replace(/^\S+ \S+ \S+ /gm, ''));
      return 0;
    });
  }

  async portForward(): Promise<string> {
    const why = 'this pod is simulated: no program runs in it, so nothing answers on its ports';
    throw new RuntimeError('Unimplemented', `${why}; a real node runs programs: timonier up --nodes 1`);
  }

  async containerStats(containerId: string): Promise<cri.ContainerStats> {
    return this.#stats(this.#container(containerId));
  }

  async listContainerStats(filter: cri.ContainerStatsFilter = {}): Promise<readonly cri.ContainerStats[]> {
    const { id, podSandboxId, labelSelector } = filter;
    const containers = candidates(this.#containers, id).filter(
      (container) =>
        container.state === 'CONTAINER_RUNNING' &&
        (podSandboxId === undefined || container.sandbox.id === podSandboxId) &&
        hasLabels(container.config.labels, labelSelector),
    );
    return containers.map((container) => this.#stats(container));
  }

  async podSandboxStats(podSandboxId: string): Promise<cri.PodSandboxStats> {
    const sandbox = this.#sandbox(podSandboxId);
    const { id, metadata, labels, annotations } = describeSandbox(sandbox);
    const timestamp = this.#nowNs();
    const containers = await this.listContainerStats({ podSandboxId });
    const sum = (of: (stats: cri.ContainerStats) => number | undefined): cri.Wrapped => ({
      value: containers.reduce((total, stats) => total + (of(stats) ?? 0), 0),
    });
    return {
      attributes: { id, metadata, labels, annotations },
      linux: {
        cpu: {
          timestamp,
          usageCoreNanoSeconds: sum(({ cpu }) => cpu?.usageCoreNanoSeconds?.value),
          usageNanoCores: sum(({ cpu }) => cpu?.usageNanoCores?.value),
        },
        memory: {
          timestamp,
          workingSetBytes: sum(({ memory }) => memory?.workingSetBytes?.value),
          usageBytes: sum(({ memory }) => memory?.usageBytes?.value),
        },
        process: { timestamp, processCount: { value: containers.length } },
        containers,
      },
    };
  }

  async listImages(): Promise<readonly cri.Image[]> {
    return this.#images.list();
  }
  async imageStatus(image: string): Promise<cri.Image | undefined> {
    return this.#images.find(image);
  }
  async pullImage({ image }: cri.ImageSpec, _options?: PullOptions): Promise<string> {
    return this.#images.pull(image).id;
  }
  async removeImage(image: string): Promise<void> {
    this.#images.remove(image);
  }
  async imageFsInfo(): Promise<readonly cri.FilesystemUsage[]> {
    const { length } = this.#images.list();
    return [
      { timestamp: this.#nowNs(), fsId: { mountpoint: '/' }, usedBytes: { value: length * imageSizeBytes }, inodesUsed: { value: length } },
    ];
  }

  async *events(signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
    const queue = new EventQueue();
    this.#queues.add(queue);
    for (const sandbox of this.#sandboxes.values()) queue.push(eventOf(sandbox.ready ? 'started' : 'stopped', sandbox, sandbox.id));
    for (const { state, sandbox, id } of this.#containers.values()) queue.push(eventOf(stateEvent[state], sandbox, id));
    try {
      yield* queue.read(signal);
    } finally {
      this.#queues.delete(queue);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#streams[Symbol.asyncDispose]();
    for (const container of this.#containers.values()) {
      container.end?.cancel();
      container.share?.leave(this.#clock.now());
    }
    this.#containers.clear();
    this.#sandboxes.clear();
  }

  #finish(container: SimulatedContainer, exitCode: number, reason: string): void {
    container.end?.cancel();
    delete container.end;
    if (container.state === 'CONTAINER_EXITED') return;
    container.used = this.#use(container, this.#clock.now()).cpuCoreSeconds;
    this.#usedByEnded += container.used;
    container.share?.leave(this.#clock.now());
    delete container.share;
    container.state = 'CONTAINER_EXITED';
    container.finishedAt = this.#nowNs();
    container.exitCode = exitCode;
    container.reason = reason;
    this.#tell('stopped', container.sandbox, container.id);
  }

  #stats(container: SimulatedContainer): cri.ContainerStats {
    const { id, metadata, labels, annotations } = describeContainer(container);
    const { atMs, cpuCores, cpuCoreSeconds, memoryBytes } = this.#use(container, this.#clock.now());
    const timestamp = atMs * 1e6;
    return {
      attributes: { id, metadata, labels, annotations },
      cpu: {
        timestamp,
        usageCoreNanoSeconds: { value: Math.round(cpuCoreSeconds * 1e9) },
        usageNanoCores: { value: Math.round(cpuCores * 1e9) },
      },
      memory: { timestamp, workingSetBytes: { value: memoryBytes }, usageBytes: { value: memoryBytes } },
    };
  }

  #use(container: SimulatedContainer, atMs: number): Usage {
    const { state, share, startedAt, used } = container;
    if (state !== 'CONTAINER_RUNNING') return { atMs, cpuCores: 0, cpuCoreSeconds: used, memoryBytes: 0 };
    const sinceMs = atMs - startedAt / 1e6;
    const { cpu, memory } = scriptOf(container);
    return {
      atMs,
      cpuCores: share ? share.amount(atMs) : cpu.at(sinceMs),
      cpuCoreSeconds: share ? share.used(atMs) : cpu.upTo(sinceMs),
      memoryBytes: Math.round(memory.at(sinceMs)),
    };
  }

  /** Of all that have run here, and a little of its own. */
  #usage(): Usage {
    const atMs = this.#clock.now();
    const uses = [...this.#containers.values()].filter(({ state }) => state === 'CONTAINER_RUNNING').map((each) => this.#use(each, atMs));
    const sum = (of: (use: Usage) => number): number => uses.reduce((total, use) => total + of(use), 0);
    const sinceMs = atMs - this.#startedMs;
    return {
      atMs,
      cpuCores: ownUse.cpu.at(sinceMs) + sum(({ cpuCores }) => cpuCores),
      cpuCoreSeconds: ownUse.cpu.upTo(sinceMs) + this.#usedByEnded + sum(({ cpuCoreSeconds }) => cpuCoreSeconds),
      memoryBytes: ownUse.memoryBytes + sum(({ memoryBytes }) => memoryBytes),
    };
  }

  async *#logs(
    container: SimulatedContainer,
    options: { readonly follow: boolean; readonly signal?: AbortSignal },
  ): AsyncGenerator<Buffer> {
    const text = scriptOf(container).log ?? `container ${container.config.metadata.name} started`;
    const time = new Date(container.startedAt / 1e6).toISOString().replace('Z', '000000Z');
    if (container.startedAt > 0)
      yield Buffer.from(
        text
          .replace(/\n$/, '')
          .split('\n')
          .map((line) => `${time} stdout F ${line}\n`)
          .join(''),
      );
    if (!options.follow || container.state === 'CONTAINER_EXITED') return;
    await this.#untilEnded(container, options.signal);
  }

  #planExec({ sandbox, config }: SimulatedContainer, cmd: readonly string[]): SimulatedExec {
    return planExec(sandbox.config.annotations ?? noStringMap, config.metadata.name, cmd);
  }

  /** Resolves true after that time, false when the container ends or the signal is aborted before. */
  async #runs(container: SimulatedContainer, forMs: number, signal?: AbortSignal): Promise<boolean> {
    if (forMs === 0) return true;
    const over = new AbortController();
    using _timer = Number.isFinite(forMs) ? this.#clock.setTimeout(() => over.abort(), forMs) : undefined;
    await this.#untilEnded(container, signal ? AbortSignal.any([signal, over.signal]) : over.signal);
    return over.signal.aborted;
  }

  async #untilEnded(container: SimulatedContainer, signal = new AbortController().signal): Promise<void> {
    for await (const event of this.events(signal)) if (event.containerId === container.id && event.type === 'stopped') return;
  }

  #tell(type: RuntimeEvent['type'], sandbox: Sandbox, containerId: string): void {
    if (this.#queues.size === 0) return;
    const event = eventOf(type, sandbox, containerId);
    for (const queue of this.#queues) queue.push(event);
  }

  #sandbox(id: string): Sandbox {
    const sandbox = this.#sandboxes.get(id);
    if (!sandbox) throw new RuntimeError('NotFound', `an error occurred when try to find sandbox: not found: ${id}`);
    return sandbox;
  }
  #container(id: string): SimulatedContainer {
    const container = this.#containers.get(id);
    if (!container) throw new RuntimeError('NotFound', `an error occurred when try to find container "${id}": not found`);
    return container;
  }
  #running(id: string): SimulatedContainer {
    const container = this.#container(id);
    if (container.state !== 'CONTAINER_RUNNING') throw new RuntimeError('FailedPrecondition', `container is in ${container.state} state`);
    return container;
  }
  #nowNs(): number {
    return this.#clock.now() * 1e6;
  }
  #newId(): string {
    return (this.#random.uuid() + this.#random.uuid()).replaceAll('-', '');
  }
}
