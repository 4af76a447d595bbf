import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { Command } from 'commander';
import { Instance } from '../../cluster/instance/instance.ts';
import type { ClusterConfig } from '../../cluster/settings/config.ts';
import { addClusterFlags, backgroundWords, type ClusterFlags, configFrom, settingsFrom } from './cluster-flags.ts';

const parse = (words: readonly string[]): ClusterFlags =>
  addClusterFlags(new Command()).exitOverride().parse(words, { from: 'user' }).opts<ClusterFlags>();

const file = { simulated: 3, maxPods: 20, runtimeConfig: { 'api/all': 'true' } };
const rows: readonly { words: readonly string[]; want: ClusterConfig | RegExp }[] = [
  { words: [], want: {} },
  { words: ['--nodes', '0', '--simulated', '20', '--port', '0'], want: { nodes: 0, simulated: 20, port: 0 } },
  { words: ['--config', 'FILE'], want: file },
  { words: ['--nodes', '0', '--hollow', '20', '--port', '0'], want: { nodes: 0, simulated: 20, port: 0 } },
  { words: ['--config', 'FILE', '--simulated', '1'], want: { ...file, simulated: 1 } },
  {
    words: ['--config', 'FILE', '--runtime-config', 'api/beta=true, apps/v1=false', '--runtime-config', 'v1/pods'],
    want: { ...file, runtimeConfig: { 'api/beta': 'true', 'apps/v1': 'false', 'v1/pods': '' } },
  },
  {
    words: ['--controllers', '-job-controller,*', '--controllers=-cronjob', '--disable-admission-plugins', 'ServiceAccount, Priority'],
    want: { controllers: ['-job-controller', '*', '-cronjob'], disableAdmissionPlugins: ['ServiceAccount', 'Priority'] },
  },
  { words: ['--controllers', 'none'], want: { controllers: ['none'] } },
  { words: ['--controllers', '*,-jobs'], want: /^flags: controllers: there is no controller "jobs"$/ },
  { words: ['--runtime-config', 'foo=bar'], want: /^flags: runtimeConfig: invalid value foo=bar$/ },
  { words: ['--runtime-config', 'foo/v1=true'], want: /^flags: runtimeConfig: unknown API versions foo\/v1$/ },
  { words: ['--disable-admission-plugins', 'serviceaccount'], want: /^flags: .*: there is no admission plugin "serviceaccount"$/ },
  { words: ['--port', 'https'], want: /^flags: port: "https" is not a port number$/ },
  { words: ['--nodes=-1'], want: /^flags: nodes: "-1" is not a whole number from 0 to 50$/ },
  { words: ['--port', ''], want: /^flags: port: "" is not a port number$/ },
];

test('flags and file become a configuration', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'timonier-flags-'));
  try {
    writeFileSync(join(dir, 'FILE'), JSON.stringify(file));
    for (const { words, want } of rows) {
      const given = parse(words.map((word) => (word === 'FILE' ? join(dir, word) : word)));
      const result = configFrom(given);
      if (want instanceof RegExp) await assert.rejects(result, { message: want, exitCode: 2 });
      else assert.deepEqual(await result, want, words.join(' '));
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test('files are found wherever the background process works; what was not said is left to what is kept', async () => {
  assert.deepEqual(await settingsFrom(parse(['--kubeconfig', 'b'])), { config: {}, kubeconfig: resolve('b'), logLevel: undefined });
  assert.deepEqual(await settingsFrom(parse(['--log-level', 'debug'])), { config: {}, kubeconfig: undefined, logLevel: 'debug' });
  await assert.rejects(settingsFrom(parse(['--kubeconfig', ''])), { code: 'bad-flag', exitCode: 2 });
  const flags = parse(['--data-dir', 'c', '--timeout', '9', '--port', '1']);
  assert.deepEqual(backgroundWords(new Instance('x', 'c'), flags, '/k'), [
    ...['x', '--kept', '--timeout', '9', '--data-dir', resolve('c'), '--kubeconfig', '/k'],
  ]);
});

test('a setting that a file says twice is refused', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'timonier-flags-'));
  try {
    writeFileSync(join(dir, 'FILE'), 'simulated: 1\nsimulated: 2\n');
    const message = /FILE: line 2: key "simulated" already set in map$/;
    await assert.rejects(configFrom(parse(['--config', join(dir, 'FILE')])), { message, exitCode: 1 });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
