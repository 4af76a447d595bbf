/**
 * `timonier image`, into a real containerd: archives of every form, a pipe, and engines, which are a program of a line
 * here that answers as Docker does. In namespaces of its own.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { hostArchitecture } from '../../src/node/runtime/pause-program.ts';
import { writeTar } from '../../src/node/runtime/tar.ts';
import { blobOf, dockerSave, dockerStore, type Image, imageOf, ociLayout } from '../kit/image-archives.ts';
import { inSteps, invoke, type Outcome, OwnCluster } from './own-cluster.ts';
import { busybox, inOwnNamespaces } from './own-namespaces.ts';

const entry = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')];
const base = writeTar([
  { path: 'bin', directory: true },
  { path: 'bin/busybox', content: readFileSync(busybox), mode: 0o755 },
  { path: 'bin/echo', link: 'busybox' },
  { path: 'bin/cat', link: 'busybox' },
]);
const note = (text: string): Buffer => writeTar([{ path: 'note', content: text }]);
const config = { Cmd: ['/bin/cat', '/note'], Env: ['PATH=/bin'] };
const architecture = hostArchitecture();
const foreign = architecture === 'amd64' ? 'arm64' : 'amd64';
const image = (text: string): ReturnType<typeof imageOf> => imageOf([base, note(text)], architecture, { config });
const named = (name: string): object => ({ 'io.containerd.image.name': `docker.io/library/${name}` });
const layout = (name: string): Buffer => ociLayout(image(name), named(name));

/** Whose manifest says that its gzipped layers are plain. */
const compressedUnsaid = (of: Image): Image => ({
  ...of,
  manifest: blobOf(of.manifest.content.toString().replaceAll('layer.v1.tar+gzip', 'layer.v1.tar')),
});
/** Whose configuration names another top layer. */
function otherConfig(of: Image): Pick<Image, 'manifest' | 'config'> {
  const other = blobOf(of.config.content.toString().replace(/[0-9a-f]{64}(?="\])/, 'f'.repeat(64)));
  const text = of.manifest.content.toString().replace(of.config.digest, other.digest);
  return { config: other, manifest: blobOf(text) };
}

/** Answers as `docker` does; `save` writes the archive beside it. */
const engine = `#!/bin/sh
here=$(dirname "$0")
name=$(eval "echo \\\${$#}" | tr / _)
case "$1 $2" in
  "image inspect")
    [ ! -e "$here/down" ] || { echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' >&2; exit 1; }
    [ -e "$here/$name.tar" ] || { echo "Error response from daemon: No such image: $name" >&2; exit 1; }
    tag=$name; [ "$name" != f ] || tag=f:latest; [ "$name" != feed ] || tag=e:1; [ "$name" != g:1 ] || tag=localhost/g:1
    echo "{\\"Id\\":\\"sha256:feed\\",\\"RepoTags\\":[\\"$tag\\"]}" ;;
  save*) cat "$here/$name.tar"; [ ! -e "$here/breaks" ] || { echo 'write: broken' >&2; exit 1; } ;;
esac
`;

function images(): void {
  describe('images of a real node', () => {
    const step = inSteps();
    let cluster: OwnCluster;
    let files = '';
    let bin = '';
    const load = (word: string, { input, path = bin }: { readonly input?: Buffer; readonly path?: string } = {}): Promise<Outcome> => {
      const given = file('input', input ?? Buffer.alloc(0));
      const words = [process.execPath, ...entry, 'image', 'load', '--cluster-name', cluster.name, word];
      const env = { ...cluster.env, PATH: `${path}:/usr/sbin:/usr/bin:/sbin:/bin` };
      return invoke('sh', ['-c', 'exec "$@" <"$0"', given, ...words], { env });
    };
    const file = (name: string, content: Buffer): string => {
      const path = join(files, name);
      writeFileSync(path, content);
      return path;
    };
    /** What a pod of the image says. */
    const said = async (name: string): Promise<string> => {
      const pod = name.replace(/\W/g, '-');
      await cluster.kubectl('run', pod, '--image', name, '--image-pull-policy=Never', '--restart=Never');
      await cluster.kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', `pod/${pod}`, '--timeout=30s');
      return cluster.kubectl('logs', pod);
    };

    before(async () => {
      cluster = await OwnCluster.named(`images-${process.pid}`);
      files = mkdtempSync('/var/lib/images-');
      bin = join(files, 'bin');
      mkdirSync(bin);
      writeFileSync(join(bin, 'docker'), engine, { mode: 0o755 });
      await cluster.timonier('up', cluster.name, '--nodes', '1', '--timeout', '60');
    });
    after(async () => {
      await cluster.tryTimonier('delete', cluster.name);
    });

    const loads: readonly { name: string; word: () => string; input?: Buffer; want: RegExp; image: string }[] = [
      { name: 'a file', word: () => file('a.tar', layout('a:1')), want: /^loaded a:1 {2}[\d.]+ MB {2}\d+\.\d s\n$/, image: 'a:1' },
      {
        name: 'a file whose base is there',
        word: () => file('b.tar', layout('b:1')),
        want: /^loaded b:1 {2}[\d.]+ MB \(1 of 2 layers was there\) {2}/,
        image: 'b:1',
      },
      {
        name: 'the same again',
        word: () => join(files, 'b.tar'),
        want: /^loaded b:1 {2}[\d.]+ MB \(all 2 layers were there\) {2}/,
        image: 'b:1',
      },
      { name: 'a gzipped file', word: () => file('c.tar.gz', gzipSync(layout('c:1'))), want: /^loaded c:1 /, image: 'c:1' },
      { name: 'zstd from a pipe', word: () => '-', input: zstdCompressSync(layout('d:1')), want: /^loaded d:1 /, image: 'd:1' },
      {
        name: 'Docker’s new store, by name',
        word: () => {
          const platforms = [foreign, architecture].map((each) => ({
            architecture: each,
            image: each === foreign ? imageOf([base, note('far')], each) : image('e:1'),
          }));
          writeFileSync(join(bin, 'e:1.tar'), dockerStore('docker.io/library/e:1', image('e:1'), platforms));
          return 'e:1';
        },
        want: /^loaded e:1 /,
        image: 'e:1',
      },
      {
        name: 'by the beginning of an ID',
        word: () => {
          writeFileSync(join(bin, 'feed.tar'), '');
          return 'feed';
        },
        want: /^loaded e:1 /,
        image: 'e:1',
      },
      {
        name: 'Docker’s old form, by a name without a tag',
        word: () => {
          writeFileSync(join(bin, 'f:latest.tar'), dockerSave([{ image: image('f:latest'), names: ['f:latest'] }], { links: true }));
          writeFileSync(join(bin, 'f.tar'), '');
          return 'f';
        },
        want: /^loaded f:latest /,
        image: 'f:latest',
      },
      {
        name: 'Podman’s, which has another name for it',
        word: () => {
          writeFileSync(join(bin, 'g:1.tar'), dockerSave([{ image: image('g:1'), names: ['localhost/g:1'] }]));
          return 'g:1';
        },
        want: /^loaded g:1 /,
        image: 'g:1',
      },
    ];
    const again = ['the same again', 'by the beginning of an ID'];
    for (const { name, word, input, want, image: loaded } of loads)
      step(`${name}: is loaded, and runs`, async () => {
        const { code, stdout, stderr } = await load(word(), input && { input });
        assert.equal(code, 0, stderr);
        assert.match(stdout, want);
        if (!again.includes(name)) assert.equal(await said(loaded), loaded);
      });

    step('all of it is listed', async () => {
      const listed = await cluster.timonier('image', 'ls', '--cluster-name', cluster.name);
      for (const name of ['a:1', 'd:1', 'f:latest', 'localhost/g:1', 'g:1'])
        assert.match(listed, new RegExp(`^${name} +[\\d.]+ MB +${cluster.name}-1$`, 'm'));
      assert.match(listed, /^IMAGE +SIZE +NODE\n/);
    });

    step('an image that can’t be unpacked leaves nothing, and says why', async () => {
      const listed = (): Promise<string> => cluster.timonier('image', 'ls', '--cluster-name', cluster.name);
      const before = await listed();
      const good = image('fresh');
      const broken: readonly { of: Image; why: RegExp }[] = [
        { of: compressedUnsaid(imageOf([base, note('z')], architecture, { gzip: true })), why: /is no tar archive/ },
        { of: { ...good, ...otherConfig(good) }, why: /is not the one that its configuration names/ },
      ];
      for (const { of, why } of broken)
        for (const name of ['broken:1', 'a:1']) {
          const { code, stdout, stderr } = await load(file('broken.tar', ociLayout(of, named(name))));
          assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
          assert.match(stderr, why);
          assert.match(stderr, /^timonier: [^\n]*broken\.tar can't be loaded: [^\n]*\n {2}fix: build or pull the image again[^\n]*\n$/);
        }
      assert.equal(await listed(), before);
    });

    step('an image is removed by its name; others of it stay', async () => {
      const remove = (...words: string[]): Promise<Outcome> => cluster.tryTimonier('image', 'rm', '--cluster-name', cluster.name, ...words);
      assert.deepEqual(await remove('g:1', 'c:1'), { code: 0, stdout: 'removed g:1\nremoved c:1\n', stderr: '' });
      const listed = await cluster.timonier('image', 'ls', '--cluster-name', cluster.name);
      assert.match(listed, /^localhost\/g:1 /m);
      assert.doesNotMatch(listed, /^(g|c):1 /m);
      assert.match((await remove('c:1')).stderr, /^timonier: no node has an image "c:1"\n {2}fix: `timonier image ls`/);
      assert.match((await remove('timonier.dev/pause:1')).stderr, /^timonier: every pod needs timonier\.dev\/pause:1\n/);
    });

    const errors: readonly { name: string; word: () => string; input?: Buffer; path?: () => string; want: RegExp }[] = [
      { name: 'no such file', word: () => './nosuch.tar', want: /^timonier: there is no file \.\/nosuch\.tar\n {2}fix: / },
      {
        name: 'a name nobody has',
        word: () => 'nosuch:1',
        want: /^timonier: Docker has no image "nosuch:1"; Podman is not installed\n {2}fix: build or pull it first; `docker images` says/,
      },
      {
        name: 'neither a file nor a name',
        word: () => 'Bad Name:1',
        want: /^timonier: there is no file Bad Name:1, and it is no name of an image\n/,
      },
      { name: 'an empty pipe', word: () => '-', want: /^timonier: what is piped in can't be loaded: it is empty\n/ },
      {
        name: 'two archives in a pipe',
        word: () => '-',
        input: Buffer.concat([layout('h:1'), layout('i:1')]),
        want: /more follows where the archive ends\n/,
      },
      { name: 'no engine', word: () => 'a:1', path: () => files, want: /there is no file a:1, and neither Docker nor Podman here/ },
      { name: 'a directory', word: () => files, want: /is a directory\n/ },
      {
        name: 'no archive',
        word: () => file('text', Buffer.from('a line of text\n')),
        want: /text can't be loaded: it is no archive of images\n/,
      },
      {
        name: 'a truncated archive',
        word: () => file('cut.tar', layout('a:1').subarray(0, 100_000)),
        want: /cut\.tar can't be loaded: the archive is cut off\n/,
      },
      {
        name: 'a truncated gzip',
        word: () => file('cut.gz', gzipSync(layout('a:1')).subarray(0, 100_000)),
        want: /cut\.gz can't be loaded: the compressed archive is cut off or damaged\n/,
      },
      {
        name: 'a truncated zstd',
        word: () => '-',
        input: zstdCompressSync(layout('a:1')).subarray(0, 100_000),
        want: /what is piped in can't be loaded: .*cut off/,
      },
      {
        name: 'xz',
        word: () => file('a.tar.xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])),
        want: /compressed by xz.*\n {2}fix: xz -dc/,
      },
      {
        name: 'an image for other machines',
        word: () => file('far.tar', ociLayout(imageOf([base], foreign), named('far:1'))),
        want: new RegExp(
          `far:1 is for linux/${foreign}; the nodes are linux/${architecture}\n {2}fix: .*--platform linux/${architecture}\n`,
        ),
      },
      {
        name: 'a save that breaks off',
        word: () => {
          writeFileSync(join(bin, 'breaks'), '');
          return 'e:1';
        },
        want: /^timonier: docker save e:1 failed: write: broken\n/,
      },
      {
        name: 'an engine that does not run',
        word: () => {
          writeFileSync(join(bin, 'down'), '');
          return 'e:1';
        },
        want: /^timonier: Docker is not running; Podman is not installed\n {2}fix: start it/,
      },
    ];
    for (const { name, word, input, path, want } of errors)
      step(`${name}: is said`, async () => {
        const { code, stdout, stderr } = await load(word(), { ...(input && { input }), ...(path && { path: path() }) });
        assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
        assert.match(stderr, want);
      });

    step('nodes that are added have what was loaded', async () => {
      const { name } = cluster;
      await cluster.timonier('down', name);
      const loaded = new Set(['a:1', 'b:1', 'd:1', 'e:1', 'f:latest', 'localhost/g:1']);
      assert.match(
        await cluster.timonier('up', name, '--nodes', '3', '--timeout', '100'),
        /^ {2}nodes .* 3 real; 6 loaded images copied to other nodes$/m,
      );
      const listed = JSON.parse(await cluster.timonier('image', 'ls', '--cluster-name', name, '--json')) as {
        images: { node: string; name: string }[];
      };
      for (const number of [1, 2, 3]) {
        const names = listed.images
          .filter(({ node }) => node === `${name}-${number}`)
          .map((each) => each.name.replace(/^docker\.io\/library\//, ''));
        assert.deepEqual(new Set(names.filter((each) => each !== 'timonier.dev/pause:1')), loaded);
      }
      const [pod, on] = ['added', `${name}-3`];
      await cluster.kubectl(
        'run',
        pod,
        '--image',
        'e:1',
        '--image-pull-policy=Never',
        '--restart=Never',
        `--overrides={"spec":{"nodeName":"${on}"}}`,
      );
      await cluster.kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', `pod/${pod}`, '--timeout=30s');
      assert.equal(await cluster.kubectl('logs', pod), 'e:1');
      await cluster.timonier('down', name);
      assert.match(await cluster.timonier('up', name, '--timeout', '100'), /^ {2}nodes .* 3 real$/m);
    });
  });
}

if (inOwnNamespaces(import.meta.url)) images();
