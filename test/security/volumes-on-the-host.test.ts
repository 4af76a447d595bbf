/** CVE-2024-10220, CVE-2025-1767 (gitRepo), and the NCC audit's finding on emptyDir (programs with setuid, devices). */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { container, testPod } from '../kit/test-pods.ts';
import { testVolumes } from './test-volumes.ts';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'volumes-'));
});
after(() => rm(dir, { recursive: true }));

const podWith = (volume: object) =>
  testPod({
    spec: { volumes: [{ name: 'v', ...volume }], containers: [container('main', { volumeMounts: [{ name: 'v', mountPath: '/v' }] })] },
  });

test('gitRepo is refused: no program is run, no file is made', async () => {
  const { volumes, events } = testVolumes(join(dir, 'git'));
  const pod = podWith({ gitRepo: { repository: '/var/lib/other', directory: '../../..', revision: '--upload-pack=touch /tmp/x' } });
  await assert.rejects(volumes.setUp(pod), /no volume plugin matched/);
  assert.equal(events[0]?.reason, 'FailedMount');
  await assert.rejects(readdir(join(dir, 'git')), { code: 'ENOENT' });
});

test('an emptyDir lies where the machine’s other users do not come, whatever the umask', async () => {
  const before_ = process.umask(0);
  try {
    const { volumes } = testVolumes(join(dir, 'pods'));
    const pod = podWith({ emptyDir: {} });
    const ready = await volumes.setUp(pod);
    const path = ready.get('v')?.hostPath ?? '';
    assert.equal((await stat(path)).mode & 0o7777, 0o777);
    for (let parent = join(path, '..'); parent !== dir; parent = join(parent, '..')) {
      assert.equal((await stat(parent)).mode & 0o007, 0, parent);
    }
    // what containers made of it stays as it is when the kubelet comes again
    await writeFile(join(path, 'f'), '');
    await rm(path, { recursive: true });
    const again = testVolumes(join(dir, 'pods'));
    await again.volumes.setUp(pod);
    await assert.rejects(stat(path), { code: 'ENOENT' });
    await again.volumes.tearDown(pod.metadata.uid);
    assert.deepEqual(await readdir(join(dir, 'pods')), []);
  } finally {
    process.umask(before_);
  }
});
