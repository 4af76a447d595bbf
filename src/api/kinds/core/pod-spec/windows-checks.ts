/**
 * Checks that go with the operating system: what Windows pods may not have, what only they may have.
 * Upstream: pkg/apis/core/validation/validation.go.
 */

import type { Container, PodSecurityContext, PodSpec, SecurityContext, WindowsSecurityContextOptions } from '../../../generated/core-v1.ts';
import { all, fields, format } from '../../../schema/rules/rules.ts';
import type { Rule } from '../../../schema/rules/walk.ts';
import { dnsSubdomain } from '../../shared-rules.ts';
import { contextOf, ofContainers } from './context.ts';
import { containersOf } from './each-container.ts';

const credentialSpecKiBMax = 64;
const domainLengthMax = 256;
const userLengthMax = 104;
const netBiosDomain = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const dnsDomain = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

export const windowsOptions = fields<WindowsSecurityContextOptions>({
  gmsaCredentialSpecName: dnsSubdomain,
  gmsaCredentialSpec: (spec, walk) => {
    if (spec === '') walk.invalid('', spec, 'gmsaCredentialSpec cannot be an empty string');
    if (spec.length <= credentialSpecKiBMax * 1024) return;
    walk.invalid('', spec, `gmsaCredentialSpec size must be under ${credentialSpecKiBMax} KiB`);
  },
  runAsUserName: format(whatIsWrongWithUser),
});

function whatIsWrongWithUser(name: string): readonly string[] {
  if (!name) return ['runAsUserName cannot be an empty string'];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\x00-\x1f\x7f]/.test(name)) return ['runAsUserName cannot contain control characters'];
  const parts = name.split('\\');
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash'];
  const user = parts.at(-1) ?? '';
  const domain = parts.length === 2 ? (parts[0] ?? '') : undefined;
  const found: string[] = [];
  if (domain !== undefined) {
    if (domain.length >= domainLengthMax) found.push(`runAsUserName's Domain length must be under ${domainLengthMax} characters`);
    if (!netBiosDomain.test(domain) && !dnsDomain.test(domain)) {
      found.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
    }
  }
  if (!user) found.push("runAsUserName's User cannot be empty");
  else if (user.length > userLengthMax) found.push(`runAsUserName's User length must not be longer than ${userLengthMax} characters`);
  if (/^[. ]+$/.test(user)) found.push("runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    found.push('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]');
  }
  return found;
}

const hostProcessOf = ({ securityContext: given }: Pick<PodSpec, 'securityContext'> | Pick<Container, 'securityContext'>) =>
  given?.windowsOptions?.hostProcess;

/** Either all containers are host processes, or none is; and host processes need the host's network. */
export const hostProcesses: Rule<PodSpec> = (spec, walk, old) => {
  sameAsPod(spec, walk, old);
  const ofPod = hostProcessOf(spec);
  const every = containersOf(spec);
  const some = every.filter((container) => hostProcessOf(container) ?? ofPod);
  if (!some.length) return;
  if (some.length !== every.length) {
    walk.invalid('', '', 'If pod contains any hostProcess containers then all containers must be HostProcess containers');
  }
  if (!spec.hostNetwork) walk.invalid('hostNetwork', false, 'hostNetwork must be true if pod contains any hostProcess containers');
};

const sameAsPod = ofContainers((container, walk) => {
  const own = hostProcessOf(container);
  const ofPod = hostProcessOf(contextOf(walk).spec);
  if (ofPod === undefined || own === undefined || ofPod === own) return;
  const message = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
  walk.invalid('securityContext.windowsOptions.hostProcess', own, message);
});

const linuxOnlySpec = ['hostUsers', 'hostPID', 'hostIPC', 'shareProcessNamespace'] as const;
const linuxOnlyOfPod: readonly (keyof PodSecurityContext)[] = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
];
const linuxOnlyOfContainer: readonly (keyof SecurityContext)[] = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
];

export const operatingSystem: Rule<PodSpec> = (spec, walk, old) => {
  const name = spec.os?.name;
  if (!name) walk.required('os.name');
  else if (name === 'linux') ofLinux(spec, walk, old);
  else if (name === 'windows') ofWindows(spec, walk, old);
  else walk.notSupported('os', name, ['linux', 'windows']);
};

const noWindowsOptions: Rule<Pick<PodSpec, 'securityContext'> | Pick<Container, 'securityContext'>> = (
  { securityContext: given },
  walk,
) => {
  if (given?.windowsOptions) walk.forbidden('securityContext.windowsOptions', 'windows options cannot be set for a linux pod');
};
const ofLinux = all<PodSpec>(noWindowsOptions, ofContainers(noWindowsOptions));

const forbiddenOnWindows = 'cannot be set for a windows pod';
const ofWindows = all<PodSpec>(
  (spec, walk) => {
    for (const field of linuxOnlySpec) {
      const flag = field === 'hostPID' || field === 'hostIPC';
      if (flag ? spec[field] : spec[field] !== undefined) walk.forbidden(field, forbiddenOnWindows);
    }
    for (const field of linuxOnlyOfPod) {
      if (spec.securityContext?.[field] !== undefined) walk.forbidden(`securityContext.${field}`, forbiddenOnWindows);
    }
  },
  ofContainers(({ securityContext: given }, walk) => {
    for (const field of linuxOnlyOfContainer) {
      if (given?.[field] !== undefined) walk.forbidden(`securityContext.${field}`, forbiddenOnWindows);
    }
  }),
);
