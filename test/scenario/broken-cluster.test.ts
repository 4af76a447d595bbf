/**
 * A cluster whose files or processes an administrator has broken: what is missing is refused by name as what is damaged
 * is, and whatever still runs is found and ended.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isAlive } from '../../src/client/processes.ts';
import { allStarted, type StartedProcess } from '../../src/cluster/instance/started-processes.ts';
import { storeFormat } from '../kit/store-format.ts';

const entry = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '../../src/cli/main.ts')];
const msMax = 120_000;

describe('a cluster that somebody broke', { skip: !existsSync('/proc/self/stat') && 'needs /proc' }, () => {
  const place = mkdtempSync(join(tmpdir(), 'timonier-broken-'));
  const at = (...parts: string[]): string => join(place, ...parts);
  const dir = at('clusters', 'a');
  const env = { ...process.env, TIMONIER_ROOT: at('clusters'), KUBECONFIG: at('user') };

  /** Exit code and all that was said. */
  async function run(words: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<[code: number | null, said: string]> {
    const child = spawn(process.execPath, [...entry, ...words], {
      env: { ...env, ...more },
      cwd: place,
      timeout: msMax,
      killSignal: 'SIGKILL',
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said += String(chunk);
      });
    }
    const [code] = (await once(child, 'close')) as [number | null];
    return [code, said];
  }
  async function says(words: string, code: number, said: RegExp, more: NodeJS.ProcessEnv = {}): Promise<void> {
    const got = await run(words.split(' '), more);
    assert.deepEqual([got[0], said.test(got[1])], [code, true], `${words}: ${got.join('\n')}\nnot ${said}`);
  }
  const up = (more = ''): Promise<void> => says(`up a --nodes 0 --port 0${more}`, 0, /Ready in/);
  const started = (): StartedProcess[] => allStarted().filter((each) => each.dir.startsWith(place));
  const pidOf = (what: 'supervisor' | 'process'): number =>
    started().find(({ isSupervisor }) => isSupervisor === (what === 'supervisor'))?.pid ?? assert.fail(`no ${what}`);

  before(() => mkdirSync(at('clusters')));
  after(async () => {
    for (const name of ['a', 'b']) await run(['delete', name]);
    rmSync(place, { recursive: true, force: true });
  });

  it('whose directory was removed while it runs: is listed, told, and ended with its context', async () => {
    await up(` --data-dir ${at('m')} --kubeconfig ${at('m.kc')}`);
    rmSync(at('m'), { recursive: true });
    await says('list', 0, /^a +damaged /m);
    await says('status a', 1, /process \d+ runs, and \S+\/m is gone\n {2}fix: +timonier delete a\n$/);
    await says('up a', 1, /is gone\n/);
    await says('delete a', 0, /^Cluster "a" is deleted\.\n$/);
    assert.deepEqual([started(), existsSync(at('m.kc'))], [[], false]);
  });

  it('whose usual directory was removed: down ends it as well', async () => {
    await up();
    rmSync(dir, { recursive: true });
    await says('list', 0, /^a +damaged /m);
    await says('down a', 0, /^Cluster "a" is stopped/m);
    assert.deepEqual(started(), []);
  });

  it('whose small files alone were removed: is told, and ended', async () => {
    await up();
    for (const file of ['state.json', 'supervisor.json']) rmSync(join(dir, file));
    await says('status a', 1, /process \d+ runs, and what tells of it in \S+ is gone\n/);
    await says('up a', 1, /process \d+ runs/);
    await says('down a', 0, /^Cluster "a" is stopped/m);
    assert.deepEqual(started(), []);
  });

  for (const what of ['process', 'supervisor'] as const) {
    it(`whose ${what} is paused: stops without a wait`, async () => {
      await up();
      const pid = pidOf(what);
      process.kill(pid, 'SIGSTOP');
      if (what === 'process') await says('up a', 1, /process \d+ is paused\n {2}fix: kill -CONT \d+\n$/);
      const beganMs = performance.now();
      await says('down a', 0, /^Cluster "a" is stopped/m);
      assert.ok(performance.now() - beganMs < 20_000, 'it waited');
      assert.deepEqual([isAlive({ pid }), started()], [false, []]);
    });
  }

  it('whose supervisor was killed: is told, and `up` gives it a new one, which restarts it', async () => {
    await up();
    const [pid, supervisor] = [pidOf('process'), pidOf('supervisor')];
    process.kill(supervisor, 'SIGKILL');
    await says('status a', 1, /Problem: +its supervisor died: nothing restarts its process\n {2}fix: +timonier up a\n$/);
    await says('up a', 0, /^Its supervisor had died; process \d+ is the new one\.\nCluster "a" runs already/);
    await says('status a', 0, new RegExp(`Supervisor: +process ${pidOf('supervisor')}, 0 restarts`));
    const { promise, resolve } = Promise.withResolvers<void>();
    const watcher = watch(dir, () => (started().some((each) => !each.isSupervisor && each.pid !== pid) ? resolve() : undefined));
    process.kill(pid, 'SIGKILL');
    await promise;
    watcher.close();
    await says('down a', 0, /^Cluster "a" is stopped/m);
    assert.deepEqual(started(), []);
  });

  it('whose values or name are none: the command line is wrong', async () => {
    for (const words of ['--nodes abc', '--port 99999', '--timeout 0', '--port 0 My', '--kubeconfig='])
      await says(`up ${words}`, 2, /\n {2}fix: /);
    await says('delete My', 2, /is no cluster name\n/);
  });

  it('a home where nothing can be made: says so, and ends', async () => {
    const home = { HOME: '/proc/self', NODE_COMPILE_CACHE: undefined, KUBECONFIG: undefined };
    await says('version', 0, /^timonier /, home);
    await says('up b --nodes 0', 1, /can't write the kubeconfig \S+\n {2}fix: |kubeconfig .*\n {2}fix: /, home);
  });

  it('whose log is a directory: is refused with what to do', async () => {
    mkdirSync(at('clusters', 'b', 'timonier.log'), { recursive: true });
    await says('up b --nodes 0', 1, /can't keep the cluster in \S+: timonier\.log in it is no file\n {2}fix: /);
    rmSync(at('clusters', 'b'), { recursive: true });
  });

  it('the kubeconfig that was made for it goes with it; one that was there stays, and a link is written through', async () => {
    await run(['delete', 'a']);
    rmSync(at('user'), { force: true });
    symlinkSync(at('target', 'config'), at('link'));
    await up();
    await says('down a', 0, /^/);
    await up(` --kubeconfig ${at('link')}`);
    assert.deepEqual(
      [existsSync(at('user')), lstatSync(at('link')).isSymbolicLink(), existsSync(at('target', 'config'))],
      [true, true, true],
    );
    await says('delete a', 0, /^/);
    assert.equal(existsSync(at('user')), false);
    writeFileSync(at('user'), '');
    await up();
    await says('delete a', 0, /^/);
    assert.equal(existsSync(at('user')), true);
    await up();
    await says('down a', 0, /^/);
  });

  it('that lacks a part: is refused by name, and told as damaged', async () => {
    for (const part of ['store', 'store/data.mdb', 'pki', 'network.json', 'settings.json']) {
      renameSync(join(dir, part), at('part'));
      try {
        const refusal = new RegExp(`${dir}/${part}\\S* is gone\\n {2}fix: +(mount it, or )?put it back from a copy; or `);
        await says('up a', 1, refusal);
        await says('status a', 1, refusal);
        await says('list', 0, /^a +damaged /m);
      } finally {
        renameSync(at('part'), join(dir, part));
      }
    }
    assert.equal(existsSync(join(dir, 'state.json')), false);
  });

  it('a part of which is not what it was: is told as damaged as soon as it is looked at, and left as it is', async () => {
    const nonsense = (whole: Buffer): Buffer => Buffer.alloc(whole.length, 'no');
    const rows: readonly { part: string; damage: (whole: Buffer) => Buffer; want: string }[] = [
      { part: 'store/data.mdb', damage: nonsense, want: 'the store in \\S+ is damaged: it does not begin as a store does' },
      { part: 'store/data.mdb', damage: (whole) => whole.subarray(0, 20_000), want: 'the store in \\S+ is damaged: ' },
      { part: 'store/data.mdb', damage: () => Buffer.alloc(0), want: 'data\\.mdb is empty, ' },
      { part: 'pki/ca.key', damage: nonsense, want: 'ca\\.key is damaged: it is no private key' },
      { part: 'pki/ca.crt', damage: nonsense, want: 'ca\\.crt is damaged: it is no certificate' },
      { part: 'pki/sa.key', damage: nonsense, want: 'sa\\.key is damaged: it is no private key' },
    ];
    for (const { part, damage, want } of rows) {
      const whole = readFileSync(join(dir, part));
      writeFileSync(join(dir, part), damage(whole));
      try {
        const refusal = new RegExp(`${want}.*\\n {2}fix: +put `);
        await says('status a', 1, refusal);
        await says('list', 0, /^a +damaged /m);
        await says('up a', 1, refusal);
        assert.deepEqual(readFileSync(join(dir, part)), damage(whole));
      } finally {
        writeFileSync(join(dir, part), whole);
      }
    }
    await says('list', 0, /^a +stopped /m);
  });

  it('whose store a later timonier has written: is refused in one line, and left as it is', async () => {
    const store = join(dir, 'store');
    await storeFormat(store, '4');
    const before = readFileSync(join(store, 'data.mdb'));
    const refusal = `the store in ${store} has format 4, this timonier reads up to format 3\n {2}fix: +start it with the timonier that last ran it, or a later one\n$`;
    await says('up a', 1, new RegExp(`^\\S*: ${refusal}`));
    assert.ok(readFileSync(join(store, 'data.mdb')).equals(before));
    assert.deepEqual(started(), []);
    await storeFormat(store, '3');
  });

  it('whose settings are gone: is started with those that are said anew', async () => {
    rmSync(join(dir, 'settings.json'));
    await up();
    assert.match(readFileSync(join(dir, 'settings.json'), 'utf8'), /"nodes": 0/);
  });
});
