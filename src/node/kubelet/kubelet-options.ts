/** What a kubelet is started with. */
import type { Pod, Taint } from '../../api/generated/core-v1.ts';
import type { Client } from '../../client/client.ts';
import type { Clock, Random } from '../../client/clock.ts';
import type { EventRecorder } from '../../client/events/event-recorder.ts';
import type { Log } from '../../client/log.ts';
import type { ContainerRuntime } from '../runtime/container-runtime.ts';
import type { ReferencedObjects } from './pod/referenced-objects.ts';
import type { TimerWheel } from './timer-wheel.ts';
import type { Mounter } from './volumes/mounter.ts';

export interface KubeletOptions {
  readonly nodeName: string;
  /** as `system:node:<nodeName>` of the group `system:nodes` */
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  /** pods, volumes and logs are below it */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly events: EventRecorder;
  /** the primary first; at most one of each family */
  readonly nodeIPs: readonly string[];
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
  /** Absent: the node object tells it. */
  readonly podCIDR?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  /** over what was detected: cpu, memory, ephemeral-storage, extended resources */
  readonly capacity?: Readonly<Record<string, string>>;
  /** default: 110 */
  readonly podsMax?: number;
  /** the version that the node reports */
  readonly version: string;
  /**
   * One of thousands of simulated nodes: ConfigMaps and Secrets are looked up, but pods get no volumes, no tokens and no
   * variables of Services; nobody looks whether the machine has changed.
   */
  readonly simulated?: boolean;
  /** Default: the real one, unless the runtime is simulated. */
  readonly mounter?: Mounter | undefined;
  /** Shared by the nodes of one process; default: one of its own. */
  readonly wheel?: TimerWheel;
  /** Shared by the nodes of one process; default: its own, read as the node. */
  readonly objects?: ReferencedObjects;
  /** Default: /etc/resolv.conf. */
  readonly resolvConfPath?: string;
  /** The cgroup below which the pods' are; one for each node of a machine. Default: the top. */
  readonly cgroupRoot?: readonly string[];
  /**
   * Awaited when a pod has its addresses, before any of its containers starts; may be told of the same ones again. Rejects when
   * the pod must not send or get packets yet.
   */
  readonly networkReady?: ((pod: Pod, ips: readonly string[]) => Promise<void>) | undefined;
  /** The pod, by its uid, is gone with its sandbox. */
  readonly networkReleased?: ((uid: string) => void) | undefined;
  /** Absent: no HTTPS API. */
  readonly serving?: ServingOptions;
}

export interface ServingOptions {
  readonly host: string;
  /** 10250; 0 takes a free one */
  readonly port: number;
  /** PEM */
  readonly cert: string;
  readonly key: string;
  /** the CA of client certificates, PEM */
  readonly clientCA: string;
}
