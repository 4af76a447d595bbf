/**
 * The Node object of this kubelet: what it registers with, and its status. Pure.
 * Upstream: pkg/kubelet/kubelet_node_status.go, nodestatus/setters.go.
 */
import type { ContainerImage, Node, NodeAddress, NodeCondition, NodeStatus, Taint } from '../../../api/generated/core-v1.ts';
import { isExtendedResource } from '../../../api/kinds/core/pod-spec/resource-names.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import type { New } from '../../../api/meta/object.ts';
import { canonicalizeQuantity, quantityValue } from '../../../api/meta/quantity.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { hostnameLabel } from '../../../api/meta/well-known.ts';
import type { Image, RuntimeStatus } from '../../runtime/cri-types.ts';
import type { MachineFacts } from './machine-facts.ts';

export interface NodeInput {
  readonly name: string;
  readonly hostIPs: readonly string[];
  readonly machine: MachineFacts;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly podsMax: number;
  readonly port: number;
  readonly version: string;
  /** `containerd://1.6.20` */
  readonly runtimeVersion: string;
  readonly runtime: RuntimeStatus | undefined;
  readonly images: readonly Image[];
  readonly pressure: { readonly memory: boolean; readonly disk: boolean; readonly pid: boolean };
}

/** Kept free before pods are evicted. */
const evictionMemoryBytes = 100 * 2 ** 20;
const evictionDiskShare = 0.1;
const imagesMax = 50;
const namesPerImageMax = 5;

export function nodeLabels({ name, machine, labels }: NodeInput): Readonly<Record<string, string>> {
  const { architecture, operatingSystem } = machine.info;
  return {
    'beta.kubernetes.io/arch': architecture,
    'beta.kubernetes.io/os': operatingSystem,
    'kubernetes.io/arch': architecture,
    [hostnameLabel]: name,
    'kubernetes.io/os': operatingSystem,
    ...labels,
  };
}

export function capacityOf({ machine, podsMax }: NodeInput): Readonly<Record<string, string>> {
  return { 'hugepages-1Gi': '0', 'hugepages-2Mi': '0', ...machine.capacity, pods: String(podsMax) };
}

export function nodeAllocatable(input: NodeInput): Readonly<Record<string, string>> {
  const capacity = capacityOf(input);
  const less = (value: string, bytes: number): string => `${Math.max(0, Math.floor((quantityValue(value) - bytes) / 1024))}Ki`;
  const { memory, 'ephemeral-storage': disk } = capacity;
  return {
    ...capacity,
    ...(memory !== undefined && { memory: less(memory, evictionMemoryBytes) }),
    ...(disk !== undefined && { 'ephemeral-storage': String(Math.floor(quantityValue(disk) * (1 - evictionDiskShare))) }),
  };
}

/** As the server stores them: else each look would find a difference. */
const canonical = (list: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(list).map(([name, value]) => [name, canonicalizeQuantity(value)]));

export function newNode(input: NodeInput, nowMs: number): New<Node> {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: input.name,
      labels: nodeLabels(input),
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: { ...(input.taints.length > 0 && { taints: input.taints }) },
    status: nodeStatus(input, undefined, nowMs),
  };
}

/** What others say that the node has, by its capacity in the API: `example.com/gpu`. All of it can be given away. */
const extendedResources = (capacity: NodeStatus['capacity'] = {}): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(capacity).filter(([name]) => isExtendedResource(name)));

/** Others have changed what the node has, and it can't be given away yet, or still. */
export const isAllocatableLate = ({ capacity, allocatable }: NodeStatus): boolean =>
  !equalSemantically(extendedResources(capacity), extendedResources(allocatable));

/** `old` gives the times of conditions that did not change, and what others say that the node has. */
export function nodeStatus(input: NodeInput, old: NodeStatus | undefined, nowMs: number): NodeStatus {
  const { machine, runtime } = input;
  const extended = extendedResources(old?.capacity);
  const handlers = runtime?.runtimeHandlers.map(({ name, features }) => ({ ...(features && { features }), name })) ?? [];
  return {
    capacity: canonical({ ...capacityOf(input), ...extended }),
    allocatable: canonical({ ...nodeAllocatable(input), ...extended }),
    conditions: nodeConditions(input, old?.conditions ?? [], nowMs),
    addresses: addressesOf(input),
    daemonEndpoints: { kubeletEndpoint: { Port: input.port } },
    nodeInfo: {
      ...machine.info,
      containerRuntimeVersion: input.runtimeVersion,
      kubeletVersion: input.version,
      kubeProxyVersion: '',
    },
    images: imagesOf(input.images),
    ...(handlers.length > 0 && { runtimeHandlers: handlers }),
    ...(runtime?.features && { features: runtime.features }),
  };
}

function addressesOf({ hostIPs, name }: NodeInput): readonly NodeAddress[] {
  return [...hostIPs.map((address) => ({ type: 'InternalIP', address })), { type: 'Hostname', address: name }];
}

function imagesOf(images: readonly Image[]): readonly ContainerImage[] {
  return images
    .toSorted((a, b) => b.size - a.size)
    .slice(0, imagesMax)
    .map((image) => ({ names: [...image.repoDigests, ...image.repoTags].slice(0, namesPerImageMax), sizeBytes: image.size }));
}

function nodeConditions(input: NodeInput, old: readonly NodeCondition[], nowMs: number): readonly NodeCondition[] {
  const { pressure } = input;
  const now = formatTime(nowMs);
  const condition = (type: string, status: boolean, reason: string, message: string): NodeCondition => {
    const before = old.find((c) => c.type === type);
    const value = status ? 'True' : 'False';
    const since = before?.status === value ? before.lastTransitionTime : undefined;
    return { type, status: value, lastHeartbeatTime: now, lastTransitionTime: since ?? now, reason, message };
  };
  const ready = readiness(input);
  const own = [
    pressure.memory
      ? condition('MemoryPressure', true, 'KubeletHasInsufficientMemory', 'kubelet has insufficient memory available')
      : condition('MemoryPressure', false, 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
    pressure.disk
      ? condition('DiskPressure', true, 'KubeletHasDiskPressure', 'kubelet has disk pressure')
      : condition('DiskPressure', false, 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
    pressure.pid
      ? condition('PIDPressure', true, 'KubeletHasInsufficientPID', 'kubelet has insufficient PID available')
      : condition('PIDPressure', false, 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
    ready === undefined
      ? condition('Ready', true, 'KubeletReady', 'kubelet is posting ready status')
      : condition('Ready', false, 'KubeletNotReady', ready),
  ];
  const others = old.filter((c) => !own.some((o) => o.type === c.type));
  return [...others, ...own];
}

/** Why the node is not ready, or undefined. */
export function readiness({ runtime }: Pick<NodeInput, 'runtime'>): string | undefined {
  if (!runtime) return 'container runtime is down';
  const problems = [describe(runtime, 'RuntimeReady', 'container runtime not ready: RuntimeReady'), networkProblem(runtime)];
  const told = problems.filter((p) => p !== undefined);
  return told.length > 0 ? `[${told.join(', ')}]`.replace(/^\[([^,]*)\]$/, '$1') : undefined;
}

export const networkProblem = (runtime: RuntimeStatus): string | undefined =>
  describe(runtime, 'NetworkReady', 'container runtime network not ready: NetworkReady');

function describe(runtime: RuntimeStatus, type: string, prefix: string): string | undefined {
  const condition = runtime.conditions.find((c) => c.type === type);
  if (condition?.status) return undefined;
  return `${prefix}=false reason:${condition?.reason ?? ''} message:${condition?.message ?? ''}`;
}

/** The same but for heartbeats: nothing to tell yet. */
export function sameNodeStatus(a: NodeStatus, b: NodeStatus): boolean {
  const essence = (s: NodeStatus): unknown => ({ ...s, conditions: s.conditions?.map(({ lastHeartbeatTime: _, ...rest }) => rest) });
  return equalSemantically(essence(a), essence(b));
}
