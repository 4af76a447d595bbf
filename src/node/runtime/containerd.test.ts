/** The pure parts around containerd: its configuration, what its events and the kernel's files say. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { prepareDescriptor, withoutNulls } from '../../client/transport/grpc-services.ts';
import { parseMountPoints } from '../files/mounts.ts';
import { containerdPaths, renderContainerdConfig, renderRegistryHosts } from './containerd-config.ts';
import { changedContainer } from './containerd-events.ts';
import { hasCapability, parseContainerdVersion } from './machine-support.ts';

describe('containerd’s configuration', () => {
  const render = (text: string, change = {}): string =>
    renderContainerdConfig({
      version: parseContainerdVersion(text),
      paths: containerdPaths('/data'),
      pauseImage: 'pause:1',
      snapshotter: 'overlayfs',
      canLowerOomScore: true,
      cgroupDriver: 'cgroupfs',
      cniPluginDir: '/usr/lib/cni',
      ...change,
    });
  const one = 'containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u1';
  const two = 'containerd github.com/containerd/containerd/v2 v2.1.4 75cb2b7193e4e490e9fbdc236c0e811ccaba3376';
  const table: { name: string; config: string; has: RegExp[]; hasNot?: RegExp[] }[] = [
    {
      name: 'of 1.x',
      config: render(one),
      has: [/^version = 2$/m, /^\[plugins\."io\.containerd\.grpc\.v1\.cri"\]$/m, /^sandbox_image = "pause:1"$/m],
    },
    {
      name: 'of 2.x',
      config: render(two),
      has: [/^version = 3$/m, /^\[plugins\."io\.containerd\.cri\.v1\.images"\.pinned_images\]\nsandbox = "pause:1"$/m],
      hasNot: [/sandbox_image/],
    },
    { name: 'with all it may', config: render(one), has: [/^restrict_oom_score_adj = false$/m, /^SystemdCgroup = false$/m] },
    {
      name: 'with less',
      config: render(two, { canLowerOomScore: false, cgroupDriver: 'systemd', snapshotter: 'native' }),
      has: [/^restrict_oom_score_adj = true$/m, /^SystemdCgroup = true$/m, /^snapshotter = "native"$/m],
    },
  ];
  for (const { name, config, has, hasNot = [] } of table)
    it(name, () => {
      for (const pattern of has) assert.match(config, pattern);
      for (const pattern of hasNot) assert.doesNotMatch(config, pattern);
    });

  it('asks mirrors before a registry', () => {
    const text = renderRegistryHosts('docker.io', ['http://127.0.0.1:5000']);
    assert.equal(text, 'server = "https://registry-1.docker.io"\n\n[host."http://127.0.0.1:5000"]\ncapabilities = ["pull","resolve"]\n');
  });

  it('fits its socket’s path', () => assert.throws(() => containerdPaths(`/${'x'.repeat(100)}`), RangeError));
});

describe('parseContainerdVersion', () => {
  const table: [string, number, number][] = [
    ['containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u1', 1, 6],
    ['containerd github.com/containerd/containerd v1.7.27 05044ec0a9a75232cad458027ca83437aae3f4da', 1, 7],
    ['containerd containerd.io 1.7.25 bcc810d6b9066471b0b6fa75f557a15a1cbf31bb', 1, 7],
    ['containerd github.com/containerd/containerd/v2 v2.1.4 75cb2b71', 2, 1],
    ['containerd github.com/containerd/containerd/v2 2.0.0-rc.1 ', 2, 0],
  ];
  for (const [text, major, minor] of table)
    it(text, () => {
      const version = parseContainerdVersion(text);
      assert.deepEqual([version.major, version.minor], [major, minor]);
    });
});

describe('what the kernel says', () => {
  it('about capabilities', () => {
    const status = 'Name:\tnode\nCapPrm:\t000001ffffffffff\nCapEff:\t000001fffeffffff\n';
    assert.equal(hasCapability(status, 24n), false);
    assert.equal(hasCapability(status, 21n), true);
  });
  it('about mounts, with blanks in their names', () => {
    const info = '25 30 0:23 / /proc rw shared:1 - proc proc rw\n99 30 0:40 / /data/a\\040b rw - tmpfs tmpfs rw\n';
    assert.deepEqual(parseMountPoints(info), ['/proc', '/data/a b']);
  });
});

describe('containerd’s events', () => {
  const field = (number: number, text: string): number[] => [number * 8 + 2, text.length, ...Buffer.from(text)];
  const table: { name: string; bytes: number[]; want: string | undefined }[] = [
    { name: 'a container was made', bytes: [...field(1, 'one'), ...field(2, 'image')], want: undefined },
    { name: 'a container was deleted', bytes: field(1, 'one'), want: 'one' },
    { name: 'a task started', bytes: [...field(1, 'one'), 16, 5], want: 'one' },
    { name: 'a task exited', bytes: [...field(1, 'one'), ...field(2, 'one'), 24, 9], want: 'one' },
    { name: 'a command in it exited', bytes: [...field(1, 'one'), ...field(2, 'exec-1'), 24, 9], want: undefined },
  ];
  for (const { name, bytes, want } of table) it(name, () => assert.equal(changedContainer(Buffer.from(bytes)), want));
  it('nothing', () => assert.equal(changedContainer(undefined), undefined));
});

describe('CRI messages', () => {
  it('are in camelCase, with the zero value of an enumeration first', () => {
    const given = {
      nested: { State: { values: { NOT_READY: 1, READY: 0 } }, Pod: { fields: { pod_sandbox_id: { id: 1, type: 'string' } } } },
    };
    const prepared = prepareDescriptor(given);
    assert.deepEqual(prepared, {
      nested: { State: { values: { READY: 0, NOT_READY: 1 } }, Pod: { fields: { podSandboxId: { id: 1, type: 'string' } } } },
    });
    assert.match(JSON.stringify(prepared), /"READY":0,"NOT_READY":1/);
  });
  it('have no nulls, and their bytes are left alone', () => {
    const bytes = Buffer.from('x');
    assert.deepEqual(withoutNulls({ a: null, b: [{ c: null, d: 0 }], bytes }), { b: [{ d: 0 }], bytes });
  });
});
