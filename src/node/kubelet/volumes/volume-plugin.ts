/**
 * What kind of volume knows how to make itself: a small contract. Each kind has a file, those whose
 * files come from the API have one together (content-volume.ts). The manager (volume-manager.ts)
 * chooses, retries, tells events and cleans up.
 * Upstream: pkg/volume/plugins.go.
 */
import type { Pod, Volume } from '../../../api/generated/core-v1.ts';
import type { Client } from '../../../client/client.ts';
import type { Clock } from '../../../client/clock.ts';
import type { FileGate } from '../../files/file-gate.ts';
import type { ImageSpec } from '../../runtime/cri-types.ts';
import type { ReferencedObjects } from '../pod/referenced-objects.ts';
import type { Mounter } from './mounter.ts';
import type { TokenManager } from './service-account-token.ts';

/** What plugins may use. */
export interface VolumeHost {
  readonly client: Client;
  readonly clock: Clock;
  /** for calls on files that containers or other machines can make hang */
  readonly gate: FileGate;
  readonly objects: ReferencedObjects;
  /** absent where nobody would use one: none is asked for then */
  readonly tokens?: TokenManager | undefined;
  /** absent where there are no real containers: nothing is written or mounted then, but everything is looked up */
  readonly mounter?: Mounter | undefined;
  readonly hostIPs: () => readonly string[];
  readonly allocatable: () => Readonly<Record<string, string>>;
}

export interface SetUpRequest {
  readonly pod: Pod;
  readonly volume: Volume;
  /** this volume's own directory: `<pod>/volumes/<plugin>/<name>`; not made yet */
  readonly dir: string;
  /** Keeps the volume of that name from other pods, as long as this one is here. False: another has it. */
  readonly keepAlone: (volumeName: string) => boolean;
}

export interface ReadyVolume {
  /** what is mounted into containers */
  readonly hostPath: string;
  /** whatever the mount says */
  readonly readOnly: boolean;
  /** Set it up again then: a token wants renewal. */
  readonly refreshAtMs?: number | undefined;
  /** an image instead of a path; its pull is left to the container's start */
  readonly image?: (ImageSpec & { readonly pullPolicy: 'Always' | 'IfNotPresent' | 'Never' }) | undefined;
  /** a block device */
  readonly device?: string | undefined;
}

export interface VolumePlugin {
  /** `kubernetes.io~empty-dir`: the name of its directory */
  readonly directory: string;
  supports(volume: Volume): boolean;
  /** Also called again to bring content up to date; leaves what is right as it is. */
  setUp(request: SetUpRequest, host: VolumeHost): Promise<ReadyVolume>;
}

/** The pod's group for its volumes. */
export const fsGroupOf = (pod: Pod): number | undefined => pod.spec.securityContext?.fsGroup;

/** The one user that all containers of the pod run as, if there is one: files that only it may read belong to it. */
export function fsUserOf(pod: Pod): number | undefined {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const users = new Set(containers.map((c) => c.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser));
  const [user] = users;
  return users.size === 1 ? user : undefined;
}
