/** Weaknesses of the runtime below (masked paths, console, procfs, unpacking, checkpoints, …): told by its version. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkMachine, type Machine } from '../../src/cluster/machine/machine.ts';
import { describeWeaknesses, weaknessesOf } from '../../src/node/runtime/known-weaknesses.ts';

const containerdRows: readonly { readonly version: string | undefined; readonly want: readonly string[] }[] = [
  { version: '1.6.20~ds1', want: ['CVE-2024-25621', 'CVE-2024-40635', 'CVE-2025-64329', 'CVE-2026-53488'] },
  { version: '1.6.38', want: ['CVE-2024-25621', 'CVE-2025-64329', 'CVE-2026-53488'] },
  { version: '1.7.28-1ubuntu1', want: ['CVE-2024-25621', 'CVE-2025-64329', 'CVE-2026-53488'] },
  { version: 'v1.7.33', want: [] },
  { version: '2.0.9', want: ['CVE-2026-53488'] },
  {
    version: '2.1.0',
    want: ['CVE-2024-25621', 'CVE-2025-47290', 'CVE-2025-64329', 'CVE-2026-50195', 'CVE-2026-53488', 'CVE-2026-53492'],
  },
  { version: '2.2.0-rc.1', want: ['CVE-2024-25621', 'CVE-2025-64329', 'CVE-2026-50195', 'CVE-2026-53488', 'CVE-2026-53492'] },
  { version: '2.2.5', want: [] },
  { version: '2.4.0', want: [] },
  { version: '3.0.0', want: [] },
  { version: 'unknown', want: [] },
  { version: undefined, want: [] },
];
const runcRows: typeof containerdRows = [
  { version: '1.1.5+ds1', want: ['CVE-2025-31133', 'CVE-2025-52565', 'CVE-2025-52881'] },
  { version: '1.2.7', want: ['CVE-2025-31133', 'CVE-2025-52565', 'CVE-2025-52881'] },
  { version: '1.2.8', want: [] },
  { version: '1.3.2', want: ['CVE-2025-31133', 'CVE-2025-52565', 'CVE-2025-52881'] },
  { version: '1.3.3', want: [] },
  { version: '1.4.0', want: [] },
  { version: '1.5.1', want: [] },
];

for (const [program, rows] of [
  ['containerd', containerdRows],
  ['runc', runcRows],
] as const) {
  describe(program, () => {
    for (const { version, want } of rows) {
      test(`${version}: ${want.length}`, () =>
        assert.deepEqual(
          weaknessesOf(program, version).map(({ id }) => id),
          want,
        ));
    }
  });
}

test('`doctor` warns of each, and real nodes stay possible', () => {
  const machine: Machine = {
    platform: 'linux',
    arch: 'x64',
    kernel: '6.1',
    cpus: 2,
    memoryBytes: 1,
    isRoot: true,
    hasApt: false,
    programs: { containerd: '/bin/containerd', runc: '/bin/runc' },
    containerdVersion: '1.6.20',
    runcVersion: '1.1.5',
    cgroups: 'v2',
    sharesMounts: true,
  };
  const checks = checkMachine(machine);
  const warningOf = (name: string): string | undefined => checks.find((c) => c.name === name)?.warning;
  assert.match(
    warningOf('containerd') ?? '',
    /CVE-2024-40635 \(a user number beyond 2\^31 runs as root; fixed in 1\.6\.38, 1\.7\.27, 2\.0\.4\)/,
  );
  assert.match(warningOf('runc') ?? '', /CVE-2025-31133/);
  for (const name of ['containerd', 'runc']) assert.equal(checks.find((c) => c.name === name)?.ok, true);
  assert.equal(describeWeaknesses([]), '');
});
