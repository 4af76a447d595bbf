/**
 * What the kubelet asks of a container runtime: the CRI's RuntimeService and ImageService, without the wrapping of its
 * messages. Two implementations behave alike (test/contract/container-runtime.test.ts): containerd over CRI
 * (containerd.ts, cri-client.ts) and the simulated one (simulated-runtime.ts).
 *
 * Guarantees: a failure is a `RuntimeError` with one of gRPC's codes; stop and remove are idempotent, and succeed for
 * what does not exist; every call ends, by its own deadline or by the caller's.
 *
 * The few members that the CRI does not have say so.
 */
import type * as cri from './cri-types.ts';

/** gRPC's status codes by name; the CRI speaks in them. */
export const runtimeErrorCodes = {
  Cancelled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  AlreadyExists: 6,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  FailedPrecondition: 9,
  Aborted: 10,
  OutOfRange: 11,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  DataLoss: 15,
  Unauthenticated: 16,
} as const;
export type RuntimeErrorCode = keyof typeof runtimeErrorCodes;

/** The message is the runtime's own, as events and container statuses show it. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly code: RuntimeErrorCode;
  constructor(code: RuntimeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
export const isRuntimeError = (error: unknown, code: RuntimeErrorCode): boolean => error instanceof RuntimeError && error.code === code;

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Default: two minutes; none for pulls. */
  readonly timeoutMs?: number;
}

/**
 * Something changed about a container or a sandbox (a sandbox's own id stands in `containerId` then). It says where to
 * look, not what is: read the pod's state after it. Events of the same moment may be told as one.
 */
export interface RuntimeEvent {
  readonly type: 'created' | 'started' | 'stopped' | 'deleted';
  readonly podUid: string;
  readonly podSandboxId: string;
  readonly containerId: string;
}

/** Labels by which the runtime's objects are found again after a restart. Upstream: k8s.io/kubelet pkg/types/labels.go. */
export const podLabels = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
} as const;

/**
 * An annotation of a container's configuration that tells a runtime what the CRI has no word for: this container is
 * expected to end by itself (an init container, or one of a pod whose restartPolicy is Never or OnFailure). Only the
 * simulated runtime looks at it. Value: `true`.
 */
export const runsToCompletionAnnotation = 'timonier.dev/runs-to-completion';

/** A probe that needs the container's network or processes; not part of the CRI. */
export interface ProbeQuestion {
  readonly containerId: string;
  readonly type: 'liveness' | 'readiness' | 'startup';
}
export interface ProbeAnswer {
  readonly success: boolean;
  readonly message: string;
}

/**
 * How a runtime without containers stands in for what the kubelet does on the machine itself. A kubelet whose runtime
 * has this writes no files (volumes, logs, termination messages), mounts nothing and connects to no pod.
 */
export interface Simulation {
  /** Answers any kind of probe. */
  probe(question: ProbeQuestion): ProbeAnswer;
  /** The container's log so far, and when `follow` is set what comes until it ends; lines as in a CRI log file. */
  logs(containerId: string, options: { readonly follow: boolean; readonly signal?: AbortSignal }): AsyncIterable<Buffer>;
  /** The whole node's. */
  usage(): Usage;
}

export interface Usage {
  readonly atMs: number;
  /** now */
  readonly cpuCores: number;
  /** since the start */
  readonly cpuCoreSeconds: number;
  readonly memoryBytes: number;
}

export interface ContainerRuntime extends AsyncDisposable {
  /** Present when there are no real containers; not part of the CRI. */
  readonly simulation?: Simulation;

  version(options?: CallOptions): Promise<cri.VersionResponse>;
  status(options?: CallOptions): Promise<cri.RuntimeStatus>;
  /** Which driver makes cgroups: kubelet and runtime have to agree. */
  cgroupDriver(options?: CallOptions): Promise<'systemd' | 'cgroupfs'>;
  /** The pods' address range, for runtimes that write the CNI configuration themselves (ours is written by src/node/network). */
  updatePodCidr(podCidr: string, options?: CallOptions): Promise<void>;

  /** Creates and starts a sandbox with its network; gives its id. */
  runPodSandbox(config: cri.PodSandboxConfig, options?: CallOptions & { readonly runtimeHandler?: string }): Promise<string>;
  /** Stops its containers and gives its network back. */
  stopPodSandbox(podSandboxId: string, options?: CallOptions): Promise<void>;
  /** Removes it with its containers, by force where they still run. */
  removePodSandbox(podSandboxId: string, options?: CallOptions): Promise<void>;
  /** NotFound when there is none. */
  podSandboxStatus(podSandboxId: string, options?: CallOptions): Promise<cri.PodSandboxStatus>;
  listPodSandbox(filter?: cri.PodSandboxFilter, options?: CallOptions): Promise<readonly cri.PodSandbox[]>;

  /** Gives the container's id. The image must be there. */
  createContainer(request: CreateContainerRequest, options?: CallOptions): Promise<string>;
  startContainer(containerId: string, options?: CallOptions): Promise<void>;
  /** Sends the stop signal, waits, kills; 0 kills at once. */
  stopContainer(containerId: string, gracePeriodSeconds: number, options?: CallOptions): Promise<void>;
  removeContainer(containerId: string, options?: CallOptions): Promise<void>;
  listContainers(filter?: cri.ContainerFilter, options?: CallOptions): Promise<readonly cri.Container[]>;
  /** NotFound when there is none. */
  containerStatus(containerId: string, options?: CallOptions): Promise<cri.ContainerStatus>;
  updateContainerResources(containerId: string, resources: cri.LinuxContainerResources, options?: CallOptions): Promise<void>;
  /** After its log file was moved away. */
  reopenContainerLog(containerId: string, options?: CallOptions): Promise<void>;

  /** Runs to its end; `timeoutSeconds` 0 means no limit. DeadlineExceeded when it took longer. */
  execSync(request: ExecSyncRequest, options?: CallOptions): Promise<cri.ExecSyncResponse>;
  /** These three give a URL of the runtime's streaming server, good for one request soon after. */
  exec(request: ExecRequest, options?: CallOptions): Promise<string>;
  attach(request: AttachRequest, options?: CallOptions): Promise<string>;
  portForward(podSandboxId: string, ports: readonly number[], options?: CallOptions): Promise<string>;

  containerStats(containerId: string, options?: CallOptions): Promise<cri.ContainerStats>;
  listContainerStats(filter?: cri.ContainerStatsFilter, options?: CallOptions): Promise<readonly cri.ContainerStats[]>;
  podSandboxStats(podSandboxId: string, options?: CallOptions): Promise<cri.PodSandboxStats>;

  listImages(options?: CallOptions): Promise<readonly cri.Image[]>;
  imageStatus(image: string, options?: CallOptions): Promise<cri.Image | undefined>;
  /** Gives the image's reference, as container statuses show it. */
  pullImage(image: cri.ImageSpec, options?: CallOptions & PullOptions): Promise<string>;
  removeImage(image: string, options?: CallOptions): Promise<void>;
  imageFsInfo(options?: CallOptions): Promise<readonly cri.FilesystemUsage[]>;

  /**
   * First an event for the state of everything that there is, then what changes, until the signal is aborted (then it
   * ends normally). It survives a restart of the runtime. Where the runtime tells nothing by itself, its state is listed
   * every second and compared.
   */
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
}

export interface CreateContainerRequest {
  readonly podSandboxId: string;
  readonly config: cri.ContainerConfig;
  /** the one that the sandbox was made with */
  readonly sandboxConfig: cri.PodSandboxConfig;
}
export interface ExecSyncRequest {
  readonly containerId: string;
  readonly cmd: readonly string[];
  readonly timeoutSeconds: number;
}
export interface ExecRequest extends cri.StreamOptions {
  readonly containerId: string;
  readonly cmd: readonly string[];
}
export interface AttachRequest extends cri.StreamOptions {
  readonly containerId: string;
}
export interface PullOptions {
  readonly auth?: cri.AuthConfig;
  readonly sandboxConfig?: cri.PodSandboxConfig;
}
