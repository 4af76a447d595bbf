/** Checks of security contexts, of pods and of containers. Upstream: pkg/apis/core/validation/validation.go. */

import type { AppArmorProfile, PodSecurityContext, SeccompProfile, SecurityContext, Sysctl } from '../../../generated/core-v1.ts';
import { all, each, eachBy, fields, oneOf, range, required } from '../../../schema/rules/rules.ts';
import type { Rule } from '../../../schema/rules/walk.ts';
import { contextOf, type SpecContext } from './context.ts';
import { descendingPath } from './path-checks.ts';
import { windowsOptions } from './windows-checks.ts';

const idMax = 2 ** 31 - 1;
const sysctlLengthMax = 253;
const sysctlRegExp = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const sysctlFormat = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
const localhostProfileLengthMax = 4095;

const id = range(0, idMax);
const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'] as const;

const seccompPath = fields<SeccompProfile>({ localhostProfile: descendingPath });
const seccompProfile = all<SeccompProfile>(
  fields({ type: required(oneOf(...profileTypes), 'type is required when seccompProfile is set') }),
  (profile, walk, old) => {
    const { type, localhostProfile: path } = profile;
    if (type !== 'Localhost') {
      if (path !== undefined) walk.invalid('localhostProfile', profile, 'can only be set when seccomp type is Localhost');
    } else if (path === undefined) walk.required('localhostProfile', 'must be set when seccomp type is Localhost');
    else seccompPath(profile, walk, old);
  },
);

const appArmorType = fields<AppArmorProfile>({ type: required(oneOf(...profileTypes), 'type is required when appArmorProfile is set') });
const appArmorProfile: Rule<AppArmorProfile> = (profile, walk, old) => {
  const { type, localhostProfile: path } = profile;
  const at = 'localhostProfile';
  if (type !== 'Localhost') {
    appArmorType(profile, walk, old);
    if (path !== undefined && profileTypes.some((known) => known === type)) {
      walk.invalid(at, path, 'can only be set when AppArmor type is Localhost');
    }
    return;
  }
  if (path !== undefined && path.trim() !== path) walk.invalid(at, path, 'must not be padded with whitespace');
  else if (!path) walk.required(at, 'must be set when AppArmor type is Localhost');
  if ((path?.length ?? 0) > localhostProfileLengthMax) walk.tooLong(at, localhostProfileLengthMax);
};

const sysctls = eachBy<Sysctl>((_, { about }) => {
  const { hostNetwork, hostIPC } = (about as SpecContext).spec;
  const seen = new Set<string>();
  return ({ name }, walk) => {
    if (!name) walk.required('name');
    else if (name.length > sysctlLengthMax || !sysctlRegExp.test(name)) {
      walk.invalid('name', name, `must have at most ${sysctlLengthMax} characters and match regex ${sysctlFormat}`);
    } else if (seen.has(name)) walk.duplicate('name', name);
    const dotted = normalizeSysctl(name);
    if (hostNetwork && dotted.startsWith('net.')) walk.invalid('name', name, "may not be specified when 'hostNetwork' is true");
    else if (hostIPC && isIPCSysctl(dotted)) walk.invalid('name', name, "may not be specified when 'hostIPC' is true");
    seen.add(name);
  };
});

/** With dots as separators: where a slash comes first, dots and slashes are swapped. */
function normalizeSysctl(name: string): string {
  if (name.search(/[./]/) < 0 || name[name.search(/[./]/)] === '.') return name;
  return name.replace(/[./]/g, (c) => (c === '.' ? '/' : '.'));
}

const isIPCSysctl = (name: string): boolean =>
  name === 'kernel.sem' || name.startsWith('kernel.shm') || name.startsWith('kernel.msg') || name.startsWith('fs.mqueue.');

export const podSecurityContext = all<PodSecurityContext>(
  fields({ fsGroup: id, runAsUser: id, runAsGroup: id, supplementalGroups: each(id) }),
  (_, walk) => {
    const { shareProcessNamespace, hostPID } = contextOf(walk).spec;
    if (!shareProcessNamespace || !hostPID) return;
    walk.invalid('shareProcessNamespace', true, 'ShareProcessNamespace and HostPID cannot both be enabled');
  },
  fields({
    sysctls,
    fsGroupChangePolicy: oneOf('Always', 'OnRootMismatch'),
    seccompProfile,
    windowsOptions,
    appArmorProfile,
    supplementalGroupsPolicy: oneOf('Merge', 'Strict'),
    seLinuxChangePolicy: oneOf('Recursive'),
  }),
);

export const securityContext = all<SecurityContext>(
  fields({
    runAsUser: id,
    runAsGroup: id,
    procMount: all(oneOf('Default', 'Unmasked'), (mount, walk) => {
      const { hostUsers = true } = contextOf(walk).spec;
      if (hostUsers && mount === 'Unmasked') walk.invalid('', mount, '`hostUsers` must be false to use `Unmasked`');
    }),
    seccompProfile,
  }),
  (given, walk) => {
    if (given.allowPrivilegeEscalation !== false) return;
    const refuse = (what: string): void => walk.invalid('', given, `cannot set \`allowPrivilegeEscalation\` to false and ${what}`);
    if (given.privileged) refuse('`privileged` to true');
    if (given.capabilities?.add?.includes('CAP_SYS_ADMIN')) refuse('`capabilities.Add` CAP_SYS_ADMIN');
  },
  fields({ windowsOptions, appArmorProfile }),
);
