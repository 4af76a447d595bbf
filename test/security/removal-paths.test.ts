/** CVE-2026-3864, CVE-2026-3865, csi-hostpath#644: an id or a directory with `../` in it, and something else is removed. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { realClock } from '../../src/client/clock.ts';
import { FileGate } from '../../src/node/files/file-gate.ts';
import { podLogsDirectory } from '../../src/node/kubelet/pod/sandbox-config.ts';
import { testPod } from '../kit/test-pods.ts';
import { testVolumes } from './test-volumes.ts';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'removal-'));
  await mkdir(join(dir, 'victim/pods/inside'), { recursive: true });
});
after(() => rm(dir, { recursive: true }));

describe('the files of a pod', () => {
  for (const uid of ['..', '.', '', '../victim', 'inside/../..', '/etc', 'a\0b']) {
    test(`uid ${JSON.stringify(uid)}`, async () => {
      const { volumes } = testVolumes(join(dir, 'victim/pods'));
      await assert.rejects(volumes.tearDown(uid), RangeError);
      assert.throws(() => podLogsDirectory(join(dir, 'victim'), testPod({ metadata: { name: '../..', uid } })), RangeError);
      assert.deepEqual(await readdir(join(dir, 'victim/pods')), ['inside']);
    });
  }
  test('a link in their place is removed, not what it leads to', async () => {
    await symlink(join(dir, 'victim'), join(dir, 'victim/pods/link'));
    const { volumes } = testVolumes(join(dir, 'victim/pods'), new FileGate({ clock: realClock }));
    await volumes.tearDown('link');
    assert.deepEqual(await readdir(join(dir, 'victim/pods')), ['inside']);
  });
});
