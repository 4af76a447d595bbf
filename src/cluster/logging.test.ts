import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';

test('a process outlives the reader of its output', async () => {
  const program = `
    import { surviveLostOutput } from ${JSON.stringify(join(import.meta.dirname, 'logging.ts'))};
    surviveLostOutput();
    process.stdin.once('data', () => {
      process.stdout.write('nobody reads this');
      process.stdout.write('nor this', () => process.exit(7));
    });
    process.stdout.write('ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.stdout.destroy();
  child.stdin.write('go');
  assert.deepEqual(await once(child, 'exit'), [7, null]);
});
