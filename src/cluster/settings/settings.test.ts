/** What a start is made of: what was kept, and what this call says. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { changesOf, describeSettingChange, mergeSettings, provedSettings, readSettings, type Settings } from './settings.ts';

const kept: Settings = { config: { nodes: 2, port: 7443, maxPods: 20 }, kubeconfig: '/k', logLevel: 'debug' };

interface Row {
  readonly name: string;
  readonly kept?: Settings;
  readonly given: Settings;
  readonly want: Settings;
  /** as people read them; those in `live` need no restart */
  readonly changes?: readonly string[];
  readonly live?: readonly string[];
}

const rows: readonly Row[] = [
  { name: 'no flags: as it was', kept, given: { config: {} }, want: kept },
  { name: 'a first start', given: { config: { simulated: 3 } }, want: { config: { simulated: 3 } } },
  {
    name: 'a flag changes what it names, and nothing else',
    kept,
    given: { config: { nodes: 1 } },
    want: { ...kept, config: { ...kept.config, nodes: 1 } },
    changes: ['nodes: 2 → 1'],
  },
  { name: 'a flag that says what is so', kept, given: { config: { nodes: 2, port: 7443 } }, want: kept },
  { name: 'any port: the one it has', kept, given: { config: { port: 0 } }, want: kept },
  { name: 'any port, for the first time', given: { config: { port: 0 } }, want: { config: { port: 0 } } },
  {
    name: 'another port, log level and kubeconfig',
    kept,
    given: { config: { port: 8443 }, kubeconfig: '/other', logLevel: 'warn' },
    want: { config: { ...kept.config, port: 8443 }, kubeconfig: '/other', logLevel: 'warn' },
    changes: ['port: 7443 → 8443', 'log level: debug → warn'],
    live: ['kubeconfig: /k → /other'],
  },
  {
    name: 'simulated nodes',
    kept,
    given: { config: { simulated: 5 } },
    want: { ...kept, config: { ...kept.config, simulated: 5 } },
    live: ['simulated nodes: 0 → 5'],
  },
  {
    name: 'no real node any more: a simulated one instead',
    kept,
    given: { config: { nodes: 0 } },
    want: { ...kept, config: { ...kept.config, nodes: 0 } },
    changes: ['nodes: 2 → 0'],
    live: ['simulated nodes: 0 → 1'],
  },
  {
    name: 'a default said aloud',
    kept,
    given: { config: { host: '127.0.0.1', clusterDomain: 'cluster.local' } },
    want: { ...kept, config: { ...kept.config, host: '127.0.0.1', clusterDomain: 'cluster.local' } },
  },
  {
    name: 'a map as a whole',
    kept: { config: { runtimeConfig: { 'api/beta': 'true', 'api/alpha': 'true' } } },
    given: { config: { runtimeConfig: { 'api/beta': 'false' } } },
    want: { config: { runtimeConfig: { 'api/beta': 'false' } } },
    changes: ['runtimeConfig: api/beta=true,api/alpha=true → api/beta=false'],
  },
  {
    name: 'a list that was not there, and networks',
    kept: { config: {} },
    given: { config: { upstreamDNS: ['9.9.9.9', '1.1.1.1'], podCIDR: '10.9.0.0/16' } },
    want: { config: { upstreamDNS: ['9.9.9.9', '1.1.1.1'], podCIDR: '10.9.0.0/16' } },
    changes: ['upstreamDNS: default → 9.9.9.9,1.1.1.1', 'podCIDR: default → 10.9.0.0/16'],
  },
];

/** As a file has it: absent, not undefined. */
const stored = (settings: Settings): unknown => JSON.parse(JSON.stringify(settings));

for (const { name, kept: before, given, want, changes = [], live = [] } of rows) {
  test(name, () => {
    const settings = mergeSettings(before, given);
    assert.deepEqual(stored(settings), stored(want));
    if (!before) return;
    const found = changesOf(before, settings);
    assert.deepEqual(
      [found.filter(({ needsRestart }) => needsRestart), found.filter(({ needsRestart }) => !needsRestart)].map((some) =>
        some.map(describeSettingChange),
      ),
      [changes, live],
    );
  });
}

test('what a start has found out is kept: its port, and real nodes, but not that there were none', () => {
  assert.deepEqual(provedSettings({ config: {} }, { nodes: 1, port: 6444 }), { config: { nodes: 1, port: 6444 } });
  assert.deepEqual(provedSettings({ config: {} }, { nodes: 0, port: 6443 }), { config: { port: 6443 } });
});

test('simulated nodes may stand in a record by their older name', () => {
  const dir = mkdtempSync(join(tmpdir(), 'timonier-settings-'));
  try {
    const kept = { config: { hollow: 3, port: 7443 } };
    writeFileSync(join(dir, 'settings.json'), JSON.stringify({ format: 1, version: '0.1.0', name: 'x', kept, kubeconfigs: [] }));
    assert.deepEqual(readSettings({ name: 'x', dir })?.kept, { config: { simulated: 3, port: 7443 } });
  } finally {
    rmSync(dir, { recursive: true });
  }
});
