import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { testPod } from '../../../../test/kit/test-pods.ts';
import { VirtualClock } from '../../../client/virtual-clock.ts';
import { FileGate } from '../../files/file-gate.ts';
import { renderMetrics } from './metrics.ts';
import type { VolumeStats } from './stats.ts';
import { claimMetrics, VolumeMeter } from './volume-stats.ts';

const root = mkdtempSync(join(tmpdir(), 'meter-'));
after(() => rmSync(root, { recursive: true }));
const directories = new Map(['data', 'own', 'scratch'].map((name) => [name, join(root, name)]));
for (const dir of directories.values()) mkdirSync(dir);
const pod = testPod({
  spec: {
    volumes: [
      { name: 'data', persistentVolumeClaim: { claimName: 'c' } },
      { name: 'own', ephemeral: {} as never },
      { name: 'scratch', emptyDir: {} },
      { name: 'elsewhere', hostPath: { path: '/' } },
    ],
  },
});
const { name: podName, namespace, uid } = pod.metadata;
const summary = {
  node: { nodeName: 'n', startTime: '' },
  pods: [{ podRef: { name: podName, namespace: '', uid }, startTime: '', containers: [] }],
};

function startMeter() {
  const clock = new VirtualClock();
  const meter = new VolumeMeter({ gate: new FileGate({ clock }), clock });
  const read = async (names: readonly string[]): Promise<readonly VolumeStats[]> => {
    const own = new Map(names.map((name) => [name, directories.get(name) ?? '']));
    const { pods } = await meter.addTo(summary, { pods: () => [pod], volumeDirectories: () => own });
    return pods[0]?.volume ?? [];
  };
  return { clock, read };
}

test('each volume says what it takes of its file system, and whose it is', async () => {
  const { read } = startMeter();
  writeFileSync(join(root, 'data', 'file'), Buffer.alloc(100_000, 1));
  const stats = await read(['data', 'own', 'scratch']);
  assert.deepEqual(
    stats.map(({ name, pvcRef, inodesUsed }) => [name, pvcRef, inodesUsed]),
    [
      ['data', { name: 'c', namespace }, 2],
      ['own', { name: `${podName}-own`, namespace }, 1],
      ['scratch', undefined, 1],
    ],
  );
  const [data] = stats;
  assert.ok(data && data.usedBytes >= 100_000 && data.usedBytes < 200_000 && data.capacityBytes > data.availableBytes);
  const text = renderMetrics(claimMetrics([...stats, ...stats]));
  const lines = text.split('\n').filter((line) => line.startsWith('kubelet_volume_stats_'));
  assert.equal(lines.length, 2 * 6);
  assert.ok(lines.includes(`kubelet_volume_stats_used_bytes{namespace="${namespace}",persistentvolumeclaim="c"} ${data.usedBytes}`), text);
});

test('a volume is measured again after a minute, and not before; one that went is forgotten', async () => {
  const { clock, read } = startMeter();
  const used = async (): Promise<readonly number[]> => (await read(['scratch'])).map(({ inodesUsed }) => inodesUsed);
  assert.deepEqual(await used(), [1]);
  writeFileSync(join(root, 'scratch', 'file'), '');
  await clock.advance(59_000);
  assert.deepEqual(await used(), [1]);
  await clock.advance(1000);
  assert.deepEqual(await used(), [2]);
  writeFileSync(join(root, 'scratch', 'more'), '');
  await read([]);
  assert.deepEqual(await used(), [3]);
});
