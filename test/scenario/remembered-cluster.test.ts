/**
 * A cluster of simulated nodes that remembers itself, as a user sees it who has the command line: its settings, `up` while
 * it runs, its kubeconfig, and files that are damaged.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Node } from '../../src/api/generated/kinds.ts';
import { realClock, realRandom } from '../../src/client/clock.ts';
import { accessOf, parseKubeconfig, readKubeconfig } from '../../src/client/files/kubeconfig.ts';
import { silentLog } from '../../src/client/log.ts';
import { isAlive } from '../../src/client/processes.ts';
import { createHTTPClient } from '../../src/client/transport/http-client.ts';
import { Instance, type InstanceState } from '../../src/cluster/instance/instance.ts';

const entry = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '../../src/cli/main.ts')];
const msMax = 120_000;

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A port of the loopback address, if nobody else has it. */
async function hold(port: number): Promise<AsyncDisposable> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.once('error', () => resolve()).listen(port, '127.0.0.1', resolve);
  await promise;
  return server;
}

describe('a cluster that remembers itself', () => {
  const place = mkdtempSync(join(tmpdir(), 'timonier-remembered-'));
  const user = join(place, 'user.kubeconfig');
  const at = (...parts: string[]): string => join(place, ...parts);
  const env = { ...process.env, TIMONIER_ROOT: at('clusters'), KUBECONFIG: user };
  const dir = at('clusters', 'kept');
  const first = ['up', 'kept', '--nodes', '0'];

  function start(words: readonly string[], more: NodeJS.ProcessEnv = {}) {
    const child = spawn(process.execPath, [...entry, ...words], { env: { ...env, ...more }, timeout: msMax, killSignal: 'SIGKILL' });
    const ended = (async (): Promise<Outcome> => {
      const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
      child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
      const [code] = (await once(child, 'close')) as [number | null];
      return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
    })();
    return { child, ended };
  }
  const run = (...words: string[]): Promise<Outcome> => start(words).ended;
  async function succeed(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await run(...words);
    assert.equal(code, 0, `${words.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }
  async function fail(words: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<string> {
    const { code, stdout, stderr } = await start(words, more).ended;
    assert.equal(code, 1, stdout + stderr);
    assert.doesNotMatch(stdout, /certificates/, 'a phase ran');
    return stderr;
  }
  const state = (): InstanceState => JSON.parse(readFileSync(join(dir, 'state.json'), 'utf8')) as InstanceState;
  async function nodeNames(): Promise<string[]> {
    const access = await accessOf(await parseKubeconfig(readFileSync(join(dir, 'admin.kubeconfig'), 'utf8')));
    const client = createHTTPClient({ ...access, clock: realClock, random: realRandom, log: silentLog });
    const { items } = await client.list(Node);
    await client[Symbol.asyncDispose]();
    return items.map(({ metadata }) => metadata.name);
  }
  async function until(folder: string, condition: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = (): void => {
      if (condition()) resolve();
    };
    const watcher = watch(folder, check);
    check();
    await promise;
    watcher.close();
  }
  const contexts = async (file: string): Promise<string[]> => ((await readKubeconfig(file)).contexts ?? []).map(({ name }) => name);
  const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `kept-simulated-${i + 1}`);

  before(() => mkdirSync(at('clusters')));
  after(async () => {
    for (const name of ['kept', 'second']) await run('delete', name);
    rmSync(place, { recursive: true, force: true });
  });

  it('interrupted in its first start, is not there', async () => {
    const { child, ended } = start([...first, '--port', '0']);
    await until(at('clusters'), () => existsSync(dir));
    await until(dir, () => existsSync(join(dir, 'supervisor.json')));
    child.kill('SIGINT');
    assert.deepEqual([await ended, existsSync(dir)].flat(), [
      { code: 130, stdout: '', stderr: 'timonier: Interrupted; nothing is left\n' },
      false,
    ]);
  });

  it('chooses a port once', async () => {
    await succeed(...first, '--simulated', '3', '--port', '0');
    const { server } = state();
    await succeed('down', 'kept');
    assert.doesNotMatch(await succeed('up', 'kept', '--port', '0'), /→/);
    assert.deepEqual([state().server, state().simulated], [server, 3]);
    await succeed('down', 'kept');
    await using _holder = await hold(Number(new URL(server).port));
    assert.match(await fail(['up', 'kept']), / is taken by /);
    await succeed('up', 'kept', '--port', '0');
    assert.notEqual(state().server, server);
  });

  it('running, takes simulated nodes and kubeconfigs over, and keeps them', async () => {
    assert.match(await succeed('up', 'kept'), /^Cluster "kept" runs already, at \S+ \(process \d+\)\.\n$/);
    assert.match(
      await succeed('up', 'kept', '--simulated', '5'),
      /^Cluster "kept" runs already, at \S+ \(process \d+\)\.\n {2}simulated nodes: 3 → 5\n$/,
    );
    assert.deepEqual(await nodeNames(), names(5));
    assert.match(
      await succeed('up', 'kept', '--simulated', '1', '--nodes', '0', '--kubeconfig', at('own')),
      /\n {2}simulated nodes: 5 → 1\nIts kubeconfig: .*own\n$/,
    );
    assert.deepEqual(await nodeNames(), names(1));
    assert.deepEqual(await contexts(at('own')), ['timonier-kept']);
  });

  it('running, is told of in another $KUBECONFIG, but for one of its own', async () => {
    const other = { KUBECONFIG: at('other') };
    assert.ok((await start(['up', 'kept'], other).ended).stdout.endsWith(`\nIts kubeconfig: ${at('own')}\n`));
    assert.ok(!existsSync(at('other')));
    await succeed('up', 'second', '--nodes', '0', '--port', '0');
    assert.ok((await start(['up', 'second'], other).ended).stdout.endsWith(`\nIts kubeconfig: ${at('other')}\n`));
    assert.deepEqual(await contexts(at('other')), ['timonier-second']);
    await succeed('delete', 'second');
    assert.deepEqual([await contexts(at('other')), await contexts(user)].flat().includes('timonier-second'), false);
  });

  it('running, refuses a kubeconfig that can’t be written', async () => {
    assert.match(await fail(['up', 'kept', '--kubeconfig', '/proc/kc']), /^timonier: can't write the kubeconfig \/proc\/kc: .*\n {2}fix: /);
  });

  const atSignal = (signal: string): NodeJS.ProcessEnv => {
    const script = `const kill = process.kill.bind(process); process.kill = (pid, s) => s === '${signal}' ? kill(process.pid, 'SIGINT') : kill(pid, s);`;
    return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(script)}` };
  };
  it('running, is left alone when watch is interrupted; down says what became of it', async () => {
    const { child, ended } = start(['watch', 'kept']);
    await once(child.stderr, 'data');
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    assert.equal(code, 130);
    assert.match(stderr, /\ntimonier: Interrupted; cluster "kept" is left as it is\n$/);
    const down = await start(['down', 'kept'], atSignal('SIGTERM')).ended;
    const word = 'timonier: Interrupted; cluster "kept" goes on stopping\n  fix: wait for it: timonier down kept\n';
    assert.deepEqual(down, { code: 130, stdout: '', stderr: word });
  });

  for (const parts of [[], ['below']])
    it(`is not kept in a file${parts.map((part) => `, nor ${part}`).join('')}`, async () => {
      const file = at('file');
      writeFileSync(file, '');
      const words = ['up', 'filed', '--nodes', '0', '--port', '0', '--data-dir', join(file, ...parts)];
      assert.equal(await fail(words), `timonier: ${file} is no directory\n  fix: give a directory: --data-dir DIR\n`);
    });

  it('running, says what needs a restart, and does nothing of it', async () => {
    const before = readFileSync(join(dir, 'settings.json'), 'utf8');
    const port = new URL(state().server).port;
    assert.equal(
      await fail(['up', 'kept', '--port', '1234', '--simulated', '9', '--runtime-config', 'api/beta=true', '--log-level', 'debug']),
      `timonier: cluster "kept" has to be stopped for this: port: ${port} → 1234; log level: info → debug; runtimeConfig: default → api/beta=true\n` +
        '  fix: timonier down kept, then the same command again\n',
    );
    assert.deepEqual([readFileSync(join(dir, 'settings.json'), 'utf8'), await nodeNames()], [before, names(1)]);
  });

  it('running or not, keeps its networks', async () => {
    const { podCIDR } = JSON.parse(readFileSync(join(dir, 'network.json'), 'utf8')) as { podCIDR: string };
    writeFileSync(at('same.yaml'), `podCIDR: ${podCIDR}\n`);
    assert.doesNotMatch(await succeed('up', 'kept', '--config', at('same.yaml')), /→/);
    writeFileSync(at('other.yaml'), 'podCIDR: 10.1.0.0/16\n');
    const says = new RegExp(
      `^timonier: a cluster's networks can't be changed: podCIDR is ${podCIDR.replaceAll('.', '\\.')}\n {2}fix: leave`,
    );
    assert.match(await fail(['up', 'kept', '--config', at('other.yaml')]), says);
    await succeed('down', 'kept');
    assert.match(await fail(['up', 'kept', '--config', at('other.yaml')]), says);
    assert.doesNotMatch(await succeed('up', 'kept', '--config', at('same.yaml')), /→/);
  });

  it('killed, comes back with what it was told while it ran; meanwhile a restart is refused as well', async () => {
    const { pid } = state();
    process.kill(pid, 'SIGKILL');
    assert.match(await fail(['up', 'kept', '--port', '1234']), /has to be stopped for this: port: \d+ → 1234\n/);
    await until(dir, () => existsSync(join(dir, 'state.json')) && state().pid !== pid);
    assert.deepEqual([state().simulated, state().kubeconfig, await nodeNames()], [1, at('own'), names(1)]);
  });

  it('killed with its supervisor, is started with what is new', async () => {
    for (const file of ['supervisor.json', 'state.json']) {
      const { pid } = JSON.parse(readFileSync(join(dir, file), 'utf8')) as { pid: number };
      process.kill(pid, 'SIGKILL');
      while (isAlive({ pid })) await nextTurn();
    }
    assert.match(await succeed('up', 'kept', '--log-level', 'debug'), /^ {2}log level: info → debug\n/);
    assert.match(await succeed('down', 'kept').then(() => succeed('up', 'kept', '--log-level', 'info')), /→ info\n/);
  });

  it('interrupted later, is stopped, and forgets what did not come to be', async () => {
    await succeed('down', 'kept');
    const { child, ended } = start(['up', 'kept', '--simulated', '7']);
    await until(dir, () => existsSync(join(dir, 'supervisor.json')));
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    assert.deepEqual([code, stderr], [130, 'timonier: Interrupted; the cluster is stopped\n']);
    assert.match(stdout, /^ {2}simulated nodes: 1 → 7\n/);
    assert.doesNotMatch(await succeed('up', 'kept'), /→/);
    assert.deepEqual(await nodeNames(), names(1));
  });

  it('stopped, takes up fewer nodes: those that are no more are gone', async () => {
    await succeed('up', 'kept', '--simulated', '4');
    await succeed('down', 'kept');
    assert.match(await succeed('up', 'kept', '--simulated', '2'), /^ {2}simulated nodes: 4 → 2\n/);
    assert.deepEqual(await nodeNames(), names(2));
  });

  it('beside it, another one takes another port unasked; one that was asked for and is taken is an error', async () => {
    const taken = new URL(state().server).port;
    assert.match((await run('up', 'second', '--nodes', '0', '--port', taken)).stderr, new RegExp(`^timonier: port ${taken} is taken by `));
    const elsewhere = await run('up', 'second', '--nodes', '0', '--host', '192.0.2.77');
    assert.deepEqual([elsewhere.stdout, elsewhere.stderr.split('\n')[0]], ['', 'timonier: 192.0.2.77 is no address of this machine']);
    await using holder = await hold(6443); // or whoever has it
    await succeed('up', 'second', '--nodes', '0');
    const port = new URL(new Instance('second', at('clusters', 'second')).readState()?.server ?? '').port;
    assert.ok(port !== '6443' && port !== taken);
    await succeed('down', 'second');
    await holder[Symbol.asyncDispose]();
    await succeed('up', 'second');
    assert.equal(new URL(new Instance('second', at('clusters', 'second')).readState()?.server ?? '').port, port);
  });

  it('is started once, by two at once', async () => {
    await succeed('down', 'second');
    const both = await Promise.all([run('up', 'second'), run('up', 'second')]);
    const codes = both.map(({ code }) => code).sort();
    if (codes[1] === 0) assert.ok(both.some(({ stdout }) => /runs already/.test(stdout)));
    else
      assert.ok(
        both.some(({ stderr }) => /^timonier: cluster "second" is being started already/.test(stderr)),
        JSON.stringify(both),
      );
    assert.equal(codes[0], 0);
    assert.match(await succeed('status', 'second'), /, 0 restarts$/m);
    await succeed('delete', 'second');
  });

  const kubeconfigs: readonly { name: string; text: string; says: RegExp }[] = [
    { name: 'no YAML', text: 'apiVersion: v1\nclusters:\n- {\n', says: /cannot read the kubeconfig \S+\/broken: yaml: line \d+: / },
    { name: 'a list', text: '- a\n', says: /\/broken: a kubeconfig is a YAML mapping/ },
    { name: 'something else', text: 'kind: Pod\n', says: /\/broken: it is a Pod, not a kubeconfig/ },
    { name: 'without a list', text: 'contexts: none\n', says: /\/broken: contexts is no list of names/ },
    { name: 'without a name', text: 'users:\n- user: {}\n', says: /\/broken: users is no list of names/ },
  ];
  for (const { name, text, says } of kubeconfigs) {
    it(`a kubeconfig that is ${name} is found before the first phase`, async () => {
      writeFileSync(at('broken'), text);
      assert.match(await fail(['up', 'second', '--nodes', '0'], { KUBECONFIG: at('broken') }), says);
      assert.match(await fail(['up', 'second', '--nodes', '0', '--kubeconfig', at('broken')]), says);
      assert.equal(existsSync(at('clusters', 'second')), false);
      assert.equal(readFileSync(at('broken'), 'utf8'), text);
    });
  }

  it('a kubeconfig that can’t be written is found, too, and a home that is none', async () => {
    writeFileSync(at('file'), '');
    assert.match(await fail(['up', 'second', '--nodes', '0', '--kubeconfig', at('file', 'x')]), /the kubeconfig \S+file\/x/);
    assert.match(await fail(['up', 'second', '--nodes', '0', '--kubeconfig', place]), /^timonier: \S+ is no file\n/);
    for (const HOME of ['', 'here', at('nowhere')]) {
      const said = await fail(['up', 'second', '--nodes', '0'], { KUBECONFIG: '', HOME });
      assert.match(
        said,
        /^timonier: there is no place for your kubeconfig: your home directory, ".*", is not there\n {2}fix: set HOME or KUBECONFIG, or give --kubeconfig FILE\n$/,
      );
      assert.equal(existsSync(at('nowhere')), false);
    }
  });

  it('its context is gone with it, and the file that had nothing else; a damaged one is warned of', async () => {
    writeFileSync(at('shared'), JSON.stringify({ contexts: [{ name: 'other', context: { cluster: 'o', user: 'o' } }] }));
    await succeed('up', 'kept', '--kubeconfig', at('shared'));
    assert.deepEqual(await contexts(at('shared')), ['other', 'timonier-kept']);
    writeFileSync(user, 'a: [');
    const { code, stdout, stderr } = await run('delete', 'kept');
    assert.deepEqual([code, stdout], [0, 'Cluster "kept" is deleted.\n']);
    assert.match(
      stderr,
      /^timonier: warning: its context may still be in a kubeconfig: cannot read the kubeconfig \S+user\.kubeconfig: yaml: /,
    );
    assert.deepEqual([await contexts(at('shared')), existsSync(at('own')), existsSync(dir)], [['other'], false, false]);
    writeFileSync(user, '');
  });

  for (const text of [
    'null',
    '{"format":1,"na',
    '{"format":1,"name":5,"kubeconfigs":[]}',
    '{"format":99,"version":"9.9"}',
    '{"simulated":"many"}',
  ]) {
    it(`settings that are ${text}: refused by name, and deleted`, async () => {
      mkdirSync(dir, { mode: 0o700 });
      writeFileSync(join(dir, 'settings.json'), text);
      for (const file of ['supervisor.json', 'state.json']) writeFileSync(join(dir, file), 'null');
      assert.match(await fail(['up', 'kept']), /is damaged\n|keeps the cluster "kept" in a newer form|simulated: "many" is not/);
      assert.match(await succeed('down', 'kept'), /was not running/);
      await succeed('delete', 'kept');
      assert.equal(existsSync(dir), false);
    });
  }

  it('lies where it was put: found by its name, told when it was moved, and one directory is one cluster', async () => {
    await succeed(...first, '--port', '0', '--data-dir', at('elsewhere'));
    await succeed('down', 'kept');
    assert.match(await fail(['up', 'second', '--nodes', '0', '--data-dir', at('elsewhere')]), /elsewhere is the cluster "kept"\n/);
    assert.match(await fail(['up', 'kept', '--data-dir', at('third')]), /the cluster "kept" is in \S+elsewhere already\n/);
    renameSync(at('elsewhere'), at('moved'));
    assert.match(
      await fail(['up', 'kept']),
      /the cluster "kept" was in \S+elsewhere, which is gone\n {2}fix: say where it is now: --data-dir DIR; or timonier delete kept\n/,
    );
    await succeed('up', 'kept', '--data-dir', at('moved'));
    await succeed('down', 'kept');
    rmSync(at('moved'), { recursive: true });
    await succeed('delete', 'kept');
    assert.match((await run('down', 'kept')).stderr, /there is no cluster "kept"/);
  });
});
