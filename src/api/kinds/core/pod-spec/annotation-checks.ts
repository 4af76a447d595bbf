/**
 * Checks of the annotations of a pod that mean something to the server: deletion cost, mirror pods, and the old way of
 * naming seccomp and AppArmor profiles. Upstream: pkg/apis/core/validation/validation.go.
 */

import type { AppArmorProfile, PodSpec, SeccompProfile } from '../../../generated/core-v1.ts';
import type { LabelMap } from '../../../meta/selectors.ts';
import { own } from '../../../meta/words.ts';
import type { Rule, Walk } from '../../../schema/rules/walk.ts';
import { ofContainers } from './context.ts';
import { containersOf } from './each-container.ts';
import { descendingPath } from './path-checks.ts';

export const mirrorKey = 'kubernetes.io/config.mirror';
const deletionCostKey = 'controller.kubernetes.io/pod-deletion-cost';
const seccompPodKey = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompContainerPrefix = 'container.seccomp.security.alpha.kubernetes.io/';
export const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/';

interface Annotated {
  readonly annotations: LabelMap | undefined;
  readonly spec: PodSpec;
}

const annotationsOf =
  (spec: PodSpec): Rule<LabelMap> =>
  (annotations, walk) => {
    let containers: ReadonlySet<string> | undefined;
    for (const [key, value] of Object.entries(annotations)) {
      if (key === mirrorKey) {
        if (!spec.nodeName) walk.invalid(`[${key}]`, value, 'must set spec.nodeName if mirror pod annotation is set');
      } else if (key === deletionCostKey) {
        if (!isInt32(value)) walk.invalid(`[${key}]`, value, 'must be a 32bit integer');
      } else if (key === seccompPodKey || key.startsWith(seccompContainerPrefix)) walk.check(key, value, seccompText);
      else if (key.startsWith(appArmorPrefix)) {
        containers ??= new Set(containersOf(spec).map(({ name }) => name));
        checkAppArmorText(walk, key, { value, containers });
      }
    }
  };

/** Of an object that has the annotations of a pod of that spec. */
export const podAnnotations: Rule<Annotated> = ({ annotations, spec }, walk) => walk.check('annotations', annotations, annotationsOf(spec));

function isInt32(text: string): boolean {
  if (!/^(0|-?[1-9]\d*)$/.test(text)) return false;
  const value = Number(text);
  return value >= -(2 ** 31) && value < 2 ** 31;
}

const seccompText: Rule<string> = (value, walk) => {
  if (value === 'runtime/default' || value === 'docker/default' || value === 'unconfined') return;
  if (value.startsWith('localhost/')) descendingPath(value.slice('localhost/'.length), walk, undefined);
  else walk.invalid('', value, 'must be a valid seccomp profile');
};

function checkAppArmorText(walk: Walk, key: string, { value, containers }: { value: string; containers: ReadonlySet<string> }): void {
  const name = key.slice(appArmorPrefix.length);
  if (!containers.has(name)) walk.invalid(`[${key}]`, name, 'container not found');
  if (value && value !== 'runtime/default' && value !== 'unconfined' && !value.startsWith('localhost/')) {
    walk.invalid(`[${key}]`, value, `invalid AppArmor profile name: ${JSON.stringify(value)}`);
  }
}

/** Of the spec: where both the annotation and the field name a profile, they must agree. */
export const profilesAgree =
  (annotations: LabelMap): Rule<PodSpec> =>
  (spec, walk, old) => {
    const { seccompProfile: seccomp, appArmorProfile: podProfile } = spec.securityContext ?? {};
    checkAgreement(walk, { annotation: annotations[seccompPodKey], profile: seccomp, called: 'seccomp' });
    if (!Object.keys(annotations).some((key) => key.startsWith(seccompContainerPrefix) || key.startsWith(appArmorPrefix))) return;
    ofContainers(({ name, securityContext: given }, at) => {
      const annotation = own(annotations, seccompContainerPrefix + name);
      checkAgreement(at, { annotation, profile: given?.seccompProfile, called: 'seccomp' });
      if (spec.os?.name === 'windows') return;
      const profile = given?.appArmorProfile ?? podProfile;
      checkAgreement(at, { annotation: own(annotations, appArmorPrefix + name), profile, called: 'apparmor' });
    })(spec, walk, old);
  };

interface Agreement {
  readonly annotation: string | undefined;
  readonly profile: SeccompProfile | AppArmorProfile | undefined;
  readonly called: 'seccomp' | 'apparmor';
}

/** Texts that mean what the type says. */
const textsOf: Readonly<Record<Agreement['called'], Readonly<Record<string, readonly string[]>>>> = {
  seccomp: { Unconfined: ['unconfined'], RuntimeDefault: ['runtime/default', 'docker/default'] },
  apparmor: { Unconfined: ['unconfined'], RuntimeDefault: ['runtime/default'] },
};

function checkAgreement(walk: Walk, { annotation, profile, called }: Agreement): void {
  if (annotation === undefined || !profile) return;
  const at = `securityContext.${called === 'seccomp' ? 'seccompProfile' : 'appArmorProfile'}`;
  const texts = own(textsOf[called], profile.type);
  const isLocal = profile.type === 'Localhost';
  const typesAgree = isLocal ? annotation.startsWith('localhost/') : (texts?.includes(annotation) ?? true);
  if (!typesAgree) walk.forbidden(`${at}.type`, `${called} type in annotation and field must match`);
  else if (isLocal && annotation.slice('localhost/'.length) !== profile.localhostProfile) {
    walk.forbidden(`${at}.localhostProfile`, `${called} profile in annotation and field must match`);
  }
}
