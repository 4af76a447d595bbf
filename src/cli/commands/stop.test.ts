/** What `down` clears, and what is said when it or `delete` was not let finish. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Instance } from '../../cluster/instance/instance.ts';
import { afterDelete, afterDown, clearStopped, describeStop } from './stop.ts';

describe('what a stopped cluster has left', { skip: process.platform === 'linux' ? false : 'needs /proc' }, () => {
  const gone = 2 ** 22 + 1; // more than Linux gives
  const rows = [
    { name: 'is cleared', pid: gone, isStarting: false, want: false },
    { name: 'stays while it is being started again', pid: gone, isStarting: true, want: true },
    { name: 'stays once it runs again', pid: process.pid, isStarting: false, want: true },
  ];
  for (const { name, pid, isStarting, want } of rows)
    it(name, async () => {
      const root = mkdtempSync(join(tmpdir(), 'timonier-stop-'));
      try {
        const instance = new Instance('a', join(root, 'a'));
        mkdirSync(instance.dir);
        const state = { server: 'https://127.0.0.1:6443', startedAt: '2026-01-01T00:00:00Z', nodes: 0, simulated: 1, version: '1' };
        instance.writeState({ ...state, pid, kubeconfig: join(root, 'kubeconfig'), ownKubeconfig: true });
        using _start = isStarting ? instance.lockStart() : undefined;
        await clearStopped(instance);
        assert.equal(existsSync(join(instance.dir, 'state.json')), want);
        assert.equal(instance.isStarting, isStarting);
      } finally {
        rmSync(root, { recursive: true });
      }
    });
});

describe('what `down` says', () => {
  const rows = [
    { name: 'of one that ran', given: { wasRunning: true }, want: 'Cluster "a" is stopped. `timonier up a` brings it back.' },
    { name: 'of one that did not', given: {}, want: 'Cluster "a" was not running.' },
    {
      name: 'of one that had crashed',
      given: { left: { hasCrashed: true, pods: 2 } },
      want: 'Cluster "a" had crashed; 2 pods that still ran are ended. `timonier up a` brings it back.',
    },
    {
      name: 'of one without files',
      given: { wasRunning: true, isLost: true },
      want: 'Cluster "a" is stopped. Its files are gone: `timonier delete a`.',
    },
    {
      name: 'of one that was lost before',
      given: { left: { hasCrashed: false, pods: 0 }, isLost: true },
      want: 'Cluster "a" is stopped. Its files are gone: `timonier delete a`.',
    },
  ];
  for (const { name, given, want } of rows)
    it(name, () => assert.equal(describeStop('a', { wasRunning: false, left: undefined, isLost: false, ...given }), want));
});

describe('an interrupted down', () => {
  const rows = [
    { name: 'before the cluster was asked', given: { isAsked: false, isThere: true }, want: 'cluster "a" goes on' },
    { name: 'while it stops', given: { isAsked: true, isThere: true }, want: 'cluster "a" goes on stopping' },
    { name: 'when it has ended', given: { isAsked: true, isThere: false }, want: 'cluster "a" does not run' },
    { name: 'of a crashed one', given: { isAsked: false, isThere: false }, want: 'cluster "a" does not run' },
  ];
  for (const { name, given, want } of rows) it(name, () => assert.equal(afterDown('a', given).left, want));
});

describe('an interrupted delete', () => {
  const rows = [
    { name: 'before anything is done', given: { isWanted: true, exists: true }, want: 'cluster "a" is as it was' },
    { name: 'in between', given: { isWanted: false, exists: true }, want: 'cluster "a" is deleted in part' },
    { name: 'at its end', given: { isWanted: false, exists: false }, want: 'cluster "a" is deleted' },
  ];
  for (const { name, given, want } of rows) it(name, () => assert.equal(afterDelete({ name: 'a', ...given }).left, want));
});
