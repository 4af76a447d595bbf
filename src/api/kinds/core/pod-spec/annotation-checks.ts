/**
 * Checks of the annotations of a pod that mean something to the server: deletion cost, mirror pods, and the old way of
 * naming seccomp and AppArmor profiles. Upstream: pkg/apis/core/validation/validation.go.
 */

import type { AppArmorProfile, PodSpec, SeccompProfile } from '../../../generated/core-v1.ts';
import type { LabelMap } from '../../../meta/selectors.ts';
import { fieldErrors } from '../../../meta/status-error.ts';
import { own } from '../../../meta/words.ts';
import type { Errors } from '../../checks.ts';
import { eachContainer } from './each-container.ts';
import { checkDescendingPath } from './path-checks.ts';

export const mirrorKey = 'kubernetes.io/config.mirror';
const deletionCostKey = 'controller.kubernetes.io/pod-deletion-cost';
const seccompPodKey = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompContainerPrefix = 'container.seccomp.security.alpha.kubernetes.io/';
export const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/';

interface Annotated {
  readonly annotations: LabelMap;
  readonly spec: PodSpec;
}

export function checkPodAnnotations(errors: Errors, path: string, { annotations, spec }: Annotated): void {
  let containers: ReadonlySet<string> | undefined;
  for (const key in annotations) {
    const value = annotations[key] ?? '';
    if (key === mirrorKey) {
      if (!spec.nodeName) {
        errors.push(fieldErrors.invalid(`${path}[${key}]`, value, 'must set spec.nodeName if mirror pod annotation is set'));
      }
    } else if (key === deletionCostKey) {
      if (!isInt32(value)) errors.push(fieldErrors.invalid(`${path}[${key}]`, value, 'must be a 32bit integer'));
    } else if (key === seccompPodKey || key.startsWith(seccompContainerPrefix)) checkSeccompText(errors, `${path}.${key}`, value);
    else if (key.startsWith(appArmorPrefix)) {
      containers ??= namesOfContainers(spec);
      checkAppArmorText(errors, `${path}[${key}]`, { name: key.slice(appArmorPrefix.length), value, containers });
    }
  }
}

function namesOfContainers(spec: PodSpec): ReadonlySet<string> {
  const names = new Set<string>();
  eachContainer(spec, '', ({ name }) => {
    names.add(name);
  });
  return names;
}

interface AppArmorText {
  /** of the container */
  readonly name: string;
  readonly value: string;
  readonly containers: ReadonlySet<string>;
}

function isInt32(text: string): boolean {
  if (!/^(0|-?[1-9]\d*)$/.test(text)) return false;
  const value = Number(text);
  return value >= -(2 ** 31) && value < 2 ** 31;
}

function checkSeccompText(errors: Errors, path: string, value: string): void {
  if (value === 'runtime/default' || value === 'docker/default' || value === 'unconfined') return;
  if (value.startsWith('localhost/')) checkDescendingPath(errors, path, value.slice('localhost/'.length));
  else errors.push(fieldErrors.invalid(path, value, 'must be a valid seccomp profile'));
}

function checkAppArmorText(errors: Errors, path: string, { name, value, containers }: AppArmorText): void {
  if (!containers.has(name)) errors.push(fieldErrors.invalid(path, name, 'container not found'));
  if (value && value !== 'runtime/default' && value !== 'unconfined' && !value.startsWith('localhost/')) {
    errors.push(fieldErrors.invalid(path, value, `invalid AppArmor profile name: ${JSON.stringify(value)}`));
  }
}

/** Where both the annotation and the field name a profile, they must agree. */
export function checkProfileAnnotations(errors: Errors, path: string, { annotations, spec }: Annotated): void {
  const seccomp = spec.securityContext?.seccompProfile;
  const ofPod = annotations[seccompPodKey];
  if (seccomp && ofPod !== undefined) {
    const legacy = seccomp.type === 'RuntimeDefault' ? 'docker/default' : undefined;
    checkAgreement(errors, `${path}.securityContext.seccompProfile`, { annotation: ofPod, profile: seccomp, called: 'seccomp', legacy });
  }
  const podProfile = spec.securityContext?.appArmorProfile;
  if (!Object.keys(annotations).some((key) => key.startsWith(seccompContainerPrefix) || key.startsWith(appArmorPrefix))) return;
  eachContainer(spec, path, (container, at) => {
    const given = container.securityContext;
    const seccompText = own(annotations, seccompContainerPrefix + container.name);
    const appArmorText = own(annotations, appArmorPrefix + container.name);
    if (given?.seccompProfile && seccompText !== undefined) {
      const profile = given.seccompProfile;
      const legacy = profile.type === 'RuntimeDefault' ? 'docker/default' : undefined;
      checkAgreement(errors, `${at}.securityContext.seccompProfile`, { annotation: seccompText, profile, called: 'seccomp', legacy });
    }
    const profile = given?.appArmorProfile ?? podProfile;
    if (profile && appArmorText !== undefined && spec.os?.name !== 'windows') {
      const agreement = { annotation: appArmorText, profile, called: 'apparmor', legacy: undefined };
      checkAgreement(errors, `${at}.securityContext.appArmorProfile`, agreement);
    }
  });
}

interface Agreement {
  readonly annotation: string;
  readonly profile: SeccompProfile | AppArmorProfile;
  readonly called: string;
  /** another text that means the same */
  readonly legacy: string | undefined;
}

function checkAgreement(errors: Errors, path: string, { annotation, profile, called, legacy }: Agreement): void {
  const texts: Readonly<Record<string, string>> = { Unconfined: 'unconfined', RuntimeDefault: 'runtime/default' };
  const mismatch = `${called} type in annotation and field must match`;
  if (profile.type === 'Localhost') {
    if (!annotation.startsWith('localhost/')) errors.push(fieldErrors.forbidden(`${path}.type`, mismatch));
    else if (annotation.slice('localhost/'.length) !== profile.localhostProfile) {
      errors.push(fieldErrors.forbidden(`${path}.localhostProfile`, `${called} profile in annotation and field must match`));
    }
  } else if (texts[profile.type] !== undefined && annotation !== texts[profile.type] && annotation !== legacy) {
    errors.push(fieldErrors.forbidden(`${path}.type`, mismatch));
  }
}
