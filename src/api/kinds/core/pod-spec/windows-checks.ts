/**
 * Checks that go with the operating system: what Windows pods may not have, what only they may have.
 * Upstream: pkg/apis/core/validation/validation.go.
 */
import type { PodSecurityContext, PodSpec, SecurityContext, WindowsSecurityContextOptions } from '../../../generated/core-v1.ts';
import { checkDns1123Subdomain } from '../../../meta/names.ts';
import { fieldErrors } from '../../../meta/status-error.ts';
import { addInvalid, type Errors } from '../../checks.ts';
import { eachContainer } from './each-container.ts';

const credentialSpecKiBMax = 64;
const domainLengthMax = 256;
const userLengthMax = 104;
const netBiosDomain = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const dnsDomain = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

export function checkWindowsOptions(errors: Errors, path: string, options: WindowsSecurityContextOptions): void {
  const { gmsaCredentialSpecName: specName, gmsaCredentialSpec: spec, runAsUserName: user } = options;
  if (specName !== undefined) addInvalid(errors, `${path}.gmsaCredentialSpecName`, specName, checkDns1123Subdomain(specName));
  if (spec === '') errors.push(fieldErrors.invalid(`${path}.gmsaCredentialSpec`, spec, 'gmsaCredentialSpec cannot be an empty string'));
  else if (spec !== undefined && spec.length > credentialSpecKiBMax * 1024) {
    errors.push(
      fieldErrors.invalid(`${path}.gmsaCredentialSpec`, spec, `gmsaCredentialSpec size must be under ${credentialSpecKiBMax} KiB`),
    );
  }
  if (user !== undefined) addInvalid(errors, `${path}.runAsUserName`, user, whatIsWrongWithUser(user));
}

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

/** Either all containers are host processes, or none is; and host processes need the host's network. */
export function checkHostProcess(errors: Errors, path: string, spec: PodSpec): void {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  let count = 0;
  let hostProcesses = 0;
  eachContainer(spec, path, (container, at) => {
    count++;
    const own = container.securityContext?.windowsOptions?.hostProcess;
    if (ofPod !== undefined && own !== undefined && ofPod !== own) {
      const message = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
      errors.push(fieldErrors.invalid(`${at}.securityContext.windowsOptions.hostProcess`, own, message));
    }
    if (own ?? ofPod) hostProcesses++;
  });
  if (!hostProcesses) return;
  if (hostProcesses !== count) {
    const message = 'If pod contains any hostProcess containers then all containers must be HostProcess containers';
    errors.push(fieldErrors.invalid(path, '', message));
  }
  if (!spec.hostNetwork) {
    errors.push(fieldErrors.invalid(`${path}.hostNetwork`, false, 'hostNetwork must be true if pod contains any hostProcess containers'));
  }
}

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

export function checkOS(errors: Errors, path: string, spec: PodSpec): void {
  const name = spec.os?.name;
  if (!name) errors.push(fieldErrors.required(`${path}.os.name`));
  else if (name === 'linux') checkLinux(errors, path, spec);
  else if (name === 'windows') checkWindows(errors, path, spec);
  else errors.push(fieldErrors.notSupported(`${path}.os`, name, ['linux', 'windows']));
}

function checkLinux(errors: Errors, path: string, spec: PodSpec): void {
  const message = 'windows options cannot be set for a linux pod';
  if (spec.securityContext?.windowsOptions) errors.push(fieldErrors.forbidden(`${path}.securityContext.windowsOptions`, message));
  eachContainer(spec, path, (container, at) => {
    if (container.securityContext?.windowsOptions) errors.push(fieldErrors.forbidden(`${at}.securityContext.windowsOptions`, message));
  });
}

function checkWindows(errors: Errors, path: string, spec: PodSpec): void {
  const forbid = (at: string): void => void errors.push(fieldErrors.forbidden(at, 'cannot be set for a windows pod'));
  for (const field of linuxOnlySpec) {
    const flag = field === 'hostPID' || field === 'hostIPC';
    if (flag ? spec[field] : spec[field] !== undefined) forbid(`${path}.${field}`);
  }
  for (const field of linuxOnlyOfPod) if (spec.securityContext?.[field] !== undefined) forbid(`${path}.securityContext.${field}`);
  eachContainer(spec, path, (container, at) => {
    for (const field of linuxOnlyOfContainer) {
      if (container.securityContext?.[field] !== undefined) forbid(`${at}.securityContext.${field}`);
    }
  });
}
