/**
 * Resources: what a pod requests fits beside what is there (NodeResourcesFit, which also prefers emptier nodes), and
 * CPU and memory are used evenly (NodeResourcesBalancedAllocation). Upstream: plugins/noderesources.
 */
import { type NodePlugin, scoreMax } from '../framework.ts';
import { type Allocatable, allocatableOf, column, type NodeFacts } from '../node-facts.ts';
import type { PodFacts } from '../pod-facts.ts';
import type { Requests } from '../pod-requests.ts';

const name = 'NodeResourcesFit';

export const nodeResourcesFit: NodePlugin = {
  name,
  scope: 'node',
  unblockedBy: {
    'node-added': (pod, { node }) => fitsEmpty(pod.requests, allocatableOf(node)),
    'node-changed': (pod, { node, old }) => {
      const now = allocatableOf(node);
      return fitsEmpty(pod.requests, now) && hasGrown(pod.requests, now, allocatableOf(old));
    },
    'pod-removed': () => true,
    'pod-changed': (pod, event) => frees(pod.requests, event.old.requests, event.pod.requests),
    'own-pod-changed': (pod, { old }) => frees(old.requests, old.requests, pod.requests),
  },
  filter(pod, node) {
    if (fits(pod.requests, node)) return undefined;
    return { plugin: name, reasons: shortages(pod.requests, node), unresolvable: isTooSmall(pod.requests, node) };
  },
  weight: 1,
  score: leastAllocated,
};

export const nodeResourcesBalancedAllocation: NodePlugin = {
  name: 'NodeResourcesBalancedAllocation',
  scope: 'node',
  weight: 1,
  score: balancedAllocation,
};

const lacks = (node: NodeFacts, of: number, wanted: number): boolean => wanted > 0 && wanted > node.allocatable(of) - node.requested(of);
const lacksOther = (node: NodeFacts, resource: string, wanted: number): boolean =>
  wanted > 0 && wanted > (node.otherAllocatable.get(resource) ?? 0) - (node.otherRequested.get(resource) ?? 0);

function fits({ milliCPU, memoryBytes, ephemeralBytes, others }: Requests, node: NodeFacts): boolean {
  if (node.requested(column.pods) + 1 > node.allocatable(column.pods)) return false;
  if (lacks(node, column.milliCPU, milliCPU) || lacks(node, column.memoryBytes, memoryBytes)) return false;
  if (lacks(node, column.ephemeralBytes, ephemeralBytes)) return false;
  for (const [resource, wanted] of others) if (lacksOther(node, resource, wanted)) return false;
  return true;
}

function shortages({ milliCPU, memoryBytes, ephemeralBytes, others }: Requests, node: NodeFacts): string[] {
  const short: string[] = [];
  if (node.requested(column.pods) + 1 > node.allocatable(column.pods)) short.push('Too many pods');
  if (lacks(node, column.milliCPU, milliCPU)) short.push('Insufficient cpu');
  if (lacks(node, column.memoryBytes, memoryBytes)) short.push('Insufficient memory');
  if (lacks(node, column.ephemeralBytes, ephemeralBytes)) short.push('Insufficient ephemeral-storage');
  for (const [resource, wanted] of others) if (lacksOther(node, resource, wanted)) short.push(`Insufficient ${resource}`);
  return short;
}

/** More than the whole node has: no removal of pods would help. */
function isTooSmall({ milliCPU, memoryBytes, ephemeralBytes, others }: Requests, node: NodeFacts): boolean {
  if (milliCPU > node.allocatable(column.milliCPU) || memoryBytes > node.allocatable(column.memoryBytes)) return true;
  if (ephemeralBytes > node.allocatable(column.ephemeralBytes)) return true;
  for (const [resource, wanted] of others) if (wanted > (node.otherAllocatable.get(resource) ?? 0)) return true;
  return false;
}

/** Whether a node with this could take the pod, were it alone there. */
function fitsEmpty({ milliCPU, memoryBytes, ephemeralBytes, others }: Requests, node: Allocatable): boolean {
  if (node.pods < 1 || milliCPU > node.milliCPU || memoryBytes > node.memoryBytes || ephemeralBytes > node.ephemeralBytes) return false;
  for (const [resource, wanted] of others) if (wanted > (node.others.get(resource) ?? 0)) return false;
  return true;
}

/** Whether a node got more of anything that the pod asks for. */
function hasGrown({ milliCPU, memoryBytes, ephemeralBytes, others }: Requests, now: Allocatable, old: Allocatable): boolean {
  if (now.pods > old.pods) return true;
  if ((milliCPU > 0 && now.milliCPU > old.milliCPU) || (memoryBytes > 0 && now.memoryBytes > old.memoryBytes)) return true;
  if (ephemeralBytes > 0 && now.ephemeralBytes > old.ephemeralBytes) return true;
  for (const [resource, wanted] of others) {
    if (wanted > 0 && (now.others.get(resource) ?? 0) > (old.others.get(resource) ?? 0)) return true;
  }
  return false;
}

/** Whether a pod that changed takes less of anything that this one asks for. */
function frees({ milliCPU, memoryBytes, ephemeralBytes, others }: Requests, old: Requests, now: Requests): boolean {
  if ((milliCPU > 0 && old.milliCPU > now.milliCPU) || (memoryBytes > 0 && old.memoryBytes > now.memoryBytes)) return true;
  if (ephemeralBytes > 0 && old.ephemeralBytes > now.ephemeralBytes) return true;
  for (const [resource, wanted] of others) {
    if (wanted > 0 && (old.others.get(resource) ?? 0) > (now.others.get(resource) ?? 0)) return true;
  }
  return false;
}

function leastAllocated(pod: PodFacts, node: NodeFacts): number {
  const cpu = node.allocatable(column.milliCPU);
  const memory = node.allocatable(column.memoryBytes);
  const sum =
    leftPart(node.requested(column.nonZeroMilliCPU) + pod.scored.milliCPU, cpu) +
    leftPart(node.requested(column.nonZeroMemoryBytes) + pod.scored.memoryBytes, memory);
  const weights = (cpu === 0 ? 0 : 1) + (memory === 0 ? 0 : 1);
  return weights === 0 ? 0 : Math.trunc(sum / weights);
}

const leftPart = (requested: number, allocatable: number): number =>
  requested > allocatable || allocatable === 0 ? 0 : Math.trunc(((allocatable - requested) * scoreMax) / allocatable);

function balancedAllocation(pod: PodFacts, node: NodeFacts): number {
  const { milliCPU, memoryBytes } = pod.requests;
  if (milliCPU === 0 && memoryBytes === 0) return 0; // best effort: nothing to balance by
  const cpu = node.requested(column.milliCPU);
  const memory = node.requested(column.memoryBytes);
  const without = balance(node, cpu, memory);
  const withPod = balance(node, cpu + milliCPU, memory + memoryBytes);
  return scoreMax / 2 + Math.trunc((scoreMax / 2 + withPod - without) / 2);
}

/** 100 when CPU and memory are used to the same part, less the further they are apart. */
function balance(node: NodeFacts, milliCPU: number, memoryBytes: number): number {
  const cpuMax = node.allocatable(column.milliCPU);
  const memoryMax = node.allocatable(column.memoryBytes);
  if (cpuMax === 0 || memoryMax === 0) return scoreMax;
  const apart = Math.abs((Math.min(1, milliCPU / cpuMax) - Math.min(1, memoryBytes / memoryMax)) / 2);
  return Math.trunc((1 - apart) * scoreMax);
}
