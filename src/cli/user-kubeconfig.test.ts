import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessFrom } from './user-kubeconfig.ts';

test('a kubeconfig that is not there, or none, is named', async () => {
  for (const path of ['/nonexistent/kubeconfig', import.meta.filename]) {
    await assert.rejects(accessFrom(path), { code: 'bad-kubeconfig', message: `can't use ${path}` });
  }
});
