/** What a client is warned of in containers: hidden variables, ports that get into each other's way. Upstream: pkg/api/pod/warnings.go. */

import type { Container, ContainerPort, PodSpec } from '../../../generated/core-v1.ts';
import type { LabelMap } from '../../../meta/selectors.ts';
import { own } from '../../../meta/words.ts';
import { listOf } from '../../lists.ts';
import { fractionWarnings } from '../../quantity-warnings.ts';
import { appArmorPrefix } from './annotation-checks.ts';
import { eachContainer } from './each-container.ts';

const seccompPrefix = 'container.seccomp.security.alpha.kubernetes.io/';

interface Written {
  readonly spec: PodSpec;
  readonly annotations: LabelMap;
  readonly prefix: string;
}

export function containerWarnings({ spec, annotations, prefix }: Written): readonly string[] {
  const warnings: string[] = [];
  const at = (key: string): string => `${prefix}metadata.annotations[${key}]`;
  eachContainer(spec, `${prefix}spec`, (container, path) => {
    const { seccompProfile, appArmorProfile } = container.securityContext ?? {};
    const seccomp = seccompPrefix + container.name;
    if (!seccompProfile && Object.hasOwn(annotations, seccomp)) {
      warnings.push(`${at(seccomp)}: non-functional in v1.27+; use the "seccompProfile" field instead`);
    }
    const armor = appArmorPrefix + container.name;
    // of a pod itself, the annotation is read into the field
    if (prefix && !appArmorProfile && Object.hasOwn(annotations, armor) && !matchesProfile(spec, own(annotations, armor) ?? '')) {
      warnings.push(`${at(armor)}: deprecated since v1.30; use the "appArmorProfile" field instead`);
    }
    const { limits, requests } = container.resources ?? {};
    warnings.push(...fractionWarnings(`${path}.resources.limits`, limits), ...fractionWarnings(`${path}.resources.requests`, requests));
    warnings.push(...variableWarnings(path, listOf(container.env)));
  });
  return warnings;
}

function matchesProfile({ securityContext }: PodSpec, annotation: string): boolean {
  const { type, localhostProfile } = securityContext?.appArmorProfile ?? {};
  if (type === 'Localhost') return annotation === `localhost/${localhostProfile ?? ''}`;
  return annotation === (type === 'RuntimeDefault' ? 'runtime/default' : type === 'Unconfined' ? 'unconfined' : undefined);
}

/** A variable may build on an earlier one of its name, but not drop it. */
function variableWarnings(path: string, variables: NonNullable<Container['env']>): readonly string[] {
  const known = new Set<string>();
  return variables.flatMap(({ name, value = '', valueFrom }, i) => {
    const reference = `$(${name})`;
    const hides = known.has(name) && (valueFrom !== undefined || value === reference || !value.includes(reference));
    known.add(name);
    if (!hides) return [];
    return [`${path}.env[${i}]: hides previous definition of "${name}", which may be dropped when using apply`];
  });
}

interface Placed {
  readonly port: ContainerPort;
  readonly at: string;
  readonly order: number;
}

/** Of one pod, of ports that two definitions share: of n there can be n² pairs. */
const conflictsMax = 100;

export function portWarnings(path: string, spec: PodSpec): readonly string[] {
  const warnings: string[] = [];
  const byNumber = new Map<string, SharedPort>();
  const names = new Map<string, string>();
  const nameWarnings: string[] = [];
  let conflicts = 0;
  let order = 0;
  eachContainer(spec, path, (container, containerPath) => {
    listOf(container.ports).forEach((port, i) => {
      const at = `${containerPath}.ports[${i}]`;
      if (port.hostIP && !port.hostPort) warnings.push(`${at}: hostIP set without hostPort: ${shown(port)}`);
      const key = `${port.containerPort}/${port.protocol}`;
      const shared = byNumber.get(key) ?? new SharedPort();
      byNumber.set(key, shared);
      for (const other of conflicts < conflictsMax ? shared.conflicting(port).slice(0, conflictsMax - conflicts) : []) {
        warnings.push(`${at}: ${wordOf(port, other.port)} port definition with ${other.at}`);
        conflicts++;
      }
      shared.add({ port, at, order: order++ });
      const first = port.name && names.get(port.name);
      if (first) {
        const message = `duplicate port name "${port.name}" with ${first}, services and probes that select ports by name will use ${first}`;
        nameWarnings.push(`${at}: ${message}`);
      } else if (port.name) names.set(port.name, at);
    });
  });
  return [...warnings, ...nameWarnings];
}

/** Definitions of one number and protocol, by where they are on the host. */
class SharedPort {
  readonly #all: Placed[] = [];
  readonly #withoutHost: Placed[] = [];
  readonly #byHost = new Map<number, Placed[]>();
  readonly #byPlace = new Map<string, Placed[]>();

  add(placed: Placed): void {
    const { hostPort = 0, hostIP = '' } = placed.port;
    this.#all.push(placed);
    if (!hostPort) this.#withoutHost.push(placed);
    listIn(this.#byHost, hostPort).push(placed);
    listIn(this.#byPlace, `${hostPort} ${hostIP}`).push(placed);
  }

  /** Those that get into its way, in their order. A port that is bound to one address leaves alone what is bound to another. */
  conflicting({ hostPort = 0, hostIP = '' }: ContainerPort): readonly Placed[] {
    if (!hostPort) return this.#all;
    const onHost = hostIP ? [...this.#at(hostPort, ''), ...this.#at(hostPort, hostIP)] : (this.#byHost.get(hostPort) ?? []);
    if (onHost.length === 0) return this.#withoutHost;
    return [...this.#withoutHost, ...onHost].toSorted((a, b) => a.order - b.order);
  }

  #at(hostPort: number, hostIP: string): readonly Placed[] {
    return this.#byPlace.get(`${hostPort} ${hostIP}`) ?? [];
  }
}

function listIn<K>(lists: Map<K, Placed[]>, key: K): Placed[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

/** As upstream prints it. */
const shown = ({ name = '', hostPort = 0, containerPort, protocol, hostIP = '' }: ContainerPort): string =>
  `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol ?? ''} HostIP:${hostIP}}`;

function wordOf(port: ContainerPort, other: ContainerPort): string {
  const [ip, otherIP] = [port.hostIP ?? '', other.hostIP ?? ''];
  const [host, otherHost] = [port.hostPort ?? 0, other.hostPort ?? 0];
  if (ip === otherIP && host === otherHost) return 'duplicate';
  return host && otherHost ? 'dangerously ambiguous' : 'overlapping';
}
