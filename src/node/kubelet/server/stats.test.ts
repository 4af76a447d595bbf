import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Pod } from '../../../api/generated/core-v1.ts';
import { type ContainerRuntime, podLabels } from '../../runtime/container-runtime.ts';
import type * as cri from '../../runtime/cri-types.ts';
import { CPURates, summarize } from './stats.ts';

const atMs = Date.parse('2026-01-01T00:00:01.250Z');
const pod = (name: string) => ({ metadata: { name, namespace: 'shop', uid: name }, status: {} }) as Pod;

function statsOf(of: string, name: string, cpuNanoSeconds?: number): cri.ContainerStats {
  const attributes = { id: name, metadata: { name, attempt: 0 }, labels: { [podLabels.podUid]: of }, annotations: {} };
  if (cpuNanoSeconds === undefined) return { attributes };
  const memory = { timestamp: atMs * 1e6, workingSetBytes: { value: 1 } };
  return { attributes, cpu: { timestamp: atMs * 1e6, usageCoreNanoSeconds: { value: cpuNanoSeconds } }, memory };
}

it('says nothing of what has ended, and when it was measured to the millisecond', async () => {
  const stats = [statsOf('web', 'main', 5e9), statsOf('web', 'init'), statsOf('job', 'done')];
  const usage = () => ({ atMs, cpuCores: 0.5, cpuCoreSeconds: 7, memoryBytes: 3 });
  const runtime = { listContainerStats: async () => stats, simulation: { usage } } as unknown as ContainerRuntime;
  const input = { runtime, nodeName: 'n', nodeStartedMs: 0, dataDir: '/', clock: { now: () => atMs }, rates: new CPURates() };
  const { node, pods } = await summarize({ ...input, pods: [pod('web'), pod('job')] });
  assert.deepEqual(
    pods.map(({ podRef, containers }) => [podRef.name, ...containers.map(({ name, cpu }) => `${name} ${cpu?.time}`)]),
    [['web', 'main 2026-01-01T00:00:01.250Z']],
  );
  assert.deepEqual(node.cpu, { time: '2026-01-01T00:00:01.250Z', usageNanoCores: 5e8, usageCoreNanoSeconds: 7e9 });
});
