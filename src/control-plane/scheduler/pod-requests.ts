/**
 * What a pod asks a node for: containers together, the largest init container instead where that is more, sidecars on
 * top of what starts after them, plus overhead; pod-level requests win. Upstream: component-helpers/resource/helpers.go.
 */
import type { Container, PodSpec } from '../../api/generated/core-v1.ts';
import { quantityMilliValue, quantityValue } from '../../api/meta/quantity.ts';

export interface Requests {
  milliCPU: number;
  memoryBytes: number;
  ephemeralBytes: number;
  /** hugepages and extended resources */
  readonly others: Map<string, number>;
}

/** What scoring takes a container for that asks for nothing: 100m and 200 MB, as upstream. */
const milliCPUAssumed = 100;
const memoryBytesAssumed = 200 * 1024 * 1024;

type Quantities = { readonly [name: string]: string } | undefined;

const none = (): Requests => ({ milliCPU: 0, memoryBytes: 0, ephemeralBytes: 0, others: new Map() });

function requestsOf(quantities: Quantities): Requests {
  const requests = none();
  for (const [name, quantity] of Object.entries(quantities ?? {})) set(requests, name, quantity);
  return requests;
}

function set(requests: Requests, name: string, quantity: string): void {
  if (name === 'cpu') requests.milliCPU = quantityMilliValue(quantity);
  else if (name === 'memory') requests.memoryBytes = quantityValue(quantity);
  else if (name === 'ephemeral-storage') requests.ephemeralBytes = quantityValue(quantity);
  else if (name !== 'pods') requests.others.set(name, quantityValue(quantity));
}

function combine(a: Requests, b: Requests, how: (x: number, y: number) => number): Requests {
  const others = new Map(a.others);
  for (const [name, value] of b.others) others.set(name, how(others.get(name) ?? 0, value));
  return {
    milliCPU: how(a.milliCPU, b.milliCPU),
    memoryBytes: how(a.memoryBytes, b.memoryBytes),
    ephemeralBytes: how(a.ephemeralBytes, b.ephemeralBytes),
    others,
  };
}

const plus = (a: Requests, b: Requests): Requests => combine(a, b, (x, y) => x + y);
const larger = (a: Requests, b: Requests): Requests => combine(a, b, Math.max);

function total(spec: PodSpec, of: (container: Container) => Requests): Requests {
  let running = none();
  for (const container of spec.containers) running = plus(running, of(container));
  let sidecars = none();
  let starting = none();
  for (const container of spec.initContainers ?? []) {
    const own = of(container);
    if (container.restartPolicy === 'Always') {
      sidecars = plus(sidecars, own);
      starting = larger(starting, sidecars);
    } else {
      starting = larger(starting, plus(sidecars, own));
    }
  }
  let sum = larger(plus(running, sidecars), starting);
  for (const [name, quantity] of Object.entries(spec.resources?.requests ?? {})) set(sum, name, quantity);
  if (spec.overhead) sum = plus(sum, requestsOf(spec.overhead));
  return sum;
}

export const podRequests = (spec: PodSpec): Requests => total(spec, (container) => requestsOf(container.resources?.requests));

/** For scoring: nothing asked for counts as a little. */
export function podNonZeroRequests(spec: PodSpec): { readonly milliCPU: number; readonly memoryBytes: number } {
  return total(spec, (container) => {
    const requests = requestsOf(container.resources?.requests);
    const given = container.resources?.requests;
    if (given?.['cpu'] === undefined) requests.milliCPU = milliCPUAssumed;
    if (given?.['memory'] === undefined) requests.memoryBytes = memoryBytesAssumed;
    return requests;
  });
}
