import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podsInCgroups } from './stopping-pods.ts';

const rows: readonly { name: string; cgroups: readonly string[]; want: readonly string[] }[] = [
  { name: 'none', cgroups: ['0::/\n', ''], want: [] },
  { name: 'cgroup v2', cgroups: ['0::/timonier-a/a-1/kubepods/burstable/pod12-34/c1\n'], want: ['12-34'] },
  {
    name: 'cgroup v1, several hierarchies and containers of one pod',
    cgroups: [
      '5:memory:/timonier-a/a-1/kubepods/pod1/c1\n4:cpu,cpuacct:/timonier-a/a-1/kubepods/pod1/c1\n0::/\n',
      '5:memory:/timonier-a/a-2/kubepods/besteffort/pod1/c2\n',
    ],
    want: ['1'],
  },
  { name: 'another cluster’s', cgroups: ['0::/timonier-ab/ab-1/kubepods/pod1/c1\n', '0::/timonier-b/timonier-a/pod1\n'], want: [] },
];
for (const { name, cgroups, want } of rows) test(name, () => assert.deepEqual(podsInCgroups('a', cgroups), want));
