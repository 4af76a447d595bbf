/**
 * What a pod asks a node for: containers together, the largest init container instead where that is more, sidecars on
 * top of what starts after them, plus overhead; pod-level requests win. While a container is being resized, the larger
 * of what it wants, has and is promised counts. Upstream: component-helpers/resource/helpers.go.
 */
import type { Container, ContainerStatus } from '../../api/generated/core-v1.ts';
import type { Pod } from '../../api/generated/kinds.ts';
import { quantityMilliValue, quantityValue } from '../../api/meta/quantity.ts';
import { own } from '../../api/meta/words.ts';
import { isPodLevel, isSidecar } from '../../api/predicates/pod-resources.ts';

export interface Requests {
  readonly milliCPU: number;
  readonly memoryBytes: number;
  readonly ephemeralBytes: number;
  /** hugepages, extended and other resources that are counted whole */
  readonly others: ReadonlyMap<string, number>;
}

/** CPU and memory, as scoring counts them. */
export interface ScoredRequests {
  readonly milliCPU: number;
  readonly memoryBytes: number;
}

/** What scoring takes a container for that asks for nothing: 100m and 200 MiB. Upstream: scheduler/util/pod_resources.go. */
const assumed = { cpu: 100, memory: 200 * 1024 * 1024 } as const;

type Quantities = { readonly [name: string]: string } | undefined;
/** resource name → milli CPUs, or units of anything else */
type Amounts = Map<string, number>;

const amountOf = (name: string, quantity: string): number => (name === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity));

function amountsOf(...lists: readonly Quantities[]): Amounts {
  const amounts: Amounts = new Map();
  for (const list of lists) {
    for (const name in list) raise(amounts, name, amountOf(name, list[name] ?? '0'));
  }
  return amounts;
}

function raise(amounts: Amounts, name: string, value: number): void {
  const known = amounts.get(name);
  if (known === undefined || value > known) amounts.set(name, value);
}

function addTo(sum: Amounts, more: ReadonlyMap<string, number>): void {
  for (const [name, value] of more) sum.set(name, (sum.get(name) ?? 0) + value);
}

function raiseTo(sum: Amounts, more: ReadonlyMap<string, number>): void {
  for (const [name, value] of more) raise(sum, name, value);
}

/** What counts as a resource beside CPU, memory, ephemeral storage and pods. Upstream: scheduler/util/utils.go (IsScalarResourceName). */
export const isScalarResource = (name: string): boolean =>
  name.startsWith('hugepages-') || name.startsWith('attachable-volumes-') || (name.includes('/') && !name.startsWith('requests.'));

/** The requests of every container, by the rules for those that run one after the other. */
function containerAmounts(pod: Pod, given: { readonly floors: Floors; readonly useStatus: boolean }): Amounts {
  const statuses = given.useStatus ? resourceStatuses(pod) : undefined;
  const of = (container: Container, watched: boolean): Amounts => {
    const amounts = effectiveAmounts(container, watched ? statuses?.get(container.name) : undefined, isInfeasible(pod));
    for (const [name, value] of given.floors) if (!amounts.has(name)) amounts.set(name, value);
    return amounts;
  };
  const sum: Amounts = new Map();
  for (const container of pod.spec.containers) addTo(sum, of(container, true));
  const sidecars: Amounts = new Map();
  const starting: Amounts = new Map();
  for (const container of pod.spec.initContainers ?? []) {
    const own = of(container, isSidecar(container));
    if (isSidecar(container)) {
      addTo(sum, own);
      addTo(sidecars, own);
      raiseTo(starting, sidecars);
    } else {
      addTo(own, sidecars);
      raiseTo(starting, own);
    }
  }
  raiseTo(sum, starting);
  return sum;
}

type Floors = readonly (readonly [name: string, amount: number])[];

const isInfeasible = (pod: Pod): boolean =>
  pod.status?.conditions?.find(({ type }) => type === 'PodResizePending')?.reason === 'Infeasible';

function effectiveAmounts(container: Container, status: ContainerStatus | undefined, infeasible: boolean): Amounts {
  const wanted = container.resources?.requests;
  if (!status?.resources) return amountsOf(wanted);
  const held = [status.resources.requests, status.allocatedResources];
  return infeasible ? amountsOf(...held) : amountsOf(wanted, ...held);
}

function resourceStatuses(pod: Pod): ReadonlyMap<string, ContainerStatus> | undefined {
  const { containerStatuses, initContainerStatuses } = pod.status ?? {};
  if (!containerStatuses?.length && !initContainerStatuses?.length) return undefined;
  return new Map([...(containerStatuses ?? []), ...(initContainerStatuses ?? [])].map((status) => [status.name, status]));
}

/** Pod-level requests in place of the sums, and the overhead. */
function podAmounts(pod: Pod, sum: Amounts): Amounts {
  const { requests } = pod.spec.resources ?? {};
  const { resources, allocatedResources } = pod.status ?? {};
  for (const name in requests) {
    if (!isPodLevel(name)) continue;
    const quantities = resources ? [own(resources.requests, name), own(allocatedResources, name)] : [];
    if (!resources || !isInfeasible(pod)) quantities.push(requests[name]);
    sum.set(name, Math.max(0, ...quantities.map((quantity) => amountOf(name, quantity ?? '0'))));
  }
  addTo(sum, amountsOf(pod.spec.overhead));
  return sum;
}

/** What the pod takes from a node. */
export function podRequests(pod: Pod): Requests {
  const amounts = podAmounts(pod, containerAmounts(pod, { floors: [], useStatus: true }));
  const others = new Map<string, number>();
  for (const [name, value] of [...amounts].sort()) if (isScalarResource(name)) others.set(name, value);
  return {
    milliCPU: amounts.get('cpu') ?? 0,
    memoryBytes: amounts.get('memory') ?? 0,
    ephemeralBytes: amounts.get('ephemeral-storage') ?? 0,
    others,
  };
}

const hasPodLevel = (pod: Pod): boolean => Object.keys(pod.spec.resources?.requests ?? {}).some(isPodLevel);

/** What a pod that is there counts for when nodes are scored: nothing asked for counts as a little. */
export function podNonZeroRequests(pod: Pod): ScoredRequests {
  const plain = hasPodLevel(pod) ? podAmounts(pod, containerAmounts(pod, { floors: [], useStatus: true })) : new Map<string, number>();
  const floors = Object.entries(assumed).filter(([name]) => !plain.has(name));
  return scored(podAmounts(pod, containerAmounts(pod, { floors, useStatus: true })));
}

/** What a pod that comes counts for when nodes are scored by what is left: pod-level requests don't count there. */
export function podScoredRequests(pod: Pod, nonZero: ScoredRequests): ScoredRequests {
  if (!hasPodLevel(pod) && !resourceStatuses(pod)) return nonZero;
  const sum = containerAmounts(pod, { floors: Object.entries(assumed), useStatus: false });
  addTo(sum, amountsOf(pod.spec.overhead));
  return scored(sum);
}

const scored = (amounts: ReadonlyMap<string, number>): ScoredRequests => ({
  milliCPU: amounts.get('cpu') ?? 0,
  memoryBytes: amounts.get('memory') ?? 0,
});
