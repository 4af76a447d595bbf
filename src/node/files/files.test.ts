/** What containers can put in the place of files and directories, and what becomes of it. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync } from 'node:fs';
import { link, mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { realClock } from '../../client/clock.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { FileGate, FileTimeoutError } from './file-gate.ts';
import { HeldDirectory, openFile, readAtMost, readEnd } from './held-directory.ts';
import { openInside } from './open-inside.ts';
import { removeTree } from './remove-tree.ts';
import { Descent, WalkTooLargeError, walk } from './walk.ts';

const gate = new FileGate({ clock: realClock });
const root = process.getuid?.() === 0;
let base: string;
let count = 0;
before(async () => {
  base = await mkdtemp(join(tmpdir(), 'files-'));
});
after(() => removeTree(base, gate));
async function fresh(): Promise<string> {
  const path = join(base, String(count++));
  await mkdir(path);
  return path;
}
const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

/** A chain of directories, deeper than a path can say. */
async function chain(top: string, depth: number, name: string): Promise<void> {
  await using directory = await HeldDirectory.open(top, gate);
  await using descent = new Descent(directory);
  for (let level = 0; level < depth; level++) {
    await descent.directory.makeDirectory(name, 0o755);
    assert.ok(await descent.enter(Buffer.from(name)));
  }
  await (await descent.directory.createFile('leaf', 0o644)).close();
}

describe('openFile', () => {
  const oddity: Record<string, (path: string) => Promise<unknown>> = {
    'a named pipe': async (path) => execFileSync('mkfifo', [path]),
    'a socket': async (path) => {
      const server = createServer().listen(path);
      after(() => server.close());
    },
    'a directory': (path) => mkdir(path),
    'a link to a file': (path) => symlink('file', path),
    'an absolute link': (path) => symlink('/etc/passwd', path),
    'a link to nothing': (path) => symlink('nothing', path),
    'a link to itself': (path) => symlink('odd', path),
    'a link to a named pipe': async (path) => {
      execFileSync('mkfifo', [`${path}.pipe`]);
      await symlink('odd.pipe', path);
    },
    ...(root && { 'a device': async (path: string) => execFileSync('mknod', [path, 'c', '1', '5']) }),
  };
  for (const [what, make] of Object.entries(oddity)) {
    test(`refuses ${what}, at once`, async () => {
      const dir = await fresh();
      await writeFile(join(dir, 'file'), 'x');
      await make(join(dir, 'odd'));
      const before_ = openDescriptors();
      await assert.rejects(openFile(join(dir, 'odd'), gate), /no regular file/);
      assert.equal(openDescriptors(), before_);
    });
  }
  test('takes a file, and one of several names', async () => {
    const dir = await fresh();
    await writeFile(join(dir, 'file'), 'abc');
    await link(join(dir, 'file'), join(dir, 'other'));
    for (const name of ['file', 'other']) {
      await using file = await openFile(join(dir, name), gate);
      assert.equal((await readEnd(file, 2)).toString(), 'bc');
      assert.equal((await readAtMost(file, 3))?.toString(), 'abc');
      assert.equal(await readAtMost(file, 2), undefined);
    }
  });
  test('reads no more than it may of a file without end', async () => {
    const dir = await fresh();
    await writeFile(join(dir, 'sparse'), '');
    await truncate(join(dir, 'sparse'), 100 * 2 ** 30);
    await using file = await openFile(join(dir, 'sparse'), gate);
    assert.equal(await readAtMost(file, 1000), undefined);
    assert.equal((await readEnd(file, 1000)).length, 1000);
  });
  test('does not wait for who holds a lease', { skip: !hasPython() && 'needs python3' }, async () => {
    const dir = await fresh();
    const path = join(dir, 'leased');
    await writeFile(path, 'x');
    const script = `import fcntl,sys,signal
signal.signal(signal.SIGIO, signal.SIG_IGN)
f=open(${JSON.stringify(path)},'r+'); fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK); print('held', flush=True); sys.stdin.read()`;
    const holder = spawn('python3', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    try {
      await assert.rejects(openFile(path, gate), { code: 'EAGAIN' });
    } finally {
      holder.stdin.end();
      await once(holder, 'exit');
    }
  });
});

function hasPython(): boolean {
  try {
    execFileSync('python3', ['-c', 'import fcntl; fcntl.F_SETLEASE']);
    return true;
  } catch {
    return false;
  }
}

describe('names', () => {
  for (const name of ['', '.', '..', 'a/b', '/', '../x', 'nul\0byte']) {
    test(`${JSON.stringify(name)} is none`, async () => {
      await using directory = await HeldDirectory.open(await fresh(), gate);
      await assert.rejects(directory.hold(name), RangeError);
      await assert.rejects(directory.unlink(name), RangeError);
      await assert.rejects(directory.makeDirectory(name, 0o755), RangeError);
    });
  }
  test('may be any other bytes, and 255 of them', async () => {
    const dir = await fresh();
    await using directory = await HeldDirectory.open(dir, gate);
    const names = [Buffer.from([0xff, 0xfe]), Buffer.from('\n'), Buffer.from('-rf'), Buffer.from(' '), Buffer.alloc(255, 0x80)];
    for (const name of names) await directory.makeDirectory(name, 0o700);
    const found: string[] = [];
    for await (const { name } of directory.entries()) found.push(Buffer.from(name).toString('hex'));
    assert.deepEqual(found.toSorted(), names.map((n) => n.toString('hex')).toSorted());
    await removeTree(dir, gate);
    assert.equal(existsSync(dir), false);
  });
  test('errors have the kernel’s code, and stay short', async () => {
    await using directory = await HeldDirectory.open(await fresh(), gate);
    const error = await directory.hold('x'.repeat(255)).catch((e: unknown) => e);
    assert.ok(error instanceof Error && 'code' in error && error.code === 'ENOENT');
    assert.ok(error.message.length < 300, error.message);
  });
});

test('a held directory is the same one, whatever has its name', async () => {
  const dir = await fresh();
  await mkdir(join(dir, 'a'));
  await using directory = await HeldDirectory.open(join(dir, 'a'), gate);
  await rename(join(dir, 'a'), join(dir, 'moved'));
  await symlink('/etc', join(dir, 'a'));
  await directory.replaceFile('file', 'one', 0o640);
  await directory.replaceFile('file', 'two', 0o640);
  assert.equal(await readFile(join(dir, 'moved/file'), 'utf8'), 'two');
  assert.deepEqual(await readdir(join(dir, 'moved')), ['file']);
  assert.equal((await stat(join(dir, 'moved/file'))).mode & 0o777, 0o640);
});

describe('walk', () => {
  const visited = async (dir: string, limits?: Parameters<typeof walk>[2]): Promise<readonly string[]> => {
    const names: string[] = [];
    await using directory = await HeldDirectory.open(dir, gate);
    await walk(directory, ({ name }) => names.push(name.toString()), limits);
    return names.toSorted();
  };
  test('sees everything once, and goes through no link', async () => {
    const dir = await fresh();
    await mkdir(join(dir, 'a/b/c'), { recursive: true });
    await writeFile(join(dir, 'a/b/f'), '');
    await symlink('/', join(dir, 'a/out'));
    await symlink('..', join(dir, 'a/b/up'));
    assert.deepEqual(await visited(dir), ['a', 'b', 'c', 'f', 'out', 'up']);
  });
  for (const { name, depth, length } of [
    { name: '60 levels of 200 characters', depth: 60, length: 200 },
    { name: '1,000 levels', depth: 1000, length: 1 },
  ]) {
    test(`${name}: few descriptors`, async () => {
      const dir = await fresh();
      await chain(dir, depth, 'd'.repeat(length));
      const before_ = openDescriptors();
      let most = 0;
      await using directory = await HeldDirectory.open(dir, gate);
      let seen = 0;
      await walk(directory, () => {
        seen++;
        most = Math.max(most, openDescriptors());
      });
      assert.equal(seen, depth + 1);
      assert.ok(most - before_ < 10, String(most - before_));
    });
  }
  test('ends at its limits', async () => {
    const dir = await fresh();
    for (let i = 0; i < 20; i++) await mkdir(join(dir, String(i)));
    await assert.rejects(visited(dir, { entriesMax: 10, namesBytesMax: 1000 }), WalkTooLargeError);
    await assert.rejects(visited(dir, { entriesMax: 100, namesBytesMax: 10 }), WalkTooLargeError);
    assert.equal((await visited(dir, { entriesMax: 20, namesBytesMax: 30 })).length, 20);
  });
  test('a directory that becomes a link is not entered; one that is moved away is left', async () => {
    const dir = await fresh();
    const outside = await fresh();
    await writeFile(join(outside, 'secret'), '');
    await mkdir(join(dir, 'a/b/c'), { recursive: true });
    await mkdir(join(dir, 'z'));
    const names: string[] = [];
    await using directory = await HeldDirectory.open(dir, gate);
    await walk(directory, async ({ name }) => {
      names.push(name.toString());
      if (name.toString() === 'b') {
        await rename(join(dir, 'a/b'), join(dir, 'a/gone'));
        await symlink(outside, join(dir, 'a/b'));
      }
    });
    assert.deepEqual(names.toSorted(), ['a', 'b', 'z']);
    names.length = 0;
    await rm(join(dir, 'a/b'));
    await walk(directory, async ({ name }) => {
      names.push(name.toString());
      // while the walk is in it
      if (name.toString() === 'c') await rename(join(dir, 'a/gone'), join(outside, 'gone'));
    });
    assert.deepEqual(names.toSorted(), ['a', 'c', 'gone', 'z']);
  });
});

describe('removeTree', () => {
  test('removes links, not what they lead to', async () => {
    const [dir, outside] = [await fresh(), await fresh()];
    await writeFile(join(outside, 'kept'), '');
    await mkdir(join(dir, 'a/b'), { recursive: true });
    for (const place of ['', 'a', 'a/b']) {
      await symlink(outside, join(dir, place, 'absolute'));
      await symlink('..', join(dir, place, 'up'));
      await symlink('nothing', join(dir, place, 'dangling'));
    }
    execFileSync('mkfifo', [join(dir, 'a/pipe')]);
    await removeTree(dir, gate);
    assert.equal(existsSync(dir), false);
    assert.deepEqual(await readdir(outside), ['kept']);
    await symlink(outside, dir);
    await removeTree(dir, gate);
    assert.deepEqual(await readdir(outside), ['kept']);
  });
  test('a single file, nothing at all, nothing where the parent is not', async () => {
    const dir = await fresh();
    await writeFile(join(dir, 'f'), '');
    for (const path of ['f', 'f', 'no/f']) await removeTree(join(dir, path), gate);
    assert.deepEqual(await readdir(dir), []);
  });
  for (const { name, depth, length } of [
    { name: '60 levels of 200 characters', depth: 60, length: 200 },
    { name: '1,000 levels', depth: 1000, length: 1 },
  ]) {
    test(name, async () => {
      const dir = await fresh();
      await chain(dir, depth, 'd'.repeat(length));
      const before_ = openDescriptors();
      await removeTree(dir, gate);
      assert.equal(existsSync(dir), false);
      assert.equal(openDescriptors(), before_);
    });
  }
  test('names that it would take itself', async () => {
    const dir = await fresh();
    for (let i = 0; i < 5; i++) await mkdir(join(dir, `.removed-${i}/full`), { recursive: true });
    await writeFile(join(dir, '.removed-5'), '');
    await mkdir(join(dir, 'a/b/c/d'), { recursive: true });
    await removeTree(dir, gate);
    assert.equal(existsSync(dir), false);
  });
  test('neither removes nor enters what is mounted', { skip: !root && 'needs root' }, async () => {
    const [dir, data] = [await fresh(), await fresh()];
    await writeFile(join(data, 'kept'), '');
    for (const place of ['m', 'a/m', 'a/b/m']) {
      await mkdir(join(dir, place), { recursive: true });
      await writeFile(join(dir, place, '..', 'goes'), '');
    }
    const script = `
      for m in m a/m a/b/m; do mount --bind ${data} ${dir}/$m; done
      ${process.execPath} --disable-warning=ExperimentalWarning --input-type=module --eval '
        import { FileGate } from "${join(import.meta.dirname, 'file-gate.ts')}";
        import { removeTree } from "${join(import.meta.dirname, 'remove-tree.ts')}";
        import { realClock } from "${join(import.meta.dirname, '../../client/clock.ts')}";
        await removeTree("${dir}", new FileGate({ clock: realClock })).catch((error) => console.log(error.code));
      '
      find ${dir} -name goes`;
    assert.equal(execFileSync('unshare', ['--mount', 'sh', '-c', script]).toString(), 'EBUSY\n');
    assert.deepEqual(await readdir(data), ['kept']);
    await removeTree(dir, gate);
    assert.equal(existsSync(dir), false);
  });
});

describe('openInside', () => {
  const rows: readonly { readonly path: string; readonly want: string | RegExp }[] = [
    { path: 'dir/file', want: 'dir/file' },
    { path: './dir//file', want: 'dir/file' },
    { path: '', want: '' },
    { path: 'dir/..', want: '' },
    { path: 'inner', want: 'dir/file' },
    { path: 'dir/back/dir/file', want: 'dir/file' },
    { path: 'climbs/file', want: /leads out/ },
    { path: 'dir/../..', want: /leads out/ },
    { path: 'absolute/passwd', want: /leads out/ },
    { path: 'loop', want: /too many links/ },
    { path: 'dangling', want: /ENOENT/ },
    { path: 'missing/x', want: /ENOENT/ },
    { path: 'dir/file/x', want: /ENOTDIR/ },
  ];
  for (const { path, want } of rows) {
    test(`${path || 'the root'} ${typeof want === 'string' ? `is ${want || 'the root'}` : 'is refused'}`, async () => {
      const dir = await fresh();
      await mkdir(join(dir, 'dir'));
      await writeFile(join(dir, 'dir/file'), '');
      const links = { inner: 'dir/file', 'dir/back': '..', climbs: '../../..', absolute: '/etc', loop: 'loop', dangling: 'nothing' };
      for (const [name, target] of Object.entries(links)) await symlink(target, join(dir, name));
      await using directory = await HeldDirectory.open(dir, gate);
      const before_ = openDescriptors();
      const found = openInside(directory, path);
      if (want instanceof RegExp) await assert.rejects(found, want);
      else {
        await using entry = await found;
        assert.equal(await realpath(`/proc/self/fd/${entry.fd}`), join(dir, want));
      }
      assert.equal(openDescriptors(), before_);
    });
  }
  test('makes what is missing with the mode, inside', async () => {
    const dir = await fresh();
    await using directory = await HeldDirectory.open(dir, gate);
    await using _ = await openInside(directory, 'a/b', { make: 0o2770 });
    assert.equal((await stat(join(dir, 'a/b'))).mode & 0o7777, 0o2770);
  });
});

describe('FileGate', () => {
  const never = (): Promise<never> => new Promise<never>(() => {});
  test('lets so many through, in their order, and the next when one is done', async () => {
    const small = new FileGate({ clock: realClock, callsMax: 1 });
    const order: number[] = [];
    await Promise.all([1, 2, 3].map((n) => small.call('', async () => order.push(n))));
    assert.deepEqual(order, [1, 2, 3]);
  });
  test('tells who waits for a call that hangs, and who waits behind it', async () => {
    const clock = new VirtualClock();
    const small = new FileGate({ clock, callsMax: 1, timeoutMs: 1000 });
    const outcomes = Promise.all([small.call('open a', never), small.call('open b', never)].map((p) => p.catch((e: unknown) => e)));
    await clock.advance(1000);
    const [hung, behind] = await outcomes;
    assert.ok(hung instanceof FileTimeoutError && behind instanceof FileTimeoutError);
    assert.equal(hung.message, 'open a: no answer within 1 s: the file system does not answer');
    assert.equal(behind.message, 'open b: no answer within 1 s: other file systems hold all places');
  });
  test('closes what comes too late, and has its place again', async () => {
    const clock = new VirtualClock();
    const small = new FileGate({ clock, callsMax: 1, timeoutMs: 1000 });
    const late = Promise.withResolvers<number>();
    const closed = Promise.withResolvers<number>();
    const call = small.call('open', () => late.promise, closed.resolve);
    await Promise.all([assert.rejects(call, FileTimeoutError), clock.advance(1000)]);
    late.resolve(7);
    assert.equal(await closed.promise, 7);
    assert.equal(await small.call('open', async () => 8), 8);
  });
  test('nobody waits after the end', async () => {
    const stop = new AbortController();
    const ended = new FileGate({ clock: new VirtualClock(), callsMax: 1, signal: stop.signal });
    const calls = [ended.call('a', never), ended.call('b', never)].map((call) => assert.rejects(call, /the end/));
    stop.abort(new Error('the end'));
    await Promise.all(calls);
    await assert.rejects(ended.call('c', never), /the end/);
  });
  test('a place for the store is left while as many pipes as there are threads are opened', async () => {
    const dir = await fresh();
    const pipes = Array.from({ length: 6 }, (_, i) => join(dir, `pipe-${i}`));
    execFileSync('mkfifo', pipes);
    const opened = pipes.map((path) =>
      gate.call(
        'open',
        () => import('node:fs/promises').then(({ open }) => open(path)),
        (f) => void f.close(),
      ),
    );
    assert.equal(await readFile(process.execPath).then((b) => b.length > 0), true);
    // writers let the readers go
    for (let i = 0; i < pipes.length; i += 2) {
      const writers = pipes.slice(i, i + 2).map((path) => openSync(path, 'r+'));
      await Promise.all(opened.slice(i, i + 2).map(async (handle) => (await handle).close()));
      writers.forEach(closeSync);
    }
  });
});
