import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { kubeconfigInMemory, usualCluster } from './cluster-name.ts';

const dir = mkdtempSync(join(tmpdir(), 'timonier-name-'));
const ofCi = { TIMONIER_CI: dir, TIMONIER_CLUSTER: 'ci-1' };
writeFileSync(join(dir, 'kubeconfig'), '');

describe('which cluster is meant', () => {
  after(() => rmSync(dir, { recursive: true }));
  const rows: readonly { name: string; env: NodeJS.ProcessEnv; asked?: string; want: { usual: string; inMemory: boolean } }[] = [
    { name: 'nothing says', env: {}, want: { usual: 'default', inMemory: false } },
    { name: 'an empty variable', env: { TIMONIER_CLUSTER: '' }, want: { usual: 'default', inMemory: false } },
    { name: 'the variable', env: { TIMONIER_CLUSTER: 'far' }, want: { usual: 'far', inMemory: false } },
    { name: 'below ci', env: ofCi, want: { usual: 'ci-1', inMemory: true } },
    { name: 'another below ci', env: ofCi, asked: 'far', want: { usual: 'ci-1', inMemory: false } },
    { name: 'ci is gone', env: { ...ofCi, TIMONIER_CI: `${dir}-gone` }, want: { usual: 'ci-1', inMemory: false } },
  ];
  for (const { name, env, asked = usualCluster(env), want } of rows)
    it(name, () => assert.deepEqual({ usual: usualCluster(env), inMemory: kubeconfigInMemory(asked, env) !== undefined }, want));
});
