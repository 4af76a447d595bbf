/** An operator in a process of its own waits for its API server and for its lease: it does not end because nothing else is there to do. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const library = join(import.meta.dirname, '..', '..', 'src', 'index.ts');
const aliveMs = 3000;
const client = `createHTTPClient({ server: 'https://127.0.0.1:1', clock: realClock, random: realRandom, log: silentLog })`;
const programs: readonly (readonly [name: string, text: string])[] = [
  [
    'its controllers',
    `runControllers([defineController({ name: 'x', primary: kinds.ConfigMap, reconcile: async () => undefined })], { client, clock: realClock, random: realRandom, log: silentLog }); `,
  ],
  [
    'a candidate',
    `runAsLeader(client, { name: 'x', namespace: 'default', identity: 'a', clock: realClock, random: realRandom, log: silentLog, signal: new AbortController().signal }, async () => undefined).catch(() => undefined); `,
  ],
];

for (const [name, text] of programs) {
  test(`${name}, where no API server answers, are still there after a while`, async (t) => {
    const source = `import { createHTTPClient, defineController, kinds, realClock, realRandom, runAsLeader, runControllers, silentLog } from ${JSON.stringify(library)}; const client = ${client}; ${text}`;
    const child: ChildProcess = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', source], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    t.after(() => child.kill('SIGKILL'));
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (words: string) => {
      said += words;
    });
    const ended = once(child, 'exit').then(([code]) => `ended with ${String(code)}: ${said}`);
    assert.equal(await Promise.race([ended, sleep(aliveMs).then(() => 'is there')]), 'is there');
  });
}
