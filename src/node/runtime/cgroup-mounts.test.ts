import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCgroupMounts } from './cgroup-mounts.ts';

const v2 = 'cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nsdelegate 0 0';
const cpu = 'cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0';
const rows = [
  { name: 'v2', given: [v2], want: ['2 /sys/fs/cgroup rw,nosuid,nsdelegate'] },
  {
    name: 'v1, in its own order',
    given: ['tmpfs /sys/fs/cgroup tmpfs ro 0 0', cpu],
    want: ['1 /sys/fs/cgroup/cpu,cpuacct rw,cpu,cpuacct'],
  },
  {
    name: 'both',
    given: [cpu, 'cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0'],
    want: ['1 /sys/fs/cgroup/cpu,cpuacct rw,cpu,cpuacct', '2 /sys/fs/cgroup/unified rw'],
  },
  { name: 'one that is mounted elsewhere', given: ['cgroup2 /run/other/cgroup cgroup2 rw 0 0'], want: [] },
  { name: 'one beside it', given: ['cgroup2 /sys/fs/cgroup-old cgroup2 rw 0 0'], want: [] },
  { name: 'no cgroups', given: ['proc /proc proc rw 0 0', 'x /sys/fs/cgroup constructor rw 0 0', ''], want: [] },
];
for (const { name, given, want } of rows) {
  test(`cgroups that are mounted: ${name}`, () => {
    const found = parseCgroupMounts(given.join('\n'));
    assert.deepEqual(
      found.map(({ path, version, options }) => `${version} ${path} ${options}`),
      want,
    );
  });
}
