/**
 * A pod's and a container's security contexts in the CRI's words. Pure.
 * Upstream: pkg/kubelet/kuberuntime/security_context.go, pkg/securitycontext/util.go, kuberuntime/helpers.go.
 */
import { join } from 'node:path';
import type { AppArmorProfile, Container, Pod, SeccompProfile, SecurityContext } from '../../../api/generated/core-v1.ts';
import type * as cri from '../../runtime/cri-types.ts';
import { describePod } from '../pod/plan-pod.ts';

/** The container's own context over the pod's. */
export function effectiveSecurityContext(pod: Pod, container: Container): SecurityContext {
  const { runAsUser, runAsGroup, runAsNonRoot, seLinuxOptions } = pod.spec.securityContext ?? {};
  return {
    ...(runAsUser !== undefined && { runAsUser }),
    ...(runAsGroup !== undefined && { runAsGroup }),
    ...(runAsNonRoot !== undefined && { runAsNonRoot }),
    ...(seLinuxOptions && { seLinuxOptions }),
    ...container.securityContext,
  };
}

/** Who the image says its processes run as. */
export interface ImageUser {
  readonly uid?: number | undefined;
  readonly username: string;
}

/** As the API bounds runAsUser. */
const uidMax = 2 ** 31 - 1;

/** Throws in upstream's wording when the container would run as root and must not. */
export function verifyNonRoot(pod: Pod, container: Container, image: ImageUser): void {
  const context = effectiveSecurityContext(pod, container);
  if (!context.runAsNonRoot) return;
  const where = `(pod: "${describePod(pod)}", container: ${container.name})`;
  if (context.runAsUser !== undefined) {
    if (context.runAsUser === 0) throw new Error(`container's runAsUser breaks non-root policy ${where}`);
    return;
  }
  // The runtime takes the last 32 bits of a user's number: one that is larger can turn out to be root.
  if (image.uid !== undefined && (image.uid < 0 || image.uid > uidMax)) {
    throw new Error(`container has runAsNonRoot and image has a user out of range (${image.uid}), cannot verify user is non-root ${where}`);
  }
  if (image.uid === 0) throw new Error(`container has runAsNonRoot and image will run as root ${where}`);
  if (image.uid === undefined && image.username) {
    const why = `image has non-numeric user (${image.username}), cannot verify user is non-root`;
    throw new Error(`container has runAsNonRoot and ${why} ${where}`);
  }
}

export function namespaceOptions(pod: Pod): cri.NamespaceOption {
  const { hostIPC, hostNetwork, hostPID, shareProcessNamespace } = pod.spec;
  return {
    ipc: hostIPC ? 'NODE' : 'POD',
    network: hostNetwork ? 'NODE' : 'POD',
    pid: hostPID ? 'NODE' : shareProcessNamespace ? 'POD' : 'CONTAINER',
  };
}

function seccompProfile(profile: SeccompProfile | undefined, root: string): cri.SecurityProfile {
  if (profile?.type === 'RuntimeDefault') return { profileType: 'RuntimeDefault' };
  if (profile?.type !== 'Localhost') return { profileType: 'Unconfined' };
  if (!profile.localhostProfile) throw new Error('localhostProfile must be set if seccompProfile type is Localhost.');
  return { profileType: 'Localhost', localhostRef: join(root, profile.localhostProfile) };
}

function appArmorProfile(profile: AppArmorProfile | undefined): cri.SecurityProfile | undefined {
  if (!profile) return undefined;
  return { profileType: profile.type, ...(profile.localhostProfile && { localhostRef: profile.localhostProfile }) };
}

function groupsOf(pod: Pod): Pick<cri.LinuxContainerSecurityContext, 'supplementalGroups' | 'supplementalGroupsPolicy'> {
  const { fsGroup, supplementalGroups, supplementalGroupsPolicy } = pod.spec.securityContext ?? {};
  const groups = [...(fsGroup !== undefined ? [fsGroup] : []), ...(supplementalGroups ?? [])];
  return { ...(groups.length > 0 && { supplementalGroups: groups }), ...(supplementalGroupsPolicy && { supplementalGroupsPolicy }) };
}

export function sandboxSecurityContext(pod: Pod): cri.LinuxSandboxSecurityContext {
  const { runAsUser, runAsGroup, seLinuxOptions } = pod.spec.securityContext ?? {};
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  return {
    namespaceOptions: namespaceOptions(pod),
    privileged: containers.some((c) => c.securityContext?.privileged),
    seccomp: { profileType: 'RuntimeDefault' },
    ...(runAsUser !== undefined && { runAsUser: { value: runAsUser } }),
    ...(runAsGroup !== undefined && { runAsGroup: { value: runAsGroup } }),
    ...(seLinuxOptions && { selinuxOptions: seLinuxOptions }),
    ...groupsOf(pod),
  };
}

const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

export interface ContainerSecurityInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly image: ImageUser;
  /** where Localhost seccomp profiles are */
  readonly seccompRoot: string;
  /** the container whose processes an ephemeral container wants to see */
  readonly targetID?: string | undefined;
}

export function containerSecurityContext(input: ContainerSecurityInput): cri.LinuxContainerSecurityContext {
  const { pod, container, image, seccompRoot, targetID } = input;
  const context = effectiveSecurityContext(pod, container);
  const { runAsUser, runAsGroup, capabilities, seLinuxOptions } = context;
  const own = container.securityContext;
  const podContext = pod.spec.securityContext;
  const apparmor = appArmorProfile(own?.appArmorProfile ?? podContext?.appArmorProfile);
  const unmasked = context.procMount === 'Unmasked';
  const namespaces = namespaceOptions(pod);
  const joins = targetID !== undefined && namespaces.pid === 'CONTAINER';
  const user = runAsUser ?? image.uid;
  return {
    namespaceOptions: joins ? { ...namespaces, pid: 'TARGET', targetId: targetID } : namespaces,
    ...(capabilities && { capabilities: { addCapabilities: capabilities.add ?? [], dropCapabilities: capabilities.drop ?? [] } }),
    ...(seLinuxOptions && { selinuxOptions: seLinuxOptions }),
    ...(user !== undefined && { runAsUser: { value: user } }),
    ...(user === undefined && image.username && { runAsUsername: image.username }),
    ...(runAsGroup !== undefined && { runAsGroup: { value: runAsGroup } }),
    privileged: context.privileged ?? false,
    readonlyRootfs: context.readOnlyRootFilesystem ?? false,
    noNewPrivs: context.allowPrivilegeEscalation === false,
    seccomp: seccompProfile(own?.seccompProfile ?? podContext?.seccompProfile, seccompRoot),
    ...(apparmor && { apparmor }),
    ...groupsOf(pod),
    maskedPaths: unmasked ? [] : maskedPaths,
    readonlyPaths: unmasked ? [] : readonlyPaths,
  };
}
