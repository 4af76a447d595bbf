/** `timonier watch` as a user has it in a window of its own: beyond a restart of the cluster, to its deletion, and no longer than somebody reads it. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, it } from 'node:test';
import { ConfigMap, Namespace } from '../../src/api/generated/kinds.ts';
import type { KindRef } from '../../src/api/meta/object.ts';
import { realClock, realRandom } from '../../src/client/clock.ts';
import { accessOf, readKubeconfig } from '../../src/client/files/kubeconfig.ts';
import { silentLog } from '../../src/client/log.ts';
import { createHTTPClient } from '../../src/client/transport/http-client.ts';
import { findProgram } from '../../src/cluster/machine/machine.ts';

const main = join(import.meta.dirname, '../../src/cli/main.ts');
const place = mkdtempSync(join(tmpdir(), 'timonier-watch-'));
const kubeconfig = join(place, 'kubeconfig');
const env = { ...process.env, TIMONIER_ROOT: join(place, 'clusters') };
const children: ChildProcess[] = [];

const script = findProgram('script');

function start(...words: readonly string[]) {
  return startAs([process.execPath, main, ...words], env);
}

/** On a terminal of its own, in an environment in which nothing but `more` speaks of colours (a CI server's does). */
function startOnTerminal(words: readonly string[], more: NodeJS.ProcessEnv) {
  const line = [process.execPath, main, ...words].map((word) => `'${word}'`).join(' ');
  const { PATH, HOME, TIMONIER_ROOT } = env as NodeJS.ProcessEnv;
  return startAs([script ?? '', '-qec', line, '/dev/null'], { PATH, HOME, TIMONIER_ROOT, ...more });
}

function startAs([program = '', ...words]: readonly string[], env: NodeJS.ProcessEnv) {
  const child = spawn(program, words, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
    killSignal: 'SIGKILL',
  });
  children.push(child);
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const errors = createInterface(child.stderr)[Symbol.asyncIterator]();
  const until = async (from: AsyncIterator<string>, wanted: RegExp): Promise<string> => {
    for (let next = await from.next(); !next.done; next = await from.next()) if (wanted.test(next.value)) return next.value;
    assert.fail(`not seen: ${wanted}`);
  };
  return { child, ended, seen: (wanted: RegExp) => until(lines, wanted), said: (wanted: RegExp) => until(errors, wanted) };
}

async function serve() {
  const cluster = start('run', 'seen', '--components', 'api-server', '--nodes', '0', '--port', '0', '--kubeconfig', kubeconfig);
  await cluster.seen(/the cluster is ready/);
  return cluster;
}

/** A ConfigMap, made by an administrator. */
const act = (name: string): Promise<void> => make(ConfigMap, name);

async function make(kind: KindRef, name: string): Promise<void> {
  const access = await accessOf(await readKubeconfig(kubeconfig));
  await using client = createHTTPClient({ ...access, clock: realClock, random: realRandom, log: silentLog });
  await client.create(kind, { metadata: { name, ...(kind !== Namespace && { namespace: 'default' }) } } as never);
}

describe('timonier watch', { timeout: 180_000 }, () => {
  after(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(place, { recursive: true, force: true });
  });

  it('goes on when the cluster is there again, on another port too, and ends when it is deleted', async () => {
    const first = await serve();
    const [watch, json] = [start('watch', 'seen'), start('watch', 'seen', '--json')];
    await watch.said(/^Watching/);
    const isOpen = json.seen(/"name":"before-\d+"/).then(() => 'open'); // it does not say when it listens
    for (let i = 0, how: unknown; how !== 'open'; i++) {
      await act(`before-${i}`);
      how = await Promise.race([isOpen, realClock.sleep(100)]);
    }
    await watch.seen(/created configmap\/before-0/);
    first.child.kill('SIGINT');
    await watch.seen(/^… the cluster has stopped; waiting 60 s for it to come back$/);
    await first.ended;
    const second = await serve();
    await act('before-anybody-reads'); // as a rule: who reads comes back a few seconds later
    await Promise.all([
      watch.seen(/^… the API server was away for \d+ s; what happened since it is back follows$/),
      json.seen(/^\{"away":\{"seconds":\d+,"isWhole":true\}\}$/),
    ]);
    await Promise.all([watch.seen(/created configmap\/before-anybody-reads/), json.seen(/"name":"before-anybody-reads"/)]);
    await act('after');
    await Promise.all([watch.seen(/created configmap\/after/), json.seen(/"name":"after"/)]);
    second.child.kill('SIGINT');
    await second.ended;
    await start('delete', 'seen').ended;
    await Promise.all([watch.seen(/^the cluster was deleted$/), json.seen(/^\{"ended":"deleted"\}$/)]);
    assert.deepEqual(await Promise.all([watch.ended, json.ended]), [0, 0]);
  });

  it('does not wait for what there is not', async () => {
    const cluster = await serve();
    const rows = [
      [['-c', 'nosuch'], /^timonier: there is no component "nosuch", but: api-server, /],
      [['kube-root-ca'], /^timonier: "kube-root-ca" is no KIND\/NAME$/],
      [['cake/front'], /^timonier: there is no kind "cake"$/],
    ] as const;
    for (const [words, wanted] of rows) {
      const watch = start('watch', 'seen', ...words);
      await watch.said(wanted);
      assert.equal(await watch.ended, 2);
    }
    const watch = start('watch', 'seen', '-n', 'later');
    await watch.said(/^Watching/);
    await watch.said(/^There is no namespace "later" yet: nothing comes until somebody makes it\.$/);
    await make(Namespace, 'later');
    await watch.seen(/created namespace\/later/);
    const there = start('watch', 'seen', '-n', 'later');
    await there.said(/^Watching/);
    for (const each of [watch, there]) each.child.kill('SIGINT');
    await there.said(/^timonier: Interrupted/); // nothing between
    cluster.child.kill('SIGINT');
    assert.equal(await cluster.ended, 130);
  });

  it('is coloured on a terminal that has colours, unless nobody wants them', { skip: script ? false : 'needs script(1)' }, async () => {
    const cluster = await serve();
    const rows = [
      { name: 'a terminal', watch: startOnTerminal(['watch', 'seen'], { TERM: 'xterm' }), want: true },
      { name: 'NO_COLOR', watch: startOnTerminal(['watch', 'seen'], { TERM: 'xterm', NO_COLOR: '1' }), want: false },
      { name: 'a terminal without colours', watch: startOnTerminal(['watch', 'seen'], { TERM: 'dumb' }), want: false },
      { name: 'no terminal', watch: start('watch', 'seen'), want: false },
    ];
    for (const { name, watch } of rows) await (name === 'no terminal' ? watch.said(/^Watching/) : watch.seen(/^Watching/));
    await act('painted');
    for (const { name, watch, want } of rows) {
      const line = await watch.seen(/created configmap\/painted/);
      assert.equal(line.includes('\x1b['), want, `${name}: ${JSON.stringify(line)}`);
      watch.child.kill('SIGINT');
    }
    cluster.child.kill('SIGINT');
    await cluster.ended;
  });

  it('ends when nobody reads it, as logs -f does', async () => {
    const cluster = await serve();
    const watch = start('watch', 'seen');
    const logs = start('logs', 'seen', '-f');
    await watch.said(/^Watching/);
    await logs.seen(/./);
    await start('list').seen(/^seen +running +https:\S+ +none here +\//); // its nodes, if any, are elsewhere
    for (const { child } of [watch, logs]) child.stdout.destroy();
    await act('first');
    assert.equal(await watch.ended, 0);
    cluster.child.kill('SIGINT'); // it logs that
    assert.equal(await logs.ended, 0);
    await cluster.ended;
  });
});
