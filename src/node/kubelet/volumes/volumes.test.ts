/** Volumes on disk, without mounts: files appear, change together, and are gone. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { container, testPod } from '../../../../test/kit/test-pods.ts';
import { realClock } from '../../../client/clock.ts';
import { FileGate } from '../../files/file-gate.ts';
import { writeAtomically } from './atomic-writer.ts';
import { nestedMountPoints } from './content-volume.ts';
import { checkPayloadPath, configMapPayload, type FilePayload, secretPayload } from './file-payload.ts';
import { checkHostPath } from './host-path.ts';
import { isOfFirstUsers, knowsNoSwap, type Mounter } from './mounter.ts';
import { giveToGroup } from './ownership.ts';
import { bindSubpath, checkSubPath } from './subpath.ts';

const gate = new FileGate({ clock: realClock });
let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'volumes-'));
});
after(() => rm(dir, { recursive: true }));
let count = 0;
const fresh = async (): Promise<string> => {
  const path = join(dir, String(count++));
  await mkdir(path);
  return path;
};

const files = (entries: Readonly<Record<string, string>>, mode = 0o644): FilePayload =>
  new Map(Object.entries(entries).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));

describe('writeAtomically', () => {
  test('files are links through ..data, and change together', async () => {
    const volume = await fresh();
    assert.equal(await writeAtomically(volume, files({ a: '1', 'd/b': '2', 'd/e/c': '3' }), { nowMs: Date.UTC(2026, 1, 3), gate }), true);
    assert.deepEqual(
      (await readdir(volume)).filter((n) => !n.startsWith('..')),
      ['a', 'd'],
    );
    assert.equal(await readlink(join(volume, 'a')), '..data/a');
    assert.match(await readlink(join(volume, '..data')), /^\.\.2026_02_03_00_00_00\./);
    assert.equal(await readFile(join(volume, 'd/e/c'), 'utf8'), '3');
    const first = await readlink(join(volume, '..data'));
    assert.equal(await writeAtomically(volume, files({ a: '1', 'd/b': '2', 'd/e/c': '3' }), { nowMs: 0, gate }), false);
    assert.equal(await readlink(join(volume, '..data')), first);
    assert.equal(await writeAtomically(volume, files({ a: 'new', x: 'y' }), { nowMs: 1000, gate }), true);
    assert.deepEqual(
      (await readdir(volume)).filter((n) => !n.startsWith('..')),
      ['a', 'x'],
    );
    assert.equal(await readFile(join(volume, 'a'), 'utf8'), 'new');
    assert.equal((await readdir(volume)).filter((n) => n.startsWith('..2') || n.startsWith('..1')).length, 1);
  });
  test('modes are exact, whatever the umask', async () => {
    const volume = await fresh();
    await writeAtomically(volume, files({ a: '1' }, 0o666), { nowMs: 0, gate });
    assert.equal((await stat(join(volume, 'a'))).mode & 0o777, 0o666);
    assert.equal(await writeAtomically(volume, files({ a: '1' }, 0o400), { nowMs: 0, gate }), false);
    assert.equal(await writeAtomically(volume, files({ b: '1' }, 0o400), { nowMs: 0, gate }), true);
    assert.equal((await stat(join(volume, 'b'))).mode & 0o777, 0o400);
  });
  for (const path of ['', '/a', '../a', 'a/../b', '..a', 'x'.repeat(300)]) {
    test(`refuses ${JSON.stringify(path.slice(0, 10))}`, () => assert.throws(() => checkPayloadPath(path), /^Error: invalid path/));
  }
});

describe('payloads', () => {
  const selection = { defaultMode: 0o644, optional: false, items: undefined };
  const texts = (payload: FilePayload) => [...payload].map(([path, { data, mode }]) => `${path}=${data.toString()} ${mode.toString(8)}`);
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  test('all keys of a ConfigMap', () => {
    assert.deepEqual(texts(configMapPayload({ data: { a: '1' }, binaryData: { b: base64('2') } }, selection)), ['a=1 644', 'b=2 644']);
  });
  test('chosen keys, with their modes', () => {
    const items = [{ key: 'a', path: 'x/y', mode: 0o400 }];
    assert.deepEqual(texts(secretPayload({ data: { a: base64('1'), b: base64('2') } }, { ...selection, items })), ['x/y=1 400']);
  });
  test('a key that is missing', () => {
    const items = [{ key: 'no', path: 'x' }];
    assert.throws(() => configMapPayload({}, { ...selection, items }), { message: 'configmap references non-existent config key: no' });
    assert.throws(() => secretPayload({}, { ...selection, items }), { message: 'references non-existent secret key: no' });
    assert.deepEqual(texts(secretPayload({}, { ...selection, items, optional: true })), []);
  });
});

test('volumes inside others get their directories beforehand', () => {
  const mount = (name: string, mountPath: string) => ({ name, mountPath });
  const volumeMounts = [mount('a', '/etc/a/'), mount('b', '/etc/a/b/c'), mount('c', '/etc/abc'), mount('d', '/etc')];
  const pod = testPod({ spec: { containers: [container('main', { volumeMounts })] } });
  assert.deepEqual(nestedMountPoints(pod, 'a'), ['b/c']);
  assert.deepEqual(nestedMountPoints(pod, 'd'), ['a', 'a/b/c', 'abc']);
});

describe('checkHostPath', () => {
  test('makes what is to be made, and refuses what is of another type', async () => {
    const base = await fresh();
    await checkHostPath({ path: join(base, 'd/e'), type: 'DirectoryOrCreate' }, gate);
    await checkHostPath({ path: join(base, 'f'), type: 'FileOrCreate' }, gate);
    await checkHostPath({ path: join(base, 'f'), type: 'File' }, gate);
    await checkHostPath({ path: join(base, 'missing') }, gate);
    await checkHostPath({ path: '/dev/null', type: 'CharDevice' }, gate);
    const refused = (path: string, type: 'Directory' | 'File' | 'Socket' | 'BlockDevice', what: string) =>
      assert.rejects(checkHostPath({ path, type }, gate), { message: `hostPath type check failed: ${path} is not ${what}` });
    await refused(join(base, 'f'), 'Directory', 'a directory');
    await refused(join(base, 'missing'), 'File', 'a file');
    await refused(join(base, 'f'), 'Socket', 'a socket file');
    await refused('/dev/null', 'BlockDevice', 'a block device');
  });
});

test('giveToGroup', { skip: process.getuid?.() !== 0 && 'needs root' }, async () => {
  const volume = await fresh();
  await writeFile(join(volume, 'f'), '', { mode: 0o600 });
  await symlink('f', join(volume, 'link'));
  await giveToGroup(volume, { fsGroup: 1234, readOnly: false, policy: 'OnRootMismatch' }, gate);
  const [root, file] = await Promise.all([stat(volume), stat(join(volume, 'f'))]);
  assert.deepEqual([root.gid, root.mode & 0o7070, file.gid, file.mode & 0o777], [1234, 0o2070, 1234, 0o660]);
});

describe('subPath', () => {
  const bound: string[] = [];
  const mounter: Mounter = {
    tmpfs: async () => undefined,
    bind: async (source) => {
      bound.push(await readlink(source));
    },
    unmount: async () => undefined,
    isMountPoint: async () => false,
    mountsBelow: async () => [],
  };
  const bind = async (volumePath: string, subPath: string): Promise<string | undefined> => {
    bound.length = 0;
    await bindSubpath({ volumePath, subPath, target: join(await fresh(), 'target') }, mounter, gate);
    return bound[0];
  };
  test('what is missing is made, inside', async () => {
    const volume = await fresh();
    assert.equal(await bind(volume, 'a/b'), join(volume, 'a/b'));
  });
  test('a file is bound onto a file', async () => {
    const volume = await fresh();
    await writeFile(join(volume, 'f'), 'x');
    assert.equal(await bind(volume, 'f'), join(volume, 'f'));
  });
  test('a link inside the volume is followed', async () => {
    const volume = await fresh();
    await mkdir(join(volume, 'real'));
    await symlink('real', join(volume, 'link'));
    assert.equal(await bind(volume, 'link'), join(volume, 'real'));
  });
  for (const [name, target] of [
    ['absolute', '/etc'],
    ['relative', '../..'],
  ] as const) {
    test(`a link out of the volume is refused (${name})`, async () => {
      const volume = await fresh();
      await symlink(target, join(volume, 'out'));
      await assert.rejects(bind(volume, 'out'));
      await assert.rejects(bind(volume, 'out/x'));
      assert.deepEqual(bound, []);
    });
  }
  test('paths that climb are refused', () => {
    assert.throws(() => checkSubPath('/a'), /must not be an absolute path/);
    assert.throws(() => checkSubPath('a/../../b'), /must not contain '\.\.'/);
  });
});

describe('memory that is never swapped', () => {
  for (const [kernel, want] of [
    ['6.4.0', true],
    ['6.18.44-fc-v657', true],
    ['7.0', true],
    ['6.3.13', false],
    ['5.15.0-91-generic', false],
    ['unknown', false],
  ] as const) {
    test(`Linux ${kernel}: ${want}`, () => assert.equal(knowsNoSwap(kernel), want));
  }
  for (const [name, uidMap, want] of [
    ['the machine’s own users', '         0          0 4294967295\n', true],
    ['a user namespace', '         0     100000      65536\n', false],
    ['a user namespace of two ranges', '         0       1000          1\n         1     100000      65535\n', false],
    ['nobody tells', '', false],
  ] as const) {
    test(`${name}: ${want}`, () => assert.equal(isOfFirstUsers(uidMap), want));
  }
});
