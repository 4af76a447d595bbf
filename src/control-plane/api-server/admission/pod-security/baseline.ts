/**
 * The baseline level: nothing that is known to give power over the node.
 * Upstream: pod-security-admission/policy/check_*.go, in the order of their names.
 */

import type { Container, LifecycleHandler, Probe, SELinuxOptions } from '../../../../api/generated/core-v1.ts';
import { own } from '../../../../api/meta/words.ts';
import { allContainers } from '../../../../api/predicates/pod-references.ts';
import { type Check, describeContainers, describeSetters, hasOwnUsers, namesOf, plural, quoted, sorted } from './check.ts';

const appArmorAnnotation = 'container.apparmor.security.beta.kubernetes.io/';

const appArmorProfile: Check = ({ spec, metadata }) => {
  const isBad = (type: string | undefined): boolean => type !== undefined && type !== 'RuntimeDefault' && type !== 'Localhost';
  const podType = spec.securityContext?.appArmorProfile?.type;
  const names = namesOf(spec, ({ securityContext }) => isBad(securityContext?.appArmorProfile?.type));
  const types = [podType, ...allContainers(spec).map((each) => each.securityContext?.appArmorProfile?.type)].filter(isBad) as string[];
  const annotations = Object.entries(metadata.annotations ?? {})
    .filter(([key, value]) => key.startsWith(appArmorAnnotation) && value && value !== 'runtime/default' && !value.startsWith('localhost/'))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  const setters = [describeSetters(isBad(podType), names), annotations.length > 0 ? plural(annotations.length, 'annotation') : ''];
  const who = setters.filter(Boolean).join(' and ');
  if (!who) return undefined;
  const values = [...sorted(types), ...annotations];
  return {
    reason: plural(values.length, 'forbidden AppArmor profile'),
    detail: `${who} must not set AppArmor profile type to ${quoted(values)}`,
  };
};

const allowedCapabilities = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(' '),
);

export const capabilitiesBaseline: Check = ({ spec }) => {
  const bad = ({ securityContext }: Container): string[] =>
    (securityContext?.capabilities?.add ?? []).filter((each) => !allowedCapabilities.has(each));
  const names = namesOf(spec, (container) => bad(container).length > 0);
  if (names.length === 0) return undefined;
  const values = quoted(sorted(allContainers(spec).flatMap(bad)));
  return {
    reason: 'non-default capabilities',
    detail: `${describeContainers(names)} must not include ${values} in securityContext.capabilities.add`,
  };
};

const hostNamespaces: Check = ({ spec }) => {
  const set = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field]);
  return set.length > 0 ? { reason: 'host namespaces', detail: set.map((field) => `${field}=true`).join(', ') } : undefined;
};

export const hostPathVolumes: Check = ({ spec }) => {
  const names = (spec.volumes ?? []).filter((volume) => volume.hostPath).map(({ name }) => name);
  return names.length > 0 ? { reason: 'hostPath volumes', detail: `${plural(names.length, 'volume')} ${quoted(names)}` } : undefined;
};

const hostPorts: Check = ({ spec }) => {
  const ports = ({ ports }: Container): string[] => (ports ?? []).flatMap(({ hostPort }) => (hostPort ? [`${hostPort}`] : []));
  const names = namesOf(spec, (container) => ports(container).length > 0);
  if (names.length === 0) return undefined;
  const values = sorted(allContainers(spec).flatMap(ports));
  const uses = plural(names.length, 'uses', 'use');
  return { reason: 'hostPort', detail: `${describeContainers(names)} ${uses} ${plural(values.length, 'hostPort')} ${values.join(', ')}` };
};

const hostProbesAndHostLifecycle: Check = ({ spec, minor }) => {
  if (minor < 34) return undefined;
  const host = (handler: Probe | LifecycleHandler | undefined): string[] =>
    [handler?.httpGet?.host, handler?.tcpSocket?.host].filter((each) => each !== undefined && each !== '') as string[];
  const hosts = ({ livenessProbe, readinessProbe, startupProbe, lifecycle }: Container): string[] =>
    [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop].flatMap(host);
  const names = sorted(namesOf(spec, (container) => hosts(container).length > 0));
  if (names.length === 0) return undefined;
  const values = sorted(allContainers(spec).flatMap(hosts));
  const what = plural(values.length, 'probe or lifecycle host');
  return {
    reason: 'probe or lifecycle host',
    detail: `${describeContainers(names)} ${plural(names.length, 'uses', 'use')} ${what} ${quoted(values)}`,
  };
};

const privileged: Check = ({ spec }) => {
  const names = namesOf(spec, ({ securityContext }) => securityContext?.privileged === true);
  if (names.length === 0) return undefined;
  return { reason: 'privileged', detail: `${describeContainers(names)} must not set securityContext.privileged=true` };
};

/** Whether or not the pod has users of its own. */
export const procMountAlways: Check = ({ spec }) => {
  const isBad = ({ securityContext }: Container): boolean => (securityContext?.procMount ?? 'Default') !== 'Default';
  const names = namesOf(spec, isBad);
  if (names.length === 0) return undefined;
  const types = allContainers(spec)
    .filter(isBad)
    .map(({ securityContext }) => securityContext?.procMount ?? '');
  return { reason: 'procMount', detail: `${describeContainers(names)} must not set securityContext.procMount to ${quoted(sorted(types))}` };
};
export const procMount: Check = (pod) => (pod.minor >= 35 && hasOwnUsers(pod) ? undefined : procMountAlways(pod));

const seLinuxTypes = ['', 'container_t', 'container_init_t', 'container_kvm_t'];
const seLinuxEngineType = 'container_engine_t';

const seLinuxOptions: Check = ({ spec, minor }) => {
  const isBadType = (type: string): boolean => !seLinuxTypes.includes(type) && !(minor >= 31 && type === seLinuxEngineType);
  const isBad = (options: SELinuxOptions | undefined): boolean =>
    options !== undefined && (isBadType(options.type ?? '') || !!options.user || !!options.role);
  const podOptions = spec.securityContext?.seLinuxOptions;
  const names = namesOf(spec, ({ securityContext }) => isBad(securityContext?.seLinuxOptions));
  const who = describeSetters(isBad(podOptions), names);
  if (!who) return undefined;
  const all = [podOptions, ...allContainers(spec).map((each) => each.securityContext?.seLinuxOptions)];
  const types = sorted(all.map((options) => options?.type ?? '').filter(isBadType));
  const data = [
    ...(types.length > 0 ? [`${plural(types.length, 'type')} ${quoted(types)}`] : []),
    ...(all.some((options) => options?.user) ? ['user may not be set'] : []),
    ...(all.some((options) => options?.role) ? ['role may not be set'] : []),
  ];
  return { reason: 'seLinuxOptions', detail: `${who} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}` };
};

const isBadSeccomp = (type: string | undefined): boolean => type !== undefined && type !== 'Localhost' && type !== 'RuntimeDefault';

export const seccompBaseline: Check = ({ spec, minor }) => {
  if (minor < 19) return undefined;
  const podType = spec.securityContext?.seccompProfile?.type;
  const names = namesOf(spec, ({ securityContext }) => isBadSeccomp(securityContext?.seccompProfile?.type));
  const who = describeSetters(isBadSeccomp(podType), names);
  if (!who) return undefined;
  const types = [podType, ...allContainers(spec).map((each) => each.securityContext?.seccompProfile?.type)];
  const values = quoted(sorted(types.filter(isBadSeccomp) as string[]));
  return { reason: 'seccompProfile', detail: `${who} must not set securityContext.seccompProfile.type to ${values}` };
};

/** From which minor version on a sysctl is safe. */
const safeSysctls: Readonly<Record<string, number>> = {
  'kernel.shm_rmid_forced': 0,
  'net.ipv4.ip_local_port_range': 0,
  'net.ipv4.tcp_syncookies': 0,
  'net.ipv4.ping_group_range': 0,
  'net.ipv4.ip_unprivileged_port_start': 0,
  'net.ipv4.ip_local_reserved_ports': 27,
  'net.ipv4.tcp_keepalive_time': 29,
  'net.ipv4.tcp_fin_timeout': 29,
  'net.ipv4.tcp_keepalive_intvl': 29,
  'net.ipv4.tcp_keepalive_probes': 29,
  'net.ipv4.tcp_rmem': 32,
  'net.ipv4.tcp_wmem': 32,
};

const sysctls: Check = ({ spec, minor }) => {
  const names = (spec.securityContext?.sysctls ?? []).map(({ name }) => name);
  const bad = names.filter((name) => (own(safeSysctls, name) ?? Number.POSITIVE_INFINITY) > minor || own(safeSysctls, name) === undefined);
  return bad.length > 0 ? { reason: 'forbidden sysctls', detail: bad.join(', ') } : undefined;
};

const windowsHostProcess: Check = ({ spec }) => {
  const names = namesOf(spec, ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true);
  const who = describeSetters(spec.securityContext?.windowsOptions?.hostProcess === true, names);
  return who ? { reason: 'hostProcess', detail: `${who} must not set securityContext.windowsOptions.hostProcess=true` } : undefined;
};

export const baselineChecks: readonly Check[] = [
  appArmorProfile,
  capabilitiesBaseline,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbesAndHostLifecycle,
  privileged,
  procMount,
  seLinuxOptions,
  seccompBaseline,
  sysctls,
  windowsHostProcess,
];
