import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Instance } from '../instance/instance.ts';
import { apiPorts, onFreePort } from './api-port.ts';

test('which ports are tried', () => {
  const root = mkdtempSync(join(tmpdir(), 'timonier-ports-'));
  const before = process.env['TIMONIER_ROOT'];
  process.env['TIMONIER_ROOT'] = root;
  try {
    for (const [name, port] of [
      ['usual', 6443],
      ['next', 6445],
    ] as const) {
      mkdirSync(join(root, name));
      new Instance(name).writeSettings({ kept: { config: { port } }, kubeconfigs: [] });
    }
    const first = (dataDir: string | undefined, port?: number): readonly number[] =>
      apiPorts(port === undefined ? {} : { port }, dataDir).slice(0, 3);
    assert.deepEqual(first('/elsewhere'), [6444, 6446, 6447], 'those that no other cluster has, though it be stopped');
    assert.deepEqual(first(join(root, 'usual')), [6443, 6444, 6446], 'its own is not another’s');
    assert.deepEqual(first('/elsewhere', 6443), [6443], 'the one that was asked for, or none');
    assert.deepEqual(first('/elsewhere', 0), [0]);
    assert.deepEqual(first(undefined), [0], 'a cluster that keeps nothing has no usual one');
    assert.equal(apiPorts({}, '/elsewhere').at(-1), 0);
  } finally {
    if (before === undefined) delete process.env['TIMONIER_ROOT'];
    else process.env['TIMONIER_ROOT'] = before;
    rmSync(root, { recursive: true });
  }
});

test('the first one that is free; another failure is one', async () => {
  const refuse = (code: string): never => {
    throw Object.assign(new Error(code), { code });
  };
  const listen = (free: number) => async (port: number) => (port === free ? port : refuse('EADDRINUSE'));
  assert.equal(await onFreePort([1, 2, 3], listen(2)), 2);
  await assert.rejects(onFreePort([1, 2], listen(3)), { code: 'EADDRINUSE' });
  await assert.rejects(
    onFreePort([1, 2], async (port) => (port === 1 ? refuse('EACCES') : port)),
    { code: 'EACCES' },
  );
});
