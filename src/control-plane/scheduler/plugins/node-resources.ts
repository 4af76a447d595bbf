/**
 * Resources: what a pod requests fits beside what is there (NodeResourcesFit, which also prefers emptier nodes), and
 * CPU and memory are used evenly (NodeResourcesBalancedAllocation). Upstream: plugins/noderesources.
 */
import { type NodePlugin, type Rejection, scoreMax } from '../framework.ts';
import { column, type NodeFacts } from '../node-facts.ts';
import type { PodFacts } from '../pod-facts.ts';

export const nodeResourcesFit: NodePlugin = {
  name: 'NodeResourcesFit',
  scope: 'node',
  unblockedBy: ['node-added', 'node-changed', 'pod-removed', 'pod-changed', 'own-pod-changed'],
  filter(pod, node) {
    const short = shortages(pod, node);
    return short.length ? ({ reasons: short, unresolvable: tooSmall(pod, node) } satisfies Rejection) : undefined;
  },
  weight: 1,
  score: leastAllocated,
};

export const nodeResourcesBalancedAllocation: NodePlugin = {
  name: 'NodeResourcesBalancedAllocation',
  scope: 'node',
  unblockedBy: [],
  weight: 1,
  score: balancedAllocation,
};

function shortages(pod: PodFacts, node: NodeFacts): string[] {
  const short: string[] = [];
  const { milliCPU, memoryBytes, ephemeralBytes, others } = pod.requests;
  if (node.requested(column.pods) + 1 > node.allocatable(column.pods)) short.push('Too many pods');
  const lacks = (of: number, wanted: number): boolean => wanted > 0 && wanted > node.allocatable(of) - node.requested(of);
  if (lacks(column.milliCPU, milliCPU)) short.push('Insufficient cpu');
  if (lacks(column.memoryBytes, memoryBytes)) short.push('Insufficient memory');
  if (lacks(column.ephemeralBytes, ephemeralBytes)) short.push('Insufficient ephemeral-storage');
  for (const [name, wanted] of others) {
    if (wanted > 0 && wanted > (node.otherAllocatable.get(name) ?? 0) - (node.otherRequested.get(name) ?? 0))
      short.push(`Insufficient ${name}`);
  }
  return short;
}

/** More than the whole node has: no removal of pods would help. */
function tooSmall(pod: PodFacts, node: NodeFacts): boolean {
  const { milliCPU, memoryBytes, ephemeralBytes, others } = pod.requests;
  if (milliCPU > node.allocatable(column.milliCPU) || memoryBytes > node.allocatable(column.memoryBytes)) return true;
  if (ephemeralBytes > node.allocatable(column.ephemeralBytes)) return true;
  for (const [name, wanted] of others) if (wanted > (node.otherAllocatable.get(name) ?? 0)) return true;
  return false;
}

function leastAllocated(pod: PodFacts, node: NodeFacts): number {
  let sum = 0;
  let weights = 0;
  const add = (requested: number, allocatable: number): void => {
    if (allocatable === 0) return;
    weights++;
    if (requested <= allocatable) sum += Math.trunc(((allocatable - requested) * scoreMax) / allocatable);
  };
  add(node.requested(column.nonZeroMilliCPU) + pod.nonZero.milliCPU, node.allocatable(column.milliCPU));
  add(node.requested(column.nonZeroMemoryBytes) + pod.nonZero.memoryBytes, node.allocatable(column.memoryBytes));
  return weights ? Math.trunc(sum / weights) : 0;
}

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
  const apart = Math.abs(Math.min(1, milliCPU / cpuMax) - Math.min(1, memoryBytes / memoryMax)) / 2;
  return Math.trunc((1 - apart) * scoreMax);
}
