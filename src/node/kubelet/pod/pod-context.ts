/** What the worker of a pod may use: the parts of one kubelet, and the facts about its node. */
import type { Pod, Service } from '../../../api/generated/core-v1.ts';
import type { Client } from '../../../client/client.ts';
import type { Clock, Random } from '../../../client/clock.ts';
import type { EventRecorder } from '../../../client/events/event-recorder.ts';
import type { Log } from '../../../client/log.ts';
import type { FileGate } from '../../files/file-gate.ts';
import type { ContainerRuntime } from '../../runtime/container-runtime.ts';
import type { ImagePuller } from '../images/image-puller.ts';
import type { KubeletOptions } from '../kubelet-options.ts';
import type { ProbeManager } from '../probes/probe-manager.ts';
import type { StatusManager } from '../status/status-manager.ts';
import type { Mounter } from '../volumes/mounter.ts';
import type { VolumeManager } from '../volumes/volume-manager.ts';
import type { ResolvConf } from './dns-config.ts';
import type { PodRejection } from './pod-admission.ts';
import type { PodCgroups } from './pod-cgroups.ts';
import type { ReferencedObjects } from './referenced-objects.ts';

export interface KubeletNode {
  readonly name: string;
  /** the primary first; at most one of each family */
  readonly hostIPs: readonly string[];
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
  /** of the node, for pods that use it */
  readonly resolvConf: ResolvConf;
  readonly memoryCapacityBytes: number;
  allocatable(): Readonly<Record<string, string>>;
  /** undefined: the network is ready; else why not */
  networkProblem(): string | undefined;
  readonly logsRoot: string;
  readonly seccompRoot: string;
}

export interface PodContext {
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  readonly runtimeName: string;
  /** `containerd://1.6.20` */
  readonly runtimeVersion: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventRecorder;
  readonly log: Log;
  readonly node: KubeletNode;
  readonly images: ImagePuller;
  readonly probes: ProbeManager;
  readonly statuses: StatusManager;
  readonly objects: ReferencedObjects;
  readonly volumes: VolumeManager;
  readonly cgroups: PodCgroups;
  /** for calls on files that containers or other machines can make hang */
  readonly gate: FileGate;
  /** absent where there are no real containers: no file is written then */
  readonly mounter?: Mounter | undefined;
  readonly networkReady: KubeletOptions['networkReady'];
  /** All services, once they have been listed. */
  services(): Promise<readonly Service[]>;
  /** Why the node can't grant a running pod other resources; `ever`: it could if it were empty. */
  judgeResize(pod: Pod): (PodRejection & { readonly ever: boolean }) | undefined;
  /** Thousands of nodes in one process: what pods refer to is looked up, and nothing is made of it. */
  readonly simulated: boolean;
}
