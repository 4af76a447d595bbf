import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { container, testPod } from '../../../../test/kit/test-pods.ts';
import type { Container, PodSpec } from '../../../api/generated/core-v1.ts';
import { realClock } from '../../../client/clock.ts';
import { FileGate } from '../../files/file-gate.ts';
import { rotateLog } from '../container/log-rotation.ts';
import { judgeSysctls } from '../pod/sysctls.ts';
import { diskSupply, memorySupply, Pressure, planEviction } from './node-pressure.ts';
import { hasStorageLimit, judgeStorage, measureDirectory, measurePod, totalUse } from './storage-limits.ts';

const gate = new FileGate({ clock: realClock });

test('logs are moved away, compressed, and five are kept', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'rotation-'));
  const path = join(dir, '0.log');
  let reopened = 0;
  const runtime = { reopenContainerLog: async () => void reopened++ };
  const limits = { bytesMax: 10, filesMax: 4 };
  const at = (minute: number) => ({ path, containerID: 'c', nowMs: Date.UTC(2026, 0, 1, 0, minute) });
  await writeFile(path, 'short');
  assert.equal(await rotateLog(at(0), { runtime, gate, limits }), false);
  for (let minute = 1; minute <= 5; minute++) {
    await writeFile(path, `a longer log ${minute}`);
    assert.equal(await rotateLog(at(minute), { runtime, gate, limits }), true);
  }
  assert.deepEqual((await readdir(dir)).toSorted(), ['0.log.20260101-000300.gz', '0.log.20260101-000400.gz', '0.log.20260101-000500']);
  assert.equal(gunzipSync(await readFile(join(dir, '0.log.20260101-000400.gz'))).toString(), 'a longer log 4');
  await writeFile(path, 'one that the runtime won’t reopen');
  await assert.rejects(rotateLog(at(6), { runtime: { reopenContainerLog: () => Promise.reject(new Error('no')) }, gate, limits }));
  assert.equal(await readFile(path, 'utf8'), 'one that the runtime won’t reopen');
  assert.equal(reopened, 5);
  await rm(dir, { recursive: true });
});

describe('judgeStorage', () => {
  const limited = (name: string, limit: string): Container => container(name, { resources: { limits: { 'ephemeral-storage': limit } } });
  const judge = (
    spec: Partial<PodSpec>,
    emptyDirs: Readonly<Record<string, number>>,
    containers: Readonly<Record<string, number>>,
    ownBytes = 0,
  ) =>
    judgeStorage(testPod({ spec }), {
      emptyDirBytes: new Map(Object.entries(emptyDirs)),
      containerBytes: new Map(Object.entries(containers)),
      ownBytes,
    });
  const volumes = [{ name: 'v', emptyDir: { sizeLimit: '1Ki' } }];
  test('an emptyDir', () => {
    assert.equal(judge({ volumes }, { v: 1024 }, {}), undefined);
    assert.equal(judge({ volumes }, { v: 1025 }, {}), 'Usage of EmptyDir volume "v" exceeds the limit "1Ki". ');
  });
  test('a container', () => {
    const containers = [limited('main', '1Ki'), limited('other', '1Ki')];
    assert.equal(judge({ containers }, {}, { main: 1025 }), 'Container main exceeded its local ephemeral storage limit "1Ki". ');
  });
  test('the pod as a whole', () => {
    const containers = [limited('main', '1Ki')];
    const message = (limit: string): string => `Pod ephemeral local storage usage exceeds the total limit of containers ${limit}. `;
    assert.equal(judge({ containers }, { v: 600 }, { main: 600 }), message('1Ki'));
    assert.equal(judge({ containers }, {}, { main: 1000 }, 24), undefined);
    assert.equal(judge({ containers }, {}, { main: 1000 }, 25), message('1Ki'));
    const [partly, two] = [
      [...containers, container('other')],
      [...containers, limited('other', '2Ki')],
    ];
    assert.equal(judge({ containers: partly }, {}, { other: 1025 }), message('1Ki'));
    assert.equal(judge({ containers: two }, { v: 3073 }, {}), message('3Ki'));
    const initContainers = [limited('first', '1Mi')];
    assert.equal(judge({ containers, initContainers }, { v: 2 ** 20 }, {}), undefined);
  });
  test('who is measured', () => {
    const has = (spec: Partial<PodSpec>): boolean => hasStorageLimit(testPod({ spec }));
    assert.equal(has({}), false);
    assert.equal(has({ volumes }), true);
    assert.equal(has({ volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Ki', medium: 'Memory' } }] }), false);
    assert.equal(has({ containers: [container('main'), limited('other', '1Ki')] }), true);
  });
});

test('measureDirectory', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'measure-'));
  const empty = await measureDirectory(dir, { gate, clock: realClock });
  await writeFile(join(dir, 'f'), Buffer.alloc(100_000, 1));
  const more = (await measureDirectory(dir, { gate, clock: realClock })) - empty;
  assert.ok(more >= 100_000 && more < 120_000, String(more));
  assert.equal(await measureDirectory(join(dir, 'missing'), { gate, clock: realClock }), 0);
  await rm(dir, { recursive: true });
});

test('measurePod: all that its containers can write to', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'measure-pod-'));
  const logs = join(dir, 'logs');
  const podDirectory = join(dir, 'pod');
  const pod = testPod({ spec: { volumes: [{ name: 'v', emptyDir: {} }] } });
  const places = { podDirectory, logs, layers: new Map([['main', 7]]) };
  const options = { gate, clock: realClock };
  assert.equal(totalUse(await measurePod(pod, places, options)), 7);
  const files = ['pod/etc-hosts', 'pod/containers/main/1234', 'pod/volumes/kubernetes.io~empty-dir/v/f', 'logs/main/0.log'];
  for (const file of files) {
    const before = totalUse(await measurePod(pod, places, options));
    await mkdir(join(dir, file, '..'), { recursive: true });
    await writeFile(join(dir, file), Buffer.alloc(100_000, 1));
    assert.ok(totalUse(await measurePod(pod, places, options)) - before >= 100_000, file);
  }
  await rm(dir, { recursive: true });
});

test('how much disk has to be free, and how long it is told that it was not', () => {
  const least = (capacityBytes: number) => diskSupply({ availableBytes: 0, capacityBytes }).availableBytesMin / 2 ** 20;
  assert.deepEqual(
    [220, 10_000, 1_000_000].map((MiB) => least(MiB * 2 ** 20)),
    [32, 200, 1024],
  );
  const pressure = new Pressure();
  const at = (availableBytes: number, nowMs: number) => [pressure.note(memorySupply(availableBytes), nowMs), pressure.isTold];
  assert.deepEqual(at(2 ** 30, 0), [false, false]);
  assert.deepEqual(at(0, 1000), [true, true]);
  assert.deepEqual(at(2 ** 30, 300_999), [false, true]);
  assert.deepEqual(at(2 ** 30, 301_000), [true, false]);
});

test('who has to go when memory runs out: beyond its request, of low priority, far beyond', () => {
  const use = (name: string, priority: number, request: string, used: number) => ({
    pod: testPod({
      metadata: { name },
      spec: { priority, containers: [container('main', { resources: { requests: { memory: request } } })] },
    }),
    totalBytes: used * 2 ** 20,
    containers: new Map([['main', used * 2 ** 20]]),
  });
  const uses = [
    use('within', 0, '1Gi', 500),
    use('important', 10, '0', 900),
    use('little', 0, '10Mi', 20),
    use('much', 0, '10Mi', 300),
    use('system', 2_000_001_000, '0', 5000),
  ];
  const plan = planEviction(uses, memorySupply(50 * 2 ** 20));
  assert.equal(plan?.pod.metadata.name, 'much');
  assert.equal(
    plan?.message,
    'The node was low on resource: memory. Threshold quantity: 100Mi, available: 51200Ki. Container main was using 307200Ki, request is 10Mi, has larger consumption of memory. ',
  );
  assert.equal(
    planEviction(uses, diskSupply({ availableBytes: 5000, capacityBytes: 0 }))?.message,
    'The node was low on resource: ephemeral-storage. Threshold quantity: 32Mi, available: 4Ki. Container main was using 512000Ki, request is 0, has larger consumption of ephemeral-storage. ',
  );
  assert.equal(planEviction(uses.slice(-1), memorySupply(0)), undefined);
});

test('sysctls', () => {
  const judge = (name: string, spec: Partial<PodSpec> = {}) =>
    judgeSysctls(testPod({ spec: { ...spec, securityContext: { sysctls: [{ name, value: '1' }] } } }));
  assert.equal(judge('kernel.shm_rmid_forced'), undefined);
  assert.equal(judge('net/ipv4/tcp_syncookies'), undefined);
  assert.equal(judge('kernel.msgmax'), 'forbidden sysctl: "kernel.msgmax" not allowlisted');
  assert.equal(
    judge('net.ipv4.tcp_syncookies', { hostNetwork: true }),
    'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled',
  );
});
