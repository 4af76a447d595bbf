/** What `run` tells: programs of its phases, as `up --json` does; others where it is; whoever ends it what is left. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text as textOf } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';

interface Line {
  readonly event?: string;
  readonly phase?: string;
  readonly name?: string;
  readonly server?: string;
  readonly kubeconfig?: string;
}

it('run --json has events for its phases and for being ready', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'run-events-'));
  try {
    const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
    const kubeconfig = join(dir, 'kubeconfig');
    const flags = ['--json', '--nodes', '0', '--simulated', '1', '--port', '0', '--kubeconfig', kubeconfig];
    const env = { ...process.env, TIMONIER_ROOT: join(dir, 'clusters') };
    const child = spawn(process.execPath, [main, 'run', 'told', ...flags], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    const phases: string[] = [];
    let ready: Line | undefined;
    for await (const text of createInterface(child.stdout)) {
      const line = JSON.parse(text) as Line;
      if (line.event === 'phase') phases.push(line.phase ?? '');
      if (line.event !== 'ready') continue;
      ready = line;
      child.kill('SIGTERM');
    }
    assert.deepEqual(await ended, [0, null]);
    assert.deepEqual([phases[0], phases.at(-1)], ['store', 'ready']);
    assert.deepEqual([ready?.name, ready?.kubeconfig], ['told', kubeconfig]);
    assert.match(ready?.server ?? '', /^https:\/\/127\.0\.0\.1:\d+$/);
  } finally {
    await rm(dir, { recursive: true });
  }
});

describe('run, and those who look and end it', () => {
  let dir = '';
  const entry = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')];
  const env = (): NodeJS.ProcessEnv => ({ ...process.env, TIMONIER_ROOT: join(dir, 'clusters'), KUBECONFIG: join(dir, 'kubeconfig') });
  const small = ['--nodes', '0', '--simulated', '1', '--port', '0'];
  const tell = (...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((done) => {
      const child = execFile(process.execPath, [...entry, ...words], { env: env() }, (_error, stdout, stderr) =>
        done({ code: child.exitCode ?? -1, stdout, stderr }),
      );
    });
  /** Until its log has the line. */
  async function runUntil(line: string): Promise<{ child: ChildProcess; ended: Promise<{ code: number; stderr: string }> }> {
    const child = spawn(process.execPath, [...entry, 'run', 'told', ...small], { env: env(), stdio: ['ignore', 'pipe', 'pipe'] });
    const said = textOf(child.stderr);
    const ended = once(child, 'close').then(async ([code]) => ({ code: code as number, stderr: await said }));
    const lines = createInterface(child.stdout);
    for await (const text of lines) if (text.includes(`"msg":"${line}"`)) break;
    child.stdout.resume();
    return { child, ended };
  }
  const isThere = (): boolean => existsSync(join(dir, 'clusters', 'told'));
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'run-told-'));
  });
  after(() => rm(dir, { recursive: true }));

  it('until it is ready it is starting; Ctrl-C then leaves nothing, and says so', async () => {
    const { child, ended } = await runUntil('store');
    child.kill('SIGSTOP');
    assert.match((await tell('list')).stdout, /^told +starting/m);
    const status = JSON.parse((await tell('status', 'told', '--json')).stdout) as { state: string; process: object; problems: object[] };
    assert.deepEqual([status.state, status.process, status.problems], ['starting', { pid: child.pid }, []]);
    assert.match((await tell('up', 'told', ...small)).stderr, new RegExp(`being started already \\(process ${child.pid}\\)`));
    child.kill('SIGINT');
    child.kill('SIGCONT');
    assert.deepEqual([await ended, isThere()], [{ code: 130, stderr: 'timonier: Interrupted; nothing is left\n' }, false]);
  });

  it('down ends it while it is starting', async () => {
    const { ended } = await runUntil('store');
    assert.equal((await tell('down', 'told')).code, 0);
    assert.deepEqual([await ended, isThere()], [{ code: 0, stderr: '' }, false]);
  });

  it('Ctrl-C stops it once it is ready, and says so', async () => {
    const { child, ended } = await runUntil('the cluster is ready');
    child.kill('SIGINT');
    assert.deepEqual([await ended, isThere()], [{ code: 130, stderr: 'timonier: Interrupted; the cluster is stopped\n' }, true]);
    assert.equal((await tell('delete', 'told')).code, 0);
  });

  it('a start that has failed ends as it does, however late somebody ends it', async () => {
    const late = `data:text/javascript,process.once('exit', () => process.emit('SIGTERM', 'SIGTERM'))`;
    const child = fork(entry[1] ?? '', ['run', 'told', ...small, '--timeout', '0.1'], {
      env: env(),
      execArgv: [...entry.slice(0, 1), '--import', late],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const said = Promise.all([child.stdout, child.stderr].map((stream) => textOf(stream ?? assert.fail())));
    const told: string[] = [];
    child.on('message', ({ type }: { type: string }) => told.push(type));
    assert.deepEqual(await once(child, 'close'), [1, null]);
    assert.equal(told.at(-1), 'failed');
    assert.doesNotMatch((await said).join(''), /ReferenceError/);
  });
});
