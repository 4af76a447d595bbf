/** The last resort of a process, in processes of their own. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { faultExitCode } from './process-faults.ts';

const dir = mkdtempSync(join(tmpdir(), 'timonier-faults-'));
after(() => rmSync(dir, { recursive: true }));
const fifo = join(dir, 'fifo');
execFileSync('mkfifo', [fifo]);

const prelude = `
import { closeSync, open, openSync } from 'node:fs';
import { contextOf, requestContext } from ${JSON.stringify(join(import.meta.dirname, '../../client/transport/request-context.ts'))};
import { watchProcess } from ${JSON.stringify(join(import.meta.dirname, 'process-faults.ts'))};
const log = { error: ({ error, ...fields }, message) => console.log(JSON.stringify({ message, error: String(error), ...fields })) };
const faults = watchProcess(log);
const request = (work) => requestContext.run(contextOf('POST', '/api/v1/pods', 'id-1'), work);
`;
/** Soon used up. */
const descriptorsMax = 128;

const rows = [
  {
    name: 'a rejection that nobody caught is logged with its request and counted; the process goes on',
    script: `request(async () => { await null; throw new Error('boom'); });
      setImmediate(() => console.log(faults.unhandledRejections));`,
    code: 0,
    output: ['{"message":"a failure was caught by nobody","error":"Error: boom","method":"POST","path":"/api/v1/pods","id":"id-1"}', '1'],
  },
  {
    name: 'an uncaught exception is logged with its request and ends the process',
    script: `request(() => setImmediate(() => { throw new Error('boom'); })); setInterval(() => {}, 1000);`,
    code: faultExitCode,
    output: [
      '{"message":"an uncaught exception ends the process","error":"Error: boom","method":"POST","path":"/api/v1/pods","id":"id-1"}',
    ],
  },
  {
    name: 'it ends while every thread of the pool is stuck',
    script: `for (let i = 0; i < 6; i++) open(${JSON.stringify(fifo)}, 'r', () => {});
      setImmediate(() => { throw new Error('boom'); });`,
    code: faultExitCode,
    output: ['{"message":"an uncaught exception ends the process","error":"Error: boom"}'],
  },
  {
    name: 'a process without free descriptors ends',
    script: `watchProcess(log, undefined, { setInterval: (look) => setInterval(look, 10) });
      for (let free = true; free; ) try { openSync('/dev/null'); } catch { free = false; }`,
    code: faultExitCode,
    output: ['{"message":"an uncaught exception ends the process","error":"Error: too many open files"}'],
  },
  {
    name: 'one that finds some again goes on',
    script: `let looks = 0;
      watchProcess(log, undefined, { setInterval: (look) => setInterval(() => { look(); if (++looks === 2) opened.forEach(closeSync); }, 10) });
      const opened = [];
      for (let free = true; free; ) try { opened.push(openSync('/dev/null')); } catch { free = false; }
      setTimeout(() => process.exit(0), 100);`,
    code: 0,
    output: [],
  },
  {
    name: 'it ends when even the log fails',
    script: `log.error = () => { throw new Error('disk full'); }; setImmediate(() => { throw new Error('boom'); });`,
    code: faultExitCode,
    output: [],
  },
];

for (const { name, script, code, output } of rows) {
  it(name, () => {
    const args = ['--input-type=module-typescript', '-e', prelude + script];
    const { status, stdout } = spawnSync('sh', ['-c', `ulimit -n ${descriptorsMax}; exec "$0" "$@"`, process.execPath, ...args], {
      encoding: 'utf8',
      timeout: 10_000,
      killSignal: 'SIGKILL',
    });
    assert.deepEqual({ status, lines: stdout.split('\n').filter(Boolean) }, { status: code, lines: output });
  });
}
