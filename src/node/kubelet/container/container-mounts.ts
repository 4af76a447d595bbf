/**
 * What is mounted into a container: its volumes (or parts of them), the managed /etc/hosts, and the file for its last
 * words. Rejects in upstream's wording, which becomes CreateContainerConfigError.
 * Upstream: pkg/kubelet/kubelet_pods.go (makeMounts), kuberuntime/kuberuntime_container.go (makeMounts).
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Container, Pod, VolumeMount } from '../../../api/generated/core-v1.ts';
import type { Random } from '../../../client/clock.ts';
import type { FileGate } from '../../files/file-gate.ts';
import { HeldDirectory } from '../../files/held-directory.ts';
import type { Device, Mount, MountPropagation } from '../../runtime/cri-types.ts';
import { podHostname, renderHostNetworkHostsFile, renderHostsFile } from '../pod/pod-hostname.ts';
import type { Mounter } from '../volumes/mounter.ts';
import { bindSubpath, checkSubPath } from '../volumes/subpath.ts';
import type { ReadyVolumes } from '../volumes/volume-manager.ts';
import { expandReferences } from './expand-references.ts';

const hostsPath = '/etc/hosts';
/** in the pod's directory */
export const hostsFile = 'etc-hosts';

export interface MountsInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly volumes: ReadyVolumes;
  /** for subPathExpr */
  readonly env: ReadonlyMap<string, string>;
  readonly podIPs: readonly string[];
  readonly clusterDomain: string;
  readonly podDirectory: string;
  readonly random: Random;
  readonly gate: FileGate;
  /** absent: nothing is written */
  readonly mounter?: Mounter | undefined;
}

export async function containerMounts(input: MountsInput): Promise<readonly Mount[]> {
  const { container, mounter } = input;
  const mounts: Mount[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) mounts.push(await volumeMount(input, mount, index));
  if (!mounter) return mounts;
  const ownHosts = container.volumeMounts?.some((m) => m.mountPath === hostsPath);
  if (!ownHosts && (input.podIPs.length > 0 || input.pod.spec.hostNetwork)) mounts.push(await hostsMount(input));
  if (container.terminationMessagePath) mounts.push(await lastWordsMount(input, container.terminationMessagePath));
  return mounts;
}

export function containerDevices(container: Container, volumes: ReadyVolumes): readonly Device[] {
  return (container.volumeDevices ?? []).map(({ name, devicePath }) => {
    const volume = volumes.get(name);
    if (!volume?.device) throw new Error(`cannot find volume "${name}" to pass into container "${container.name}"`);
    return { containerPath: devicePath, hostPath: volume.device, permissions: volume.readOnly ? 'r' : 'mrw' };
  });
}

async function volumeMount(input: MountsInput, mount: VolumeMount, index: number): Promise<Mount> {
  const { container, volumes, mounter, gate } = input;
  const volume = volumes.get(mount.name);
  if (!volume) throw new Error(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
  const subPath = mount.subPathExpr ? expandSubPath(mount.subPathExpr, input.env) : (mount.subPath ?? '');
  if (subPath) checkSubPath(subPath);
  const common = {
    containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
    readonly: (mount.readOnly ?? false) || volume.readOnly,
    propagation: propagationOf(mount),
  };
  if (volume.image) return { ...common, image: { image: volume.image.image }, ...(subPath && { imageSubPath: subPath }) };
  if (!subPath || !mounter) return { ...common, hostPath: subPath ? join(volume.hostPath, subPath) : volume.hostPath };
  const target = join(input.podDirectory, 'volume-subpaths', mount.name, container.name, String(index));
  const hostPath = await bindSubpath({ volumePath: volume.hostPath, subPath, target }, mounter, gate).catch((error: unknown) => {
    // Details would tell the pod's author about the node's files.
    throw new Error(`failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}"`, { cause: error });
  });
  return { ...common, hostPath };
}

function expandSubPath(expression: string, env: ReadonlyMap<string, string>): string {
  const missing = new Set<string>();
  const expanded = expandReferences(expression, (name) => {
    const value = env.get(name);
    if (!value) missing.add(name);
    return value;
  });
  if (missing.size > 0) throw new Error(`missing value for ${[...missing].toSorted().join(', ')}`);
  return expanded;
}

function propagationOf({ mountPropagation }: VolumeMount): MountPropagation {
  if (mountPropagation === 'HostToContainer') return 'PROPAGATION_HOST_TO_CONTAINER';
  return mountPropagation === 'Bidirectional' ? 'PROPAGATION_BIDIRECTIONAL' : 'PROPAGATION_PRIVATE';
}

/** A new file each time: containers that run have the old one, and may have done anything to it. */
async function hostsMount({ pod, podIPs, clusterDomain, podDirectory, gate }: MountsInput): Promise<Mount> {
  const aliases = pod.spec.hostAliases ?? [];
  const text = pod.spec.hostNetwork
    ? renderHostNetworkHostsFile(await readFile(hostsPath, 'utf8'), aliases)
    : renderHostsFile({ ips: podIPs, name: podHostname(pod, clusterDomain), aliases });
  await mkdir(podDirectory, { recursive: true, mode: 0o750 });
  await using directory = await HeldDirectory.open(podDirectory, gate);
  await directory.replaceFile(hostsFile, text, 0o644);
  return { containerPath: hostsPath, hostPath: join(podDirectory, hostsFile), readonly: false };
}

/** A new file for each start of the container. */
async function lastWordsMount({ container, podDirectory, random, gate }: MountsInput, messagePath: string): Promise<Mount> {
  const dir = join(podDirectory, 'containers', container.name);
  await mkdir(dir, { recursive: true, mode: 0o750 });
  const name = random.uuid().slice(0, 8);
  await using directory = await HeldDirectory.open(dir, gate);
  await (await directory.createFile(name, 0o666)).close();
  return { containerPath: messagePath.startsWith('/') ? messagePath : `/${messagePath}`, hostPath: join(dir, name) };
}
