import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const range = '^24.16.0 || >=26.1.0';
const refused = (version: string): string =>
  `timonier needs Node 24.16, 26.1 or newer; this is ${version}. Try: npx -p node@24 timonier up\n`;
const started = 'started\n';

describe('the first file of the package', () => {
  const rows = [
    { name: 'a Node that knew no modules', version: '6.17.1', want: refused('6.17') },
    { name: 'one of before', version: '20.1.0', want: refused('20.1') },
    { name: 'the right one, too early', version: '24.15.9', want: refused('24.15') },
    { name: 'the first that will do', version: '24.16.0', want: started },
    { name: 'a later one', version: '24.22.3', want: started },
    { name: 'one between, which nobody mends any more', version: '25.9.0', want: refused('25.9') },
    { name: 'the next, too early', version: '26.0.0', want: refused('26.0') },
    { name: 'the next', version: '26.1.0', want: started },
    { name: 'one to come', version: '28.0.0', want: started },
    { name: 'a version of a day', version: '27.0.0-nightly20260101', want: started },
    { name: 'by npx', version: '20.1.0', npm: 'exec', want: refused('20.1').replace(' timonier up', ' -p timonier timonier up') },
  ];
  for (const { name, version, npm, want } of rows) {
    it(`${name}: ${version}`, async () => {
      const dir = mkdtempSync(join(tmpdir(), 'timonier-start-'));
      try {
        mkdirSync(join(dir, 'lib/cli'), { recursive: true });
        writeFileSync(join(dir, 'package.json'), JSON.stringify({ engines: { node: range } }));
        writeFileSync(join(dir, 'lib/cli/main.js'), 'console.error("started")');
        writeFileSync(join(dir, 'other.cjs'), `Object.defineProperty(process, 'versions', { value: { node: '${version}' } })`);
        await copyFile(join(import.meta.dirname, 'start.cjs'), join(dir, 'lib/cli/start.cjs'));
        const env = { PATH: process.env['PATH'], ...(npm && { npm_command: npm }) };
        const args = ['--require', join(dir, 'other.cjs'), join(dir, 'lib/cli/start.cjs'), 'up'];
        const { stderr, status } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
        assert.equal(stderr, want);
        assert.equal(status, want === started ? 0 : 1);
      } finally {
        rmSync(dir, { recursive: true });
      }
    });
  }
});
