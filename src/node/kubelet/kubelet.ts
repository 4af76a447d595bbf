/**
 * The kubelet: runs the pods that are bound to its node, and tells how they and the node are.
 *
 * Guarantees: nothing polls pods: the API, the runtime, probes and timers wake the worker of the pod concerned; a
 * kubelet that stops leaves its pods running, and the next one finds them and goes on; pods that the API does not know
 * are ended.
 * Deliberately without: static pods, device plugins, dynamic resources, CSI.
 * Upstream: pkg/kubelet/kubelet.go.
 */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Node, Pod, Service } from '../../api/generated/core-v1.ts';
import { Node as NodeKind, Pod as PodKind, Service as ServiceKind } from '../../api/generated/kinds.ts';
import { equalJson } from '../../api/meta/deep-equal.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { quantityValue } from '../../api/meta/quantity.ts';
import { isTerminalPhase } from '../../api/predicates/pod-state.ts';
import type { Timer } from '../../client/clock.ts';
import { detach } from '../../client/detached.ts';
import { createInformer, type RunningInformer } from '../../client/informers/informer-cache.ts';
import { FileGate } from '../files/file-gate.ts';
import { removeTree } from '../files/remove-tree.ts';
import type * as cri from '../runtime/cri-types.ts';
import type { CgroupDriver } from './container/container-resources.ts';
import { ImagePuller } from './images/image-puller.ts';
import type { KubeletOptions } from './kubelet-options.ts';
import { describeSettings, type KubeletSettings } from './kubelet-settings.ts';
import { Housekeeping } from './node/housekeeping.ts';
import { detectMachineFacts, type MachineFacts, simulatedMachine } from './node/machine-facts.ts';
import { NodeAgent } from './node/node-agent.ts';
import { type NodeInput, networkProblem, nodeAllocatable, readiness } from './node/node-object.ts';
import { parseResolvConf } from './pod/dns-config.ts';
import { judgeAdmission, judgeResources, type PodRejection } from './pod/pod-admission.ts';
import { detectCgroupHierarchies, PodCgroups } from './pod/pod-cgroups.ts';
import type { PodContext } from './pod/pod-context.ts';
import { PodWorker } from './pod/pod-worker.ts';
import { ReferencedObjects } from './pod/referenced-objects.ts';
import { podUIDOf, restorePod } from './pod/restore-pod.ts';
import { podUIDOfLogs } from './pod/sandbox-config.ts';
import { type ProbeAnswers, ProbeManager } from './probes/probe-manager.ts';
import type { KubeletServer } from './server/kubelet-server.ts';
import type { Terminations } from './status/container-terminations.ts';
import { StatusManager } from './status/status-manager.ts';
import { TimerWheel } from './timer-wheel.ts';
import { realMounter } from './volumes/mounter.ts';
import { TokenManager } from './volumes/service-account-token.ts';
import { VolumeManager } from './volumes/volume-manager.ts';

const podsMaxDefault = 110;
const resolvConfDefault = '/etc/resolv.conf';
const kubeletPort = 10250;
const leftoverRetryMs = { first: 1_000, max: 300_000 } as const;
/** while it is not ready */
/** A runtime that says nothing for so long is down. Upstream: kubelet.go, baseRuntimeSyncThreshold. */
const runtimeDownMs = 30_000;
const lookAtRuntimeMs = { first: 100, max: 5_000 } as const;

export interface Kubelet extends AsyncDisposable {
  readonly nodeName: string;
  /** of its HTTPS API; 0 without one */
  readonly port: number;
  /** Pods of this node, with the status that was computed last. */
  pods(): readonly Pod[];
  /** how many containers ended, and how */
  terminations(): readonly Terminations[];
  /** how the probes of what runs were answered */
  probeAnswers(): readonly ProbeAnswers[];
  /** of a pod's volumes that have one on the node, by name */
  volumeDirectories(podUID: string): ReadonlyMap<string, string>;
  settings(): KubeletSettings;
  /** Resolves when all statuses have been written. */
  settled(): Promise<void>;
  /** Somebody who watches for several kubelets has seen this one's node; the others watch it themselves. */
  observeNode(node: Node): void;
}

/** Resolves when the node is registered and its pods are known. */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const parts = await assemble(options);
  const kubelet = new RunningKubelet(options, parts);
  try {
    await kubelet.start();
    return kubelet;
  } catch (error) {
    await kubelet[Symbol.asyncDispose]();
    throw error;
  }
}

/** What is found out once, before anything runs. */
interface Facts {
  readonly machine: MachineFacts;
  readonly runtimeName: string;
  readonly runtimeVersion: string;
  readonly resolvConf: ReturnType<typeof parseResolvConf>;
  readonly cgroupDriver: CgroupDriver;
  readonly cgroups: PodCgroups;
}

async function assemble(options: KubeletOptions): Promise<Facts> {
  const { runtime, dataDir, resolvConfPath = resolvConfDefault, nodeName, capacity, cgroupRoot = [] } = options;
  const simulated = runtime.simulation !== undefined;
  if (!simulated) await mkdir(dataDir, { recursive: true, mode: 0o750 });
  const [version, driver, resolvConf, hierarchies, machine] = await Promise.all([
    runtime.version(),
    runtime.cgroupDriver(),
    simulated ? '' : readFile(resolvConfPath, 'utf8').catch(() => ''),
    simulated ? [] : detectCgroupHierarchies(),
    simulated ? simulatedMachine(nodeName, capacity) : detectMachineFacts(dataDir),
  ]);
  return {
    machine: { ...machine, capacity: { ...machine.capacity, ...capacity } },
    runtimeName: version.runtimeName,
    runtimeVersion: `${version.runtimeName}://${version.runtimeVersion}`,
    resolvConf: parseResolvConf(resolvConf),
    cgroupDriver: driver,
    cgroups: new PodCgroups({ driver, root: cgroupRoot, hierarchies }),
  };
}

class RunningKubelet implements Kubelet {
  readonly nodeName: string;
  readonly #options: KubeletOptions;
  readonly #facts: Facts;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #wheel: TimerWheel;
  readonly #agent: NodeAgent;
  readonly #context: PodContext;
  readonly #workers = new Map<string, PodWorker>();
  readonly #objects: ReferencedObjects;
  readonly #volumes: VolumeManager;
  readonly #gate: FileGate;
  readonly #informers: RunningInformer<never>[] = [];
  readonly #tasks: Promise<void>[] = [];
  readonly #disposed = Promise.withResolvers<void>();
  #pods: RunningInformer<Pod> | undefined;
  #services: RunningInformer<Service> | undefined;
  #runtimeStatus: cri.RuntimeStatus | undefined;
  #runtimeImages: readonly cri.Image[] = [];
  #lookTimer: Timer | undefined;
  #lookAgainMs: number = lookAtRuntimeMs.first;
  #server: KubeletServer | undefined;
  #housekeeping: Housekeeping | undefined;
  #port = 0;
  #disposing = false;

  constructor(options: KubeletOptions, facts: Facts) {
    const { clock, random, log, events, client, runtime, simulated = false } = options;
    this.#options = options;
    this.#facts = facts;
    this.nodeName = options.nodeName;
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
    this.#wheel = options.wheel ?? new TimerWheel(clock);
    this.#agent = new NodeAgent({
      client,
      clock,
      random,
      wheel: this.#wheel,
      events,
      log,
      signal: this.#signal,
      name: options.nodeName,
      input: () => this.#nodeInput(),
      looks: !simulated,
    });
    const mounter = options.mounter ?? (runtime.simulation ? undefined : realMounter);
    this.#gate = new FileGate({ clock, signal: this.#signal });
    this.#objects = options.objects ?? new ReferencedObjects(client, { clock, random, log });
    this.#volumes = new VolumeManager({
      host: {
        client,
        clock,
        gate: this.#gate,
        objects: this.#objects,
        tokens: simulated ? undefined : new TokenManager({ client, clock, random }),
        mounter,
        hostIPs: () => options.nodeIPs,
        allocatable: () => this.#allocatable(),
      },
      wheel: this.#wheel,
      events,
      log,
      podsRoot: join(options.dataDir, 'pods'),
      contentOnly: simulated,
    });
    this.#context = this.#makeContext(mounter);
  }

  get port(): number {
    return this.#port;
  }

  pods(): readonly Pod[] {
    const { statuses } = this.#context;
    return (this.#pods?.list() ?? []).map((pod) => ({ ...pod, status: statuses.get(pod.metadata.uid) ?? pod.status }));
  }

  terminations(): readonly Terminations[] {
    return this.#context.statuses.terminations.all();
  }

  probeAnswers(): readonly ProbeAnswers[] {
    return this.#context.probes.answers();
  }

  volumeDirectories(podUID: string): ReadonlyMap<string, string> {
    return this.#options.runtime.simulation ? new Map() : this.#volumes.directories(podUID);
  }

  settings(): KubeletSettings {
    const { podsMax = podsMaxDefault, resolvConfPath = resolvConfDefault } = this.#options;
    return describeSettings({ ...this.#options, podsMax, resolvConfPath, cgroupDriver: this.#facts.cgroupDriver });
  }

  async settled(): Promise<void> {
    await this.#context.statuses.settled();
  }

  observeNode(node: Node): void {
    this.#agent.observe(node);
  }

  async start(): Promise<void> {
    const { runtime, podCIDR, events, simulated, signal } = this.#options;
    signal.addEventListener('abort', () => this.#detach(() => this[Symbol.asyncDispose]()), { once: true });
    await this.#serve();
    if (podCIDR !== undefined) await runtime.updatePodCidr(podCIDR);
    await this.#lookAtRuntime();
    events.event(this.#nodeReference(), 'Normal', 'Starting', 'Starting kubelet.');
    await this.#agent.start();
    if (!simulated || podCIDR === undefined) this.#watchNode();
    this.#tasks.push(this.#followRuntime());
    await this.#watchPods();
    if (!runtime.simulation) this.#keepHouse();
  }

  #detach(work: () => Promise<void>): void {
    detach(work, (error) => this.#options.log.error({ error }, 'a part of the kubelet failed'));
  }

  #keepHouse(): void {
    const { runtime, clock, events, log, dataDir } = this.#options;
    this.#housekeeping = new Housekeeping({
      runtime,
      clock,
      wheel: this.#wheel,
      events,
      log,
      logsRoot: join(dataDir, 'logs'),
      dataDir,
      gate: this.#gate,
      pods: () => this.pods().filter((p) => this.#workers.get(p.metadata.uid)?.state === 'syncing'),
      podDirectory: (uid) => this.#volumes.podDirectory(uid),
      evict: (pod, eviction) => this.#workers.get(pod.metadata.uid)?.evict(eviction),
      onPressure: () => this.#agent.reportSoon(),
    });
  }

  async #serve(): Promise<void> {
    const { serving, client, runtime, clock, log, dataDir } = this.#options;
    if (!serving) return;
    const { KubeletServer } = await import('./server/kubelet-server.ts');
    const { nodeName } = this;
    const { version } = this.#options;
    this.#server = new KubeletServer({ serving, client, runtime, clock, log, nodeName, version, dataDir, gate: this.#gate, kubelet: this });
    this.#port = await this.#server.listen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposing) return await this.#disposed.promise;
    this.#disposing = true;
    this.#stop.abort();
    this.#lookTimer?.cancel();
    await this.#server?.[Symbol.asyncDispose]();
    await this.#housekeeping?.[Symbol.asyncDispose]();
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
    await this.#agent[Symbol.asyncDispose]();
    this.#context.probes[Symbol.dispose]();
    this.#context.statuses[Symbol.dispose]();
    await Promise.all([this.#pods, this.#services, ...this.#informers].map((informer) => informer?.[Symbol.asyncDispose]()));
    await this.#volumes[Symbol.asyncDispose]();
    if (!this.#options.objects) await this.#objects[Symbol.asyncDispose]();
    await Promise.allSettled(this.#tasks);
    if (!this.#options.wheel) this.#wheel[Symbol.dispose]();
    this.#disposed.resolve();
  }

  #makeContext(mounter: PodContext['mounter']): PodContext {
    const { client, runtime, clock, random, events, log, simulated = false, dataDir } = this.#options;
    const probeEnvironment = { runtime, clock, random, wheel: this.#wheel, events, log, startedAtMs: clock.now() };
    return {
      client,
      runtime,
      runtimeName: this.#facts.runtimeName,
      runtimeVersion: this.#facts.runtimeVersion,
      clock,
      random,
      events,
      log,
      node: {
        name: this.nodeName,
        hostIPs: this.#options.nodeIPs,
        clusterDNS: this.#options.clusterDNS,
        clusterDomain: this.#options.clusterDomain,
        resolvConf: this.#facts.resolvConf,
        memoryCapacityBytes: quantityValue(this.#facts.machine.capacity['memory'] ?? '0'),
        allocatable: () => this.#allocatable(),
        networkProblem: () => (this.#runtimeStatus ? networkProblem(this.#runtimeStatus) : 'container runtime is down'),
        logsRoot: join(dataDir, 'logs'),
        seccompRoot: join(dataDir, 'seccomp'),
      },
      images: new ImagePuller({ runtime, clock, events }),
      probes: new ProbeManager(probeEnvironment, (uid) => this.#workers.get(uid)?.probed()),
      statuses: new StatusManager({
        client,
        clock,
        log,
        signal: this.#signal,
        currentPod: (uid) => this.#podByUID(uid),
        mayHaveRunningContainers: (uid) => this.#workers.get(uid)?.mayHaveRunningContainers ?? false,
      }),
      objects: this.#objects,
      volumes: this.#volumes,
      cgroups: this.#facts.cgroups,
      gate: this.#gate,
      mounter,
      services: () => this.#listServices(),
      judgeResize: (pod) => this.#judgeResize(pod),
      networkReady: this.#options.networkReady,
      simulated,
    };
  }

  // --- the node

  async #nodeInput(): Promise<NodeInput> {
    const { simulated, runtime, labels = {}, taints = [], podsMax = podsMaxDefault, version, nodeIPs } = this.#options;
    if (!simulated) await this.#lookAtRuntime();
    // One that is down is not asked for more.
    if (!simulated && this.#runtimeStatus)
      this.#runtimeImages = await runtime.listImages({ timeoutMs: runtimeDownMs }).catch(() => this.#runtimeImages);
    return {
      name: this.nodeName,
      hostIPs: nodeIPs,
      machine: this.#facts.machine,
      labels,
      taints,
      podsMax,
      port: this.#port || kubeletPort,
      version,
      runtimeVersion: this.#facts.runtimeVersion,
      runtime: this.#runtimeStatus,
      images: this.#runtimeImages,
      pressure: { memory: false, disk: false, ...this.#housekeeping?.pressure, pid: false },
    };
  }

  #allocatable(): Readonly<Record<string, string>> {
    const told = this.#agent.node?.status.allocatable;
    if (told) return told;
    const { podsMax = podsMaxDefault } = this.#options;
    return nodeAllocatable({ machine: this.#facts.machine, podsMax } as NodeInput);
  }

  #nodeReference(): KubeObject {
    return { apiVersion: 'v1', kind: 'Node', metadata: { name: this.nodeName, uid: this.nodeName } };
  }

  /** Is the runtime ready, and its network? Asked again soon while they are not. */
  async #lookAtRuntime(): Promise<void> {
    if (this.#signal.aborted) return;
    const before = this.#runtimeStatus;
    this.#runtimeStatus = await this.#options.runtime.status({ timeoutMs: runtimeDownMs }).catch(() => undefined);
    const ready = this.#runtimeStatus !== undefined && readiness({ runtime: this.#runtimeStatus }) === undefined;
    if (!ready && !this.#lookTimer) {
      this.#lookTimer = this.#wheel.setTimeout(() => {
        this.#lookTimer = undefined;
        this.#detach(() => this.#lookAtRuntime());
      }, this.#lookAgainMs);
    }
    this.#lookAgainMs = ready ? lookAtRuntimeMs.first : Math.min(this.#lookAgainMs * 2, lookAtRuntimeMs.max);
    const wasReady = before !== undefined && readiness({ runtime: before }) === undefined;
    if (ready === wasReady || !this.#agent.node) return;
    this.#agent.reportSoon();
    if (ready) for (const worker of this.#workers.values()) worker.wake();
  }

  #watchNode(): void {
    const { client, clock, random, log, podCIDR, runtime } = this.#options;
    const informer = createInformer(client, NodeKind, { fieldSelector: `metadata.name=${this.nodeName}` }, { clock, random, log });
    this.#informers.push(informer as RunningInformer<never>);
    const told = (node: Node): void => {
      this.#agent.observe(node);
      const cidr = node.spec.podCIDR;
      if (podCIDR !== undefined || !cidr) return;
      detach(
        () => runtime.updatePodCidr(cidr).then(() => this.#lookAtRuntime()),
        (error) => log.warn({ error, podCIDR: cidr }, 'the runtime did not take the pod address range'),
      );
    };
    informer.on({ added: told, updated: told });
  }

  // --- pods

  async #watchPods(): Promise<void> {
    const { client, clock, random, log } = this.#options;
    const pods = createInformer(client, PodKind, { fieldSelector: `spec.nodeName=${this.nodeName}` }, { clock, random, log });
    this.#pods = pods;
    pods.on({
      added: (pod) => this.#added(pod),
      updated: (pod, old) => this.#updated(pod, old),
      deleted: (pod) => this.#workers.get(pod.metadata.uid)?.remove(),
    });
    await pods.synced;
    await this.#endOrphans();
  }

  #podByUID(uid: string): Pod | undefined {
    const worker = this.#workers.get(uid);
    if (!worker) return undefined;
    const { namespace, name } = worker.pod.metadata;
    const pod = this.#pods?.get(`${namespace}/${name}`);
    return pod?.metadata.uid === uid ? pod : undefined;
  }

  #added(pod: Pod): void {
    if (this.#disposing) return;
    const rejection = this.#judge(pod);
    // The pod may know more of the node's labels than this kubelet.
    if (rejection?.reason === 'NodeAffinity') this.#detach(() => this.#addAfresh(pod));
    else this.#add(pod, rejection);
  }

  async #addAfresh({ metadata: { uid, name, namespace } }: Pod): Promise<void> {
    const { client, log } = this.#options;
    try {
      this.#agent.observe(await client.get(NodeKind, { name: this.nodeName }));
    } catch (error) {
      log.warn({ error }, 'the node could not be read');
    }
    const pod = this.#pods?.get(`${namespace}/${name}`);
    if (!this.#disposing && pod?.metadata.uid === uid) this.#add(pod, this.#judge(pod));
  }

  #removed(uid: string): void {
    this.#workers.delete(uid);
    this.#options.networkReleased?.(uid);
  }

  #add(pod: Pod, rejection: PodRejection | undefined): void {
    const { uid } = pod.metadata;
    const worker = new PodWorker(this.#context, pod, () => {
      this.#removed(uid);
      this.#freed();
    });
    this.#workers.set(uid, worker);
    if (rejection) worker.reject(rejection);
    else worker.wake();
  }

  /** Pods that have begun were admitted before. */
  #judge(pod: Pod): PodRejection | undefined {
    const node = this.#agent.node;
    const begun = pod.status.startTime !== undefined || pod.metadata.deletionTimestamp !== undefined || isTerminalPhase(pod.status.phase);
    if (!node || begun) return undefined;
    return judgeAdmission({ pod, node, allocatable: this.#allocatable(), others: this.#others(pod) });
  }

  #others(pod: Pod): readonly Pod[] {
    const alive = [...this.#workers.values()].filter((w) => w.state === 'syncing' || w.state === 'terminating');
    return alive.filter((w) => w.pod.metadata.uid !== pod.metadata.uid).map((w) => w.allocatedPod);
  }

  #judgeResize(pod: Pod): ReturnType<PodContext['judgeResize']> {
    const allocatable = this.#allocatable();
    const alone = judgeResources({ pod, allocatable, others: [] });
    if (alone)
      return { ...alone, message: alone.message.replace('enough resource', 'enough capacity').replace(', used: 0', ''), ever: false };
    const now = judgeResources({ pod, allocatable, others: this.#others(pod) });
    return now && { ...now, ever: true };
  }

  /** A pod has ended, or become smaller: others may have waited for that. */
  #freed(): void {
    for (const worker of this.#workers.values()) if (worker.waitsForResources) worker.wake();
  }

  #updated(pod: Pod, old: Pod): void {
    const worker = this.#workers.get(pod.metadata.uid);
    if (!worker) return;
    this.#context.statuses.reconcile(pod);
    if (concernsWorker(pod, old)) worker.update(pod);
    else worker.note(pod);
  }

  async #listServices(): Promise<readonly Service[]> {
    const { client, clock, random, log } = this.#options;
    this.#services ??= createInformer(client, ServiceKind, {}, { clock, random, log });
    await this.#services.synced;
    return this.#services.list();
  }

  /** What the runtime or the disk still has of pods that the API does not know. */
  async #endOrphans(): Promise<void> {
    const { runtime } = this.#options;
    const [sandboxes, containers] = await Promise.all([runtime.listPodSandbox(), runtime.listContainers()]);
    for (const sandbox of sandboxes) {
      const uid = podUIDOf(sandbox);
      if (uid === undefined || this.#workers.has(uid)) continue;
      const own = containers.filter((c) => podUIDOf(c) === uid);
      const worker = new PodWorker(this.#context, restorePod(sandbox, own), () => this.#removed(uid));
      this.#workers.set(uid, worker);
      worker.remove();
    }
    const logs = Map.groupBy(await this.#logDirectories(), podUIDOfLogs);
    for (const uid of new Set([...(await this.#volumes.podsOnDisk()), ...logs.keys()]))
      if (!this.#workers.has(uid)) this.#tasks.push(this.#removeLeftover(uid, logs.get(uid) ?? []));
  }

  async #logDirectories(): Promise<readonly string[]> {
    if (this.#options.runtime.simulation) return [];
    return await readdir(this.#context.node.logsRoot).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
  }

  /** Nobody waits for it: there may be much to remove, or something that can't be. */
  async #removeLeftover(uid: string, logs: readonly string[]): Promise<void> {
    const { clock, log } = this.#options;
    for (let delayMs: number = leftoverRetryMs.first; !this.#signal.aborted; delayMs = Math.min(delayMs * 2, leftoverRetryMs.max)) {
      try {
        await this.#volumes.tearDown(uid);
        for (const name of logs) await removeTree(join(this.#context.node.logsRoot, name), this.#context.gate);
        return;
      } catch (error) {
        if (!this.#signal.aborted) log.warn({ error, uid }, 'the files of a pod that is gone are not removed');
      }
      await clock.sleep(delayMs, this.#signal).catch(() => undefined);
    }
  }

  async #followRuntime(): Promise<void> {
    const { runtime, log } = this.#options;
    try {
      for await (const event of runtime.events(this.#signal)) this.#workers.get(event.podUid)?.observeAgain();
    } catch (error) {
      if (!this.#signal.aborted) log.error({ error }, 'the runtime tells no events any more');
    }
  }
}

/** A change of its own status is no news for the worker, unless others' conditions changed. */
function concernsWorker(pod: Pod, old: Pod): boolean {
  return (
    pod.metadata.generation !== old.metadata.generation ||
    !equalJson(pod.spec, old.spec) ||
    pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
    pod.metadata.deletionGracePeriodSeconds !== old.metadata.deletionGracePeriodSeconds ||
    !equalJson(pod.metadata.labels, old.metadata.labels) ||
    !equalJson(pod.metadata.annotations, old.metadata.annotations) ||
    isTerminalPhase(pod.status.phase) !== isTerminalPhase(old.status.phase) ||
    (pod.spec.readinessGates?.length ?? 0) > 0
  );
}
