/** What the commands say of a cluster whose own files are damaged. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Instance } from '../instance/instance.ts';
import { readSupervision } from '../instance/supervision.ts';
import { version } from '../version.ts';
import { readNetworks } from './address-plan.ts';
import { settingsFile } from './settings.ts';

const state = {
  pid: process.pid,
  server: 'https://127.0.0.1:6443',
  startedAt: '2026-01-01T00:00:00Z',
  nodes: 0,
  simulated: 1,
  version: '1',
};
const networks = { number: 0, serviceCIDR: '10.96.0.0/16', podCIDR: '10.244.0.0/16', nodeCIDR: '172.31.250.0/24' };
const settings = { format: 1, version: '1', name: 'kept', kept: { config: { nodes: 1, port: 7443 } }, kubeconfigs: [] };
const text = JSON.stringify;

interface Row {
  readonly file: 'state.json' | 'settings.json' | 'network.json' | 'supervisor.json' | 'admin.kubeconfig';
  readonly name: string;
  readonly content: string;
  readonly want: 'refused' | 'none' | 'read';
}

const rows: readonly Row[] = [
  { file: 'state.json', name: 'whole', content: text(state), want: 'read' },
  { file: 'state.json', name: 'empty', content: '', want: 'refused' },
  { file: 'state.json', name: 'cut off', content: text(state).slice(0, 20), want: 'refused' },
  { file: 'state.json', name: 'null', content: 'null', want: 'refused' },
  { file: 'state.json', name: 'without a process', content: '{"server":"https://127.0.0.1:1"}', want: 'refused' },
  { file: 'state.json', name: 'whose process is every process', content: text({ ...state, pid: -1 }), want: 'refused' },
  { file: 'state.json', name: 'whose process is its own group', content: text({ ...state, pid: 0 }), want: 'refused' },
  { file: 'state.json', name: 'whose server is nowhere', content: text({ ...state, server: 'somewhere' }), want: 'refused' },
  { file: 'state.json', name: 'whose nodes are words', content: text({ ...state, nodes: 'two' }), want: 'refused' },
  { file: 'state.json', name: 'whose start is no time', content: text({ ...state, startedAt: 5 }), want: 'refused' },
  { file: 'settings.json', name: 'whole', content: text(settings), want: 'read' },
  { file: 'settings.json', name: 'before there was a format', content: text({ nodes: 0, simulated: 3 }), want: 'read' },
  { file: 'settings.json', name: 'of a start that failed', content: text({ ...settings, kept: undefined }), want: 'read' },
  { file: 'settings.json', name: 'empty', content: '', want: 'refused' },
  { file: 'settings.json', name: 'null', content: 'null', want: 'refused' },
  { file: 'settings.json', name: 'a list', content: '[]', want: 'refused' },
  { file: 'settings.json', name: 'cut off', content: text(settings).slice(0, 60), want: 'refused' },
  { file: 'settings.json', name: 'without a name', content: text({ ...settings, name: undefined }), want: 'refused' },
  { file: 'settings.json', name: 'whose settings are null', content: text({ ...settings, kept: null }), want: 'refused' },
  { file: 'settings.json', name: 'whose kubeconfigs are one', content: text({ ...settings, kubeconfigs: '/k' }), want: 'refused' },
  {
    file: 'settings.json',
    name: 'whose log level is a number',
    content: text({ ...settings, kept: { config: {}, logLevel: 3 } }),
    want: 'refused',
  },
  { file: 'network.json', name: 'whole', content: text(networks), want: 'read' },
  { file: 'network.json', name: 'empty', content: '', want: 'refused' },
  { file: 'network.json', name: 'without a network', content: text({ ...networks, podCIDR: undefined }), want: 'refused' },
  { file: 'network.json', name: 'with words for a network', content: text({ ...networks, podCIDR: 'pods' }), want: 'refused' },
  { file: 'supervisor.json', name: 'whole', content: text({ pid: process.pid, startTicks: '', restarts: 0 }), want: 'read' },
  { file: 'supervisor.json', name: 'empty', content: '', want: 'none' },
  { file: 'supervisor.json', name: 'of every process', content: text({ pid: -1, startTicks: '', restarts: 0 }), want: 'none' },
  { file: 'supervisor.json', name: 'of the first process', content: text({ pid: 1, startTicks: '', restarts: 0 }), want: 'none' },
  { file: 'supervisor.json', name: 'null', content: 'null', want: 'none' },
  {
    file: 'supervisor.json',
    name: 'whose count is a word',
    content: text({ pid: process.pid, startTicks: '', restarts: 'often' }),
    want: 'none',
  },
  { file: 'supervisor.json', name: 'whose exit is a number', content: text({ pid: process.pid, restarts: 0, lastExit: 9 }), want: 'none' },
  { file: 'admin.kubeconfig', name: 'cut off', content: 'apiVersion: v1\nusers:\n  - user:\n      client-key-d', want: 'refused' },
  { file: 'admin.kubeconfig', name: 'empty', content: '', want: 'refused' },
];

const readers = {
  'state.json': (instance: Instance) => instance.running(),
  'settings.json': (instance: Instance) => instance.readSettings(),
  'network.json': (instance: Instance) => readNetworks(instance.dir),
  'supervisor.json': (instance: Instance) => readSupervision(instance.dir),
  'admin.kubeconfig': (instance: Instance) => instance.readKubeconfig(),
};

for (const { file, name, content, want } of rows) {
  test(`${file}, ${name}: ${want}`, () => {
    const dir = mkdtempSync(join(tmpdir(), 'timonier-kept-'));
    try {
      writeFileSync(join(dir, file), content);
      const read = (): unknown => readers[file](new Instance('kept', dir));
      if (want === 'refused')
        assert.throws(read, (error: Error) => error.name === 'OperationError' && error.message.startsWith(`${join(dir, file)} is `));
      else assert.equal(read() !== undefined, want === 'read');
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
}

test('what is written is whole, and its owner’s alone', () => {
  const dir = mkdtempSync(join(tmpdir(), 'timonier-kept-'));
  try {
    mkdirSync(join(dir, 'x'));
    const instance = new Instance('kept', join(dir, 'x'));
    const record = { kept: { config: { simulated: 1 } }, kubeconfigs: ['/k'] };
    instance.writeSettings(record);
    assert.deepEqual(instance.readSettings(), { ...record, next: undefined, format: 1, name: 'kept', version });
    assert.equal(statSync(join(dir, 'x', settingsFile)).mode & 0o777, 0o600);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
