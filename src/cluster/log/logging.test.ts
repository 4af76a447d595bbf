import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderLogLine } from './logging.ts';

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

test('records for people', () => {
  const rows = [
    {
      given: '{"level":"warn","time":"2026-11-27T05:57:59.364Z","component":"store","path":"/a b","took":1,"msg":"slow"}',
      want: '05:57:59.364 WARN  store: slow  path="/a b" took=1',
    },
    { given: '{"level":"info","time":"2026-11-27T05:57:59.364Z","msg":"ready"}', want: '05:57:59.364 INFO  ready' },
    { given: 'Error: out of memory', want: 'Error: out of memory' },
    { given: '{"level":', want: '{"level":' },
  ];
  for (const { given, want } of rows) assert.equal(renderLogLine(given), want);
});
