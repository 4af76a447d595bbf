import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dockerSave, dockerStore, imageOf, ociLayout } from '../../../test/kit/image-archives.ts';
import { BadArchive, type OpenArchive, readImageArchive, writeLayout } from './image-archive.ts';
import { writeTar } from './tar.ts';

/** In odd pieces, as a stream may bring it. */
const opened = (archive: Buffer): OpenArchive =>
  async function* () {
    for (let at = 0; at < archive.length; at += 777) yield archive.subarray(at, at + 777);
  };
const layer = (text: string): Buffer => writeTar([{ path: 'file', content: text }]);
const [base, top] = [layer('base'), layer('x'.repeat(5000))];
const mine = imageOf([base, top], 'amd64');
const other = imageOf([base, top], 'arm64');
const zipped = imageOf([base], 'amd64', { gzip: true });
const full = 'docker.io/library/a:1';
const plain = ociLayout(mine, { 'io.containerd.image.name': full, 'org.opencontainers.image.ref.name': '1' });
const damaged = Buffer.from(plain);
damaged.write('y', plain.indexOf('xxxx') + 100);

interface Row {
  readonly name: string;
  readonly archive: Buffer;
  /** names and the sizes of layers; or what is wrong with it */
  readonly want: Readonly<Record<string, readonly number[]>> | RegExp;
}
const sizes = [base.length, top.length];
const both = [
  { architecture: 'arm64', image: other },
  { architecture: 'amd64', image: mine },
];

const rows: readonly Row[] = [
  { name: 'containerd and buildx', archive: plain, want: { [full]: sizes } },
  {
    name: 'skopeo',
    archive: ociLayout(mine, { 'org.opencontainers.image.ref.name': 'corner/shop:2' }),
    want: { 'docker.io/corner/shop:2': sizes },
  },
  {
    name: 'layers that are compressed',
    archive: ociLayout(zipped, { 'io.containerd.image.name': full }),
    want: { [full]: [zipped.layers[0]?.size ?? 0] },
  },
  { name: 'docker with containerd’s store', archive: dockerStore(full, mine, both), want: { [full]: sizes } },
  {
    name: 'docker before it wrote layouts',
    archive: dockerSave([{ image: mine, names: ['a:1', 'b:2'] }], { links: true }),
    want: { [full]: sizes, 'docker.io/library/b:2': sizes },
  },
  {
    name: 'two images that share a layer by a link',
    archive: dockerSave(
      [
        { image: mine, names: ['a:1'] },
        { image: imageOf([base], 'amd64'), names: ['b:1'] },
      ],
      { links: true },
    ),
    want: { [full]: sizes, 'docker.io/library/b:1': [base.length] },
  },
  { name: 'podman', archive: dockerSave([{ image: mine, names: ['localhost/a:1'] }]), want: { 'localhost/a:1': sizes } },
  {
    name: 'programs that save compressed layers',
    archive: dockerSave([{ image: zipped, names: ['a:1'] }]),
    want: { [full]: [zipped.layers[0]?.size ?? 0] },
  },
  { name: 'no layer', archive: dockerSave([{ image: imageOf([], 'amd64'), names: ['a:1'] }]), want: { [full]: [] } },
  { name: 'no name', archive: dockerSave([{ image: mine, names: null }]), want: /^the archive names no image$/ },
  {
    name: 'a tag for a name',
    archive: ociLayout(mine, { 'org.opencontainers.image.ref.name': '1' }),
    want: /^the archive names no image$/,
  },
  {
    name: 'another architecture',
    archive: ociLayout(other, { 'io.containerd.image.name': full }),
    want: /^docker.io\/library\/a:1 is for linux\/arm64; the nodes are linux\/amd64$/,
  },
  {
    name: 'docker’s store with another one alone',
    archive: dockerStore(full, other, both),
    want: /^docker.io\/library\/a:1 is for linux\/arm64; the nodes are/,
  },
  { name: 'a saved image of another one', archive: dockerSave([{ image: other, names: ['a:1'] }]), want: /is for linux\/arm64/ },
  {
    name: 'a missing layer',
    archive: ociLayout({ ...mine, layers: mine.layers.slice(1) }, { 'io.containerd.image.name': full }),
    want: /: the archive lacks sha256:/,
  },
  {
    name: 'a missing layer of a saved image',
    archive: writeTar([{ path: 'manifest.json', content: '[{"Config":"c","RepoTags":["a:1"],"Layers":["l"]}]' }]),
    want: /^the archive lacks l$/,
  },
  { name: 'the end cut off', archive: plain.subarray(0, plain.length - 2500), want: /^the archive is cut off$/ },
  { name: 'cut off in the middle', archive: plain.subarray(0, 3000), want: /^the archive is cut off$/ },
  { name: 'a damaged layer', archive: damaged, want: /^a part of the archive is damaged: blobs\/sha256\// },
  { name: 'damaged JSON', archive: writeTar([{ path: 'index.json', content: '{' }]), want: /^index.json is damaged$/ },
  { name: 'a tar archive of something else', archive: layer('x'), want: /^it is a tar archive, but holds no image$/ },
  { name: 'no tar archive', archive: Buffer.from('not an archive'.repeat(100)), want: /^it is no archive of images$/ },
  { name: 'a short text', archive: Buffer.from('x'), want: /^it is no archive of images$/ },
  { name: 'nothing', archive: Buffer.alloc(0), want: /^it is empty$/ },
  { name: 'an archive without files', archive: writeTar([]), want: /^it is a tar archive, but holds no image$/ },
  { name: 'padding at its end', archive: Buffer.concat([plain, Buffer.alloc(10_240)]), want: { [full]: sizes } },
  { name: 'two archives, one after the other', archive: Buffer.concat([plain, plain]), want: /^more follows where the archive ends$/ },
  {
    name: 'a name that is none',
    archive: ociLayout(mine, { 'io.containerd.image.name': 'docker.io/library/Bad Name:1' }),
    want: /^"docker.io\/library\/Bad Name:1" is no name of an image$/,
  },
];

describe('archives of images', () => {
  for (const { name, archive, want } of rows)
    it(name, async () => {
      const read = readImageArchive(opened(archive), 'amd64');
      if (want instanceof RegExp) {
        await assert.rejects(read, (error) => error instanceof BadArchive && want.test(error.message) && error.fix.length > 0);
        return;
      }
      const images = await read;
      assert.deepEqual(Object.fromEntries(images.map((image) => [image.name, image.layers.map(({ size }) => size)])), want);
      for (const image of images) await assertSame(archive, image);
    });

  /** What is written of it for containerd is the same image, whatever form it had. */
  async function assertSame(archive: Buffer, image: Awaited<ReturnType<typeof readImageArchive>>[number]): Promise<void> {
    const written = await collect(writeLayout(image, { open: opened(archive), names: [image.name, 'x/other:1'], has: new Set() }));
    const again = await readImageArchive(opened(written), 'amd64');
    assert.deepEqual(
      again.map(({ name }) => name),
      [image.name, 'docker.io/x/other:1'],
    );
    assert.deepEqual([again[0]?.manifest, again[0]?.config], [image.manifest, image.config]);
  }

  it('leaves out the layers that are there already', async () => {
    const archive = dockerStore(full, mine, both);
    const [image] = await readImageArchive(opened(archive), 'amd64');
    assert.ok(image);
    const [lower, upper] = mine.layers;
    const written = await collect(writeLayout(image, { open: opened(archive), names: [full], has: new Set([String(lower?.digest)]) }));
    assert.ok(!written.includes(base) && upper && written.includes(upper.content));
    await assert.rejects(readImageArchive(opened(written), 'amd64'), { message: `${full}: the archive lacks ${lower?.digest}` });
  });
});

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces);
}
