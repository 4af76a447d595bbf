/**
 * The messages of the Container Runtime Interface, v1, as far as a Linux kubelet needs them: the fields of
 * data/cri-v1.json in camelCase, enumerations as their names, int64 as numbers (nanosecond times are exact to 256 ns),
 * bytes as Buffers.
 *
 * In what a runtime answers, scalars, lists and maps are always there (with their zero values), messages are absent
 * when not set. In what it is asked, everything that has a zero value may be left out. Windows' half of the interface
 * is not here. Specified in kubernetes/cri-api pkg/apis/runtime/v1/api.proto.
 */

export type StringMap = Readonly<Record<string, string>>;
/** A number that can be absent. */
export interface Wrapped {
  readonly value: number;
}

// --- sandboxes

interface PodSandboxMetadata {
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
  readonly attempt?: number;
}

type NamespaceMode = 'POD' | 'CONTAINER' | 'NODE' | 'TARGET';
interface IDMapping {
  readonly hostId: number;
  readonly containerId: number;
  readonly length: number;
}
interface UserNamespace {
  readonly mode: NamespaceMode;
  readonly uids?: readonly IDMapping[];
  readonly gids?: readonly IDMapping[];
}
export interface NamespaceOption {
  readonly network?: NamespaceMode;
  readonly pid?: NamespaceMode;
  readonly ipc?: NamespaceMode;
  /** the container whose pid namespace is entered, with `pid: 'TARGET'` */
  readonly targetId?: string;
  readonly usernsOptions?: UserNamespace;
}

export interface SecurityProfile {
  readonly profileType: 'RuntimeDefault' | 'Unconfined' | 'Localhost';
  readonly localhostRef?: string;
}
interface SELinuxOption {
  readonly user?: string;
  readonly role?: string;
  readonly type?: string;
  readonly level?: string;
}
type SupplementalGroupsPolicy = 'Merge' | 'Strict';

interface SecurityContext {
  readonly namespaceOptions?: NamespaceOption;
  readonly selinuxOptions?: SELinuxOption;
  readonly runAsUser?: Wrapped;
  readonly runAsGroup?: Wrapped;
  readonly supplementalGroups?: readonly number[];
  readonly supplementalGroupsPolicy?: SupplementalGroupsPolicy;
  readonly readonlyRootfs?: boolean;
  readonly privileged?: boolean;
  readonly seccomp?: SecurityProfile;
  readonly apparmor?: SecurityProfile;
}
export type LinuxSandboxSecurityContext = SecurityContext;

export interface DNSConfig {
  readonly servers?: readonly string[];
  readonly searches?: readonly string[];
  readonly options?: readonly string[];
}
export interface PortMapping {
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
  readonly containerPort: number;
  readonly hostPort: number;
  readonly hostIp?: string;
}

export interface PodSandboxConfig {
  readonly metadata: PodSandboxMetadata;
  /** Must be absent for hostNetwork pods: their sandbox has the host's name. */
  readonly hostname?: string;
  /** Container log paths are below it. */
  readonly logDirectory?: string;
  readonly dnsConfig?: DNSConfig;
  readonly portMappings?: readonly PortMapping[];
  readonly labels?: StringMap;
  readonly annotations?: StringMap;
  readonly linux?: {
    readonly cgroupParent?: string;
    readonly securityContext?: LinuxSandboxSecurityContext;
    readonly sysctls?: StringMap;
    readonly overhead?: LinuxContainerResources;
    readonly resources?: LinuxContainerResources;
  };
}

type PodSandboxState = 'SANDBOX_READY' | 'SANDBOX_NOTREADY';
export interface PodSandbox {
  readonly id: string;
  readonly metadata: Required<PodSandboxMetadata>;
  readonly state: PodSandboxState;
  /** nanoseconds since the epoch */
  readonly createdAt: number;
  readonly labels: StringMap;
  readonly annotations: StringMap;
  readonly runtimeHandler: string;
}
export interface PodSandboxStatus extends PodSandbox {
  /** Absent or without address for hostNetwork pods. */
  readonly network?: { readonly ip: string; readonly additionalIps: readonly { readonly ip: string }[] };
  readonly linux?: { readonly namespaces?: { readonly options?: NamespaceOption } };
}
export interface PodSandboxFilter {
  readonly id?: string;
  readonly state?: { readonly state: PodSandboxState };
  /** every label must match */
  readonly labelSelector?: StringMap;
}

// --- containers

export interface ImageSpec {
  readonly image: string;
  readonly annotations?: StringMap;
  /** what the pod's author wrote */
  readonly userSpecifiedImage?: string;
  readonly runtimeHandler?: string;
}
interface ContainerMetadata {
  readonly name: string;
  readonly attempt?: number;
}
export type MountPropagation = 'PROPAGATION_PRIVATE' | 'PROPAGATION_HOST_TO_CONTAINER' | 'PROPAGATION_BIDIRECTIONAL';
export interface Mount {
  readonly containerPath: string;
  readonly hostPath?: string;
  readonly readonly?: boolean;
  readonly selinuxRelabel?: boolean;
  readonly propagation?: MountPropagation;
  readonly recursiveReadOnly?: boolean;
  /** mounts an image instead of a host path */
  readonly image?: ImageSpec;
  readonly imageSubPath?: string;
}
export interface Device {
  readonly containerPath: string;
  readonly hostPath: string;
  /** of r, w and m */
  readonly permissions: string;
}
export interface LinuxContainerResources {
  readonly cpuPeriod?: number;
  readonly cpuQuota?: number;
  readonly cpuShares?: number;
  readonly memoryLimitInBytes?: number;
  readonly memorySwapLimitInBytes?: number;
  readonly oomScoreAdj?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: number }[];
  /** cgroup v2 files and their values */
  readonly unified?: StringMap;
}
export interface LinuxContainerSecurityContext extends SecurityContext {
  readonly capabilities?: {
    readonly addCapabilities?: readonly string[];
    readonly dropCapabilities?: readonly string[];
  };
  /** only without `runAsUser` */
  readonly runAsUsername?: string;
  readonly noNewPrivs?: boolean;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
}
export interface ContainerConfig {
  readonly metadata: ContainerMetadata;
  readonly image: ImageSpec;
  /** replaces the image's entrypoint */
  readonly command?: readonly string[];
  /** replaces the image's command */
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly envs?: readonly { readonly key: string; readonly value: string }[];
  readonly mounts?: readonly Mount[];
  readonly devices?: readonly Device[];
  readonly labels?: StringMap;
  readonly annotations?: StringMap;
  /** relative to the sandbox's logDirectory */
  readonly logPath?: string;
  readonly stdin?: boolean;
  readonly stdinOnce?: boolean;
  readonly tty?: boolean;
  /** `SIGTERM`, …; RUNTIME_DEFAULT is the image's */
  readonly stopSignal?: string;
  readonly linux?: {
    readonly resources?: LinuxContainerResources;
    readonly securityContext?: LinuxContainerSecurityContext;
  };
}

export type ContainerState = 'CONTAINER_CREATED' | 'CONTAINER_RUNNING' | 'CONTAINER_EXITED' | 'CONTAINER_UNKNOWN';
export interface Container {
  readonly id: string;
  readonly podSandboxId: string;
  readonly metadata: Required<ContainerMetadata>;
  readonly image?: ImageSpec;
  readonly imageRef: string;
  /** empty before containerd 1.7 */
  readonly imageId: string;
  readonly state: ContainerState;
  /** nanoseconds since the epoch */
  readonly createdAt: number;
  readonly labels: StringMap;
  readonly annotations: StringMap;
}
export interface ContainerStatus extends Omit<Container, 'podSandboxId'> {
  /** nanoseconds since the epoch; 0 when it has not started, or not finished */
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number;
  /** `Completed`, `Error`, `OOMKilled`, `ContainerCannotRun`, … */
  readonly reason: string;
  readonly message: string;
  readonly mounts: readonly Mount[];
  /** absolute */
  readonly logPath: string;
  readonly resources?: { readonly linux?: LinuxContainerResources };
  readonly user?: { readonly linux?: { readonly uid: number; readonly gid: number; readonly supplementalGroups: readonly number[] } };
  readonly stopSignal?: string;
}
export interface ContainerFilter {
  readonly id?: string;
  readonly podSandboxId?: string;
  readonly state?: { readonly state: ContainerState };
  /** every label must match */
  readonly labelSelector?: StringMap;
}

export interface ExecSyncResponse {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly exitCode: number;
}
/** Which streams an exec or attach carries. Standard error is of no use together with a terminal. */
export interface StreamOptions {
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly tty?: boolean;
}

// --- figures

interface CpuUsage {
  readonly timestamp: number;
  readonly usageCoreNanoSeconds?: Wrapped;
  readonly usageNanoCores?: Wrapped;
}
interface MemoryUsage {
  readonly timestamp: number;
  readonly workingSetBytes?: Wrapped;
  readonly availableBytes?: Wrapped;
  readonly usageBytes?: Wrapped;
  readonly rssBytes?: Wrapped;
  readonly pageFaults?: Wrapped;
  readonly majorPageFaults?: Wrapped;
}
interface SwapUsage {
  readonly timestamp: number;
  readonly swapAvailableBytes?: Wrapped;
  readonly swapUsageBytes?: Wrapped;
}
export interface FilesystemUsage {
  readonly timestamp: number;
  readonly fsId?: { readonly mountpoint: string };
  readonly usedBytes?: Wrapped;
  readonly inodesUsed?: Wrapped;
}
interface NetworkInterfaceUsage {
  readonly name: string;
  readonly rxBytes?: Wrapped;
  readonly rxErrors?: Wrapped;
  readonly txBytes?: Wrapped;
  readonly txErrors?: Wrapped;
}
export interface ContainerStats {
  readonly attributes: Pick<Container, 'id' | 'metadata' | 'labels' | 'annotations'>;
  readonly cpu?: CpuUsage;
  readonly memory?: MemoryUsage;
  readonly swap?: SwapUsage;
  readonly writableLayer?: FilesystemUsage;
}
export interface ContainerStatsFilter {
  readonly id?: string;
  readonly podSandboxId?: string;
  readonly labelSelector?: StringMap;
}
export interface PodSandboxStats {
  readonly attributes: Pick<PodSandbox, 'id' | 'metadata' | 'labels' | 'annotations'>;
  readonly linux?: {
    readonly cpu?: CpuUsage;
    readonly memory?: MemoryUsage;
    readonly network?: {
      readonly timestamp: number;
      readonly defaultInterface?: NetworkInterfaceUsage;
      readonly interfaces: readonly NetworkInterfaceUsage[];
    };
    readonly process?: { readonly timestamp: number; readonly processCount?: Wrapped };
    readonly containers: readonly ContainerStats[];
  };
}

// --- images

export interface Image {
  /** the digest of its configuration: `sha256:…` */
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly size: number;
  /** the user that its configuration names, by number or by name */
  readonly uid?: Wrapped;
  readonly username: string;
  readonly spec?: ImageSpec;
  /** never to be garbage collected */
  readonly pinned: boolean;
}
export interface AuthConfig {
  readonly username?: string;
  readonly password?: string;
  /** base64 of user:password */
  readonly auth?: string;
  readonly serverAddress?: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
}

// --- the runtime itself

export interface VersionResponse {
  /** of the kubelet's interface, always 0.1.0 */
  readonly version: string;
  readonly runtimeName: string;
  readonly runtimeVersion: string;
  readonly runtimeApiVersion: string;
}
export interface RuntimeCondition {
  /** `RuntimeReady`, `NetworkReady`, … */
  readonly type: string;
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}
export interface RuntimeHandler {
  /** '' is the default one */
  readonly name: string;
  readonly features?: { readonly recursiveReadOnlyMounts: boolean; readonly userNamespaces: boolean };
}
export interface RuntimeStatus {
  readonly conditions: readonly RuntimeCondition[];
  /** empty before containerd 2.0 */
  readonly runtimeHandlers: readonly RuntimeHandler[];
  readonly features?: { readonly supplementalGroupsPolicy: boolean };
}
