/**
 * Assembles the images that the suite's containers want, without a registry: from its own programs, which Go builds, and
 * from the programs of Debian packages with the libraries they load. Names and tags are those of the suite's own list
 * (test/utils/image/manifest.go).
 *
 *   node test/conformance/images.ts --programs DIR --root DIR --module DIR --out DIR
 *
 * `--programs` holds agnhost, nonewprivs, regression-issue-74839, coredns, sample-apiserver and etcd, `--root` the unpacked packages (see README.md),
 * `--module` is the Go module k8s.io/kubernetes. What the images have is near upstream's, not the same: `sh` is bash, since busybox's drops variables such as `data-1`; `wget` is GNU's.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildImageArchive, type ImageContent } from '../../src/node/runtime/oci-archive.ts';
import { hostArchitecture, pauseProgram } from '../../src/node/runtime/pause-program.ts';
import type { TarFile } from '../../src/node/runtime/tar.ts';

const option = { type: 'string' } as const;
const { values } = parseArgs({ options: { programs: option, root: option, module: option, out: option } });
const { programs = '', root = '', module = '', out = '.' } = values;
const agnhost = join(programs, 'agnhost');

const registry = 'registry.k8s.io/e2e-test-images';
const libraryPath = join(root, 'usr/lib/x86_64-linux-gnu');
/** loaded when a name is looked up, so no program lists them */
const resolvers = ['libnss_dns.so.2', 'libnss_files.so.2', 'libresolv.so.2'].map((name) => `/lib/x86_64-linux-gnu/${name}`);

const program = (path: string, from: string): TarFile => ({ path, content: readFileSync(realpathSync(from)), mode: 0o755 });

/** From the packages, or the machine's own. */
const find = (path: string): string => [join(root, path), join(root, 'usr', path), join('/usr', path)].find(existsSync) ?? path;

function librariesOf(file: string): string[] {
  const listing = execFileSync('ldd', [file], { env: { ...process.env, LD_LIBRARY_PATH: libraryPath }, encoding: 'utf8' });
  return [...listing.matchAll(/(?:=> |^\s+)(\/\S+)/gm)].map(([, library = '']) => library);
}

const folders = ['data', 'dev', 'home', 'mnt', 'proc', 'root', 'run', 'sys', 'usr/bin', 'usr/local/bin', 'var/log', 'var/www'];
const base: readonly TarFile[] = [
  ...folders.map((path) => ({ path, directory: true })),
  { path: 'tmp', directory: true, mode: 0o1777 },
  { path: 'var/run', link: '/run' },
  {
    path: 'etc/passwd',
    content: 'root:x:0:0::/root:/bin/sh\nuser-defined-in-image:x:1000:1000::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n',
  },
  {
    path: 'etc/group',
    content: 'root:x:0:\nuser-defined-in-image:x:1000:\ngroup-defined-in-image:x:50000:user-defined-in-image\nnogroup:x:65534:\n',
  },
  { path: 'etc/nsswitch.conf', content: 'passwd: files\ngroup: files\nhosts: files dns\n' },
  { path: 'etc/wgetrc', content: 'tries = 1\n' },
];

/** A small system: busybox, and these instead of its own. */
function system(programs: readonly string[] = []): TarFile[] {
  const busybox = find('bin/busybox');
  const files = new Map<string, TarFile>();
  for (const path of ['bin/busybox', 'bin/bash', 'bin/getent', 'bin/printenv', 'bin/wget', ...programs]) {
    const file = find(path);
    files.set(path, program(path, file));
    for (const library of [...librariesOf(file), ...resolvers]) {
      const name = library.includes('ld-linux') ? `lib64/${basename(library)}` : `lib/x86_64-linux-gnu/${basename(library)}`;
      files.set(name, program(name, library));
    }
  }
  files.set('bin/sh', { path: 'bin/sh', link: 'bash' });
  if (files.has('bin/nc.openbsd')) files.set('bin/nc', { path: 'bin/nc', link: 'nc.openbsd' });
  for (const applet of execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n'))
    if (!files.has(`bin/${applet}`)) files.set(`bin/${applet}`, { path: `bin/${applet}`, link: 'busybox' });
  return [...base, ...files.values()];
}

const nginxConfiguration = `pid /run/nginx.pid; error_log /dev/stderr notice; events { }
http { types { text/html html; } access_log /dev/stdout; server { listen 80; root /usr/share/nginx/html; } }
`;
const tools = ['curl', 'dig', 'nslookup', 'host', 'ip', 'ss', 'nc.openbsd', 'mount', 'umount', 'setpriv'].map((name) => `bin/${name}`);
const images = join(module, 'test/images');
const plain = system();
const network = [
  ...system(tools),
  program('agnhost', agnhost),
  { path: 'agnhost-2', link: 'agnhost' },
  { path: 'uploads', directory: true },
];
const page = (name: string): ImageContent => ({
  name: `${registry}/${name}:1.8`,
  files: [
    ...plain,
    program('agnhost', agnhost),
    ...[`${name}.jpg`, 'data.json'].map((file) => ({ path: file, content: readFileSync(join(images, name, 'html', file)) })),
  ],
  entrypoint: ['/agnhost'],
  cmd: ['test-webserver'],
});
const sources: readonly ImageContent[] = [
  ...['2.63.0', '2.55'].map((version) => ({
    name: `${registry}/agnhost:${version}`,
    files: [
      ...network,
      program('coredns', join(programs, 'coredns')), // a name server of the pod's own
      ...['localhost.crt', 'localhost.key'].map((path) => ({ path, content: readFileSync(join(images, 'agnhost/porter', path)) })),
    ],
    entrypoint: ['/agnhost'],
    cmd: ['pause'],
  })),
  page('nautilus'),
  page('kitten'),
  { name: `${registry}/busybox:1.37.0-1`, files: plain, cmd: ['sh'] },
  { name: `${registry}/nonroot:1.5`, files: plain, cmd: ['sh'], user: '1234' },
  { name: `${registry}/glibc-dns-testing:2.0.0`, files: network, cmd: ['sh'] },
  {
    name: `${registry}/nonewprivs:1.4`,
    files: [...plain, { ...program('usr/local/bin/nnp', join(programs, 'nonewprivs')), mode: 0o6755 }],
    cmd: ['nnp'],
  },
  ...['1.15-4', '1.27-0'].map((version) => ({
    name: `${registry}/nginx:${version}`,
    files: [
      ...system(['sbin/nginx']),
      { path: 'var/lib/nginx', directory: true },
      { path: 'etc/nginx/nginx.conf', content: nginxConfiguration },
      { path: 'usr/share/nginx/html/index.html', content: '<h1>Welcome to nginx!</h1>\n' },
    ],
    cmd: ['nginx', '-g', 'daemon off;'],
    env: { VERSION: version },
  })),
  {
    name: `${registry}/regression-issue-74839:1.4`,
    files: [...plain, program('regression-issue-74839', join(programs, 'regression-issue-74839'))],
    entrypoint: ['/regression-issue-74839'],
  },
  {
    name: `${registry}/sample-apiserver:1.29.2`,
    files: [...base, program('sample-apiserver', join(programs, 'sample-apiserver'))],
    entrypoint: ['/sample-apiserver'],
  },
  { name: 'registry.k8s.io/etcd:3.6.8-0', files: [...plain, program('usr/local/bin/etcd', join(programs, 'etcd'))], cmd: ['etcd'] },
  { name: 'registry.k8s.io/build-image/distroless-iptables:v0.9.6', files: system(['sbin/conntrack']), cmd: ['sh'] },
  {
    name: 'registry.k8s.io/pause:3.10.2',
    files: [...base, { path: 'pause', content: pauseProgram(hostArchitecture()), mode: 0o755 }],
    entrypoint: ['/pause'],
  },
];

mkdirSync(out, { recursive: true });
for (const source of sources) writeFileSync(join(out, `${basename(source.name).replace(':', '-')}.tar`), buildImageArchive(source));
