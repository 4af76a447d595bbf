/**
 * Defaults that pods have and templates don't: requests from limits, service links, host ports, requests of the pod as a whole.
 * Upstream: pkg/apis/core/v1/defaults.go (SetDefaults_Pod), component-helpers/resource/helpers.go.
 */

import type { Container, PodSpec, ResourceRequirements } from '../../../generated/core-v1.ts';
import { addQuantities, compareQuantities } from '../../../meta/quantity.ts';
import { own, put } from '../../../meta/words.ts';
import { isEmptyObject, listOf } from '../../lists.ts';
import { change, mapSame, setDefaults } from '../../set-defaults.ts';
import { defaultPodSpec } from './defaults.ts';
import { isHugePages } from './resource-names.ts';

type Quantities = Readonly<Record<string, string>>;

export function defaultSpecOfPod(given: PodSpec): PodSpec {
  let spec = setDefaults(defaultPodSpec(given), { enableServiceLinks: true });
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec = { ...spec, terminationGracePeriodSeconds: 1 };
  spec = change(spec, 'containers', (list) => mapSame(list, requestsFromLimits));
  if (spec.initContainers) spec = change(spec, 'initContainers', (list) => mapSame(list, requestsFromLimits));
  if (spec.resources) spec = change(spec, 'resources', (resources) => defaultPodResources(spec, resources));
  if (spec.hostNetwork) {
    spec = change(spec, 'containers', (list) => mapSame(list, withHostPorts));
    spec = change(spec, 'initContainers', (list) => mapSame(list, withHostPorts));
  }
  return spec;
}

function requestsFromLimits(container: Container): Container {
  const limits = container.resources?.limits;
  if (!limits || isEmptyObject(limits)) return container;
  return change(container, 'resources', (resources) => {
    const requests = setDefaults<Quantities>(resources.requests ?? {}, limits);
    return requests === resources.requests ? resources : { ...resources, requests };
  });
}

const withHostPorts = (container: Container): Container =>
  change(container, 'ports', (ports) => mapSame(ports, (port) => (port.hostPort ? port : { ...port, hostPort: port.containerPort })));

const isPodLevel = (name: string): boolean => name === 'cpu' || name === 'memory' || isHugePages(name);

function defaultPodResources(spec: PodSpec, given: ResourceRequirements): ResourceRequirements {
  let resources = given;
  if (isEmptyObject(resources.limits) && isEmptyObject(resources.requests)) return resources;
  const hugePageLimits = pick(aggregate(spec, 'limits'), (name) => isHugePages(name) && own(resources.requests, name) === undefined);
  if (!isEmptyObject(hugePageLimits)) resources = { ...resources, limits: { ...hugePageLimits, ...resources.limits } };
  if (isEmptyObject(resources.limits)) return resources;
  const fromContainers = pick(aggregate(spec, 'requests'), (name) => isPodLevel(name) && !isHugePages(name));
  const fromLimits = pick(resources.limits ?? {}, isPodLevel);
  const requests = { ...fromLimits, ...fromContainers, ...resources.requests };
  return isEmptyObject(requests) ? resources : { ...resources, requests };
}

function pick(quantities: Quantities, wanted: (name: string) => boolean): Quantities {
  return Object.fromEntries(Object.entries(quantities).filter(([name]) => wanted(name)));
}

/** What the containers need together: the sum of those that run at once, or what one init container needs when that is more. */
export function aggregate(spec: PodSpec, which: 'requests' | 'limits'): Quantities {
  let sum: Quantities = {};
  for (const container of listOf(spec.containers)) sum = add(sum, container.resources?.[which]);
  let sidecars: Quantities = {};
  let initMax: Quantities = {};
  for (const container of listOf(spec.initContainers)) {
    const own = container.resources?.[which];
    if (container.restartPolicy === 'Always') {
      sum = add(sum, own);
      sidecars = add(sidecars, own);
      initMax = max(initMax, sidecars);
    } else {
      initMax = max(initMax, add(sidecars, own));
    }
  }
  return max(sum, initMax);
}

const add = (a: Quantities, b: Quantities | undefined): Quantities => merge(a, b, addQuantities);
const max = (a: Quantities, b: Quantities): Quantities => merge(a, b, (x, y) => (compareQuantities(x, y) < 0 ? y : x));

function merge(a: Quantities, b: Quantities | undefined, join: (x: string, y: string) => string): Quantities {
  if (!b) return a;
  const result: Record<string, string> = { ...a };
  for (const name in b) {
    const value = b[name] as string;
    const there = own(result, name);
    put(result, name, there === undefined ? value : join(there, value));
  }
  return result;
}
