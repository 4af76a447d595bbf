import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { imageRepository, normalizeImageName } from './image-name.ts';
import { buildImageArchive } from './oci-archive.ts';
import { readTar, type TarFile, writeTar } from './tar.ts';

async function readAll(archive: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  // in odd pieces, as a stream may bring it
  const pieces = Array.from({ length: Math.ceil(archive.length / 777) }, (_, index) => archive.subarray(index * 777, (index + 1) * 777));
  const source = (async function* () {
    yield* pieces;
  })();
  for await (const { path, content } of readTar(source, 2 ** 20)) files.set(path, content ?? Buffer.from('(too large)'));
  return files;
}

describe('tar', () => {
  it('reads what it writes', async () => {
    const files: TarFile[] = [
      { path: 'dir', directory: true },
      { path: 'dir/empty' },
      { path: 'dir/text', content: 'text' },
      { path: 'dir/block', content: Buffer.alloc(1024, 7) },
      { path: 'link', link: 'dir/text' },
    ];
    const read = await readAll(writeTar(files));
    assert.deepEqual([...read.keys()], ['dir/empty', 'dir/text', 'dir/block', 'link']);
    assert.equal(read.get('dir/text')?.toString(), 'text');
    assert.deepEqual(read.get('dir/block'), Buffer.alloc(1024, 7));
  });

  it('leaves large contents out, and refuses what is no archive', async () => {
    const archive = writeTar([
      { path: 'large', content: Buffer.alloc(2 ** 20 + 1) },
      { path: 'small', content: 'x' },
    ]);
    const read = await readAll(archive);
    assert.equal(read.get('large')?.toString(), '(too large)');
    assert.equal(read.get('small')?.toString(), 'x');
    await assert.rejects(readAll(Buffer.alloc(1024, 'x')), RangeError);
    assert.throws(() => writeTar([{ path: 'x'.repeat(101) }]), RangeError);
  });
});

describe('buildImageArchive', () => {
  const source = {
    name: 'bakery:1',
    architecture: 'amd64',
    files: [{ path: 'usr/bin/bake', content: '#!', mode: 0o755 }],
    entrypoint: ['/usr/bin/bake'],
    env: { OVEN: 'hot' },
  } as const;

  it('gives the same bytes for the same input', () => {
    assert.deepEqual(buildImageArchive(source), buildImageArchive(source));
  });

  it('names every part by its digest', async () => {
    const files = await readAll(buildImageArchive(source));
    const json = (path: string) => JSON.parse(files.get(path)?.toString() ?? 'null');
    const blob = (digest: string): Buffer => {
      const content = files.get(`blobs/sha256/${digest.slice(7)}`) ?? Buffer.alloc(0);
      assert.equal(createHash('sha256').update(content).digest('hex'), digest.slice(7));
      return content;
    };
    const [entry] = json('index.json').manifests;
    assert.equal(entry.annotations['io.containerd.image.name'], 'docker.io/library/bakery:1');
    const manifest = JSON.parse(blob(entry.digest).toString());
    const config = JSON.parse(blob(manifest.config.digest).toString());
    assert.deepEqual(config.rootfs.diff_ids, [manifest.layers[0].digest]);
    assert.deepEqual(config.config.Entrypoint, ['/usr/bin/bake']);
    assert.ok(config.config.Env.includes('OVEN=hot'));
    assert.deepEqual([...(await readAll(blob(manifest.layers[0].digest))).keys()], ['usr/bin/bake']);
  });
});

describe('image names', () => {
  const table: [string, string, string][] = [
    ['nginx', 'docker.io/library/nginx:latest', 'docker.io/library/nginx'],
    ['nginx:1', 'docker.io/library/nginx:1', 'docker.io/library/nginx'],
    ['corner/shop', 'docker.io/corner/shop:latest', 'docker.io/corner/shop'],
    ['localhost/app', 'localhost/app:latest', 'localhost/app'],
    ['localhost:5000/app', 'localhost:5000/app:latest', 'localhost:5000/app'],
    ['ghcr.io/a/b@sha256:1', 'ghcr.io/a/b@sha256:1', 'ghcr.io/a/b'],
  ];
  for (const [name, full, repository] of table)
    it(name, () => {
      assert.equal(normalizeImageName(name), full);
      assert.equal(imageRepository(full), repository);
    });
});
