/** Checks of security contexts, of pods and of containers. Upstream: pkg/apis/core/validation/validation.go. */
import type { AppArmorProfile, PodSpec, SeccompProfile, SecurityContext } from '../../../generated/core-v1.ts';
import { rangeMessage } from '../../../meta/names.ts';
import { fieldErrors } from '../../../meta/status-error.ts';
import { checkOneOf, checkSupported, type Errors } from '../../checks.ts';
import { checkDescendingPath } from './path-checks.ts';
import { checkWindowsOptions } from './windows-checks.ts';

const idMax = 2 ** 31 - 1;
const sysctlLengthMax = 253;
const sysctlRegExp = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const sysctlFormat = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
const localhostProfileLengthMax = 4095;

function checkID(errors: Errors, path: string, id: number | undefined): void {
  if (id !== undefined && (id < 0 || id > idMax)) errors.push(fieldErrors.invalid(path, id, rangeMessage(0, idMax)));
}

export function checkPodSecurityContext(errors: Errors, path: string, spec: PodSpec): void {
  const { securityContext: sc } = spec;
  if (!sc) return;
  checkID(errors, `${path}.fsGroup`, sc.fsGroup);
  checkID(errors, `${path}.runAsUser`, sc.runAsUser);
  checkID(errors, `${path}.runAsGroup`, sc.runAsGroup);
  sc.supplementalGroups?.forEach((id, i) => {
    checkID(errors, `${path}.supplementalGroups[${i}]`, id);
  });
  if (spec.shareProcessNamespace && spec.hostPID) {
    const message = 'ShareProcessNamespace and HostPID cannot both be enabled';
    errors.push(fieldErrors.invalid(`${path}.shareProcessNamespace`, true, message));
  }
  if (sc.sysctls) checkSysctls(errors, `${path}.sysctls`, spec);
  checkSupported(errors, `${path}.fsGroupChangePolicy`, sc.fsGroupChangePolicy, ['Always', 'OnRootMismatch']);
  if (sc.seccompProfile) checkSeccompProfile(errors, `${path}.seccompProfile`, sc.seccompProfile);
  if (sc.windowsOptions) checkWindowsOptions(errors, `${path}.windowsOptions`, sc.windowsOptions);
  if (sc.appArmorProfile) checkAppArmorProfile(errors, `${path}.appArmorProfile`, sc.appArmorProfile);
  checkSupported(errors, `${path}.supplementalGroupsPolicy`, sc.supplementalGroupsPolicy, ['Merge', 'Strict']);
  checkSupported(errors, `${path}.seLinuxChangePolicy`, sc.seLinuxChangePolicy, ['Recursive']);
}

function checkSysctls(errors: Errors, path: string, spec: PodSpec): void {
  const seen = new Set<string>();
  for (const [i, { name }] of (spec.securityContext?.sysctls ?? []).entries()) {
    const at = `${path}[${i}].name`;
    if (!name) errors.push(fieldErrors.required(at));
    else if (name.length > sysctlLengthMax || !sysctlRegExp.test(name)) {
      errors.push(fieldErrors.invalid(at, name, `must have at most ${sysctlLengthMax} characters and match regex ${sysctlFormat}`));
    } else if (seen.has(name)) errors.push(fieldErrors.duplicate(at, name));
    const dotted = normalizeSysctl(name);
    if (spec.hostNetwork && dotted.startsWith('net.')) {
      errors.push(fieldErrors.invalid(at, name, "may not be specified when 'hostNetwork' is true"));
    } else if (spec.hostIPC && isIPCSysctl(dotted)) {
      errors.push(fieldErrors.invalid(at, name, "may not be specified when 'hostIPC' is true"));
    }
    seen.add(name);
  }
}

/** With dots as separators: where a slash comes first, dots and slashes are swapped. */
function normalizeSysctl(name: string): string {
  if (name.search(/[./]/) < 0 || name[name.search(/[./]/)] === '.') return name;
  return name.replace(/[./]/g, (c) => (c === '.' ? '/' : '.'));
}

const isIPCSysctl = (name: string): boolean =>
  name === 'kernel.sem' || name.startsWith('kernel.shm') || name.startsWith('kernel.msg') || name.startsWith('fs.mqueue.');

export function checkSecurityContext(errors: Errors, path: string, sc: SecurityContext, options: { readonly hostUsers: boolean }): void {
  checkID(errors, `${path}.runAsUser`, sc.runAsUser);
  checkID(errors, `${path}.runAsGroup`, sc.runAsGroup);
  if (sc.procMount !== undefined) {
    checkSupported(errors, `${path}.procMount`, sc.procMount, ['Default', 'Unmasked']);
    if (options.hostUsers && sc.procMount === 'Unmasked') {
      errors.push(fieldErrors.invalid(`${path}.procMount`, sc.procMount, '`hostUsers` must be false to use `Unmasked`'));
    }
  }
  if (sc.seccompProfile) checkSeccompProfile(errors, `${path}.seccompProfile`, sc.seccompProfile);
  if (sc.allowPrivilegeEscalation === false) {
    if (sc.privileged) {
      errors.push(fieldErrors.invalid(path, sc, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'));
    }
    if (sc.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      errors.push(fieldErrors.invalid(path, sc, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'));
    }
  }
  if (sc.windowsOptions) checkWindowsOptions(errors, `${path}.windowsOptions`, sc.windowsOptions);
  if (sc.appArmorProfile) checkAppArmorProfile(errors, `${path}.appArmorProfile`, sc.appArmorProfile);
}

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];

function checkSeccompProfile(errors: Errors, path: string, profile: SeccompProfile): void {
  checkOneOf(errors, `${path}.type`, profile.type, { of: profileTypes, detail: 'type is required when seccompProfile is set' });
  const at = `${path}.localhostProfile`;
  if (profile.type !== 'Localhost') {
    if (profile.localhostProfile !== undefined) {
      errors.push(fieldErrors.invalid(at, profile, 'can only be set when seccomp type is Localhost'));
    }
  } else if (profile.localhostProfile === undefined) errors.push(fieldErrors.required(at, 'must be set when seccomp type is Localhost'));
  else checkDescendingPath(errors, at, profile.localhostProfile);
}

function checkAppArmorProfile(errors: Errors, path: string, profile: AppArmorProfile): void {
  const at = `${path}.localhostProfile`;
  const local = profile.localhostProfile;
  if (profile.type === 'Localhost') {
    if (local !== undefined && local.trim() !== local) errors.push(fieldErrors.invalid(at, local, 'must not be padded with whitespace'));
    else if (!local) errors.push(fieldErrors.required(at, 'must be set when AppArmor type is Localhost'));
    if (local !== undefined && local.length > localhostProfileLengthMax) errors.push(fieldErrors.tooLong(at, localhostProfileLengthMax));
    return;
  }
  checkOneOf(errors, `${path}.type`, profile.type, { of: profileTypes, detail: 'type is required when appArmorProfile is set' });
  if (local !== undefined && profileTypes.includes(profile.type))
    errors.push(fieldErrors.invalid(at, local, 'can only be set when AppArmor type is Localhost'));
}
