/**
 * Assembles the bakery's image, in two versions, from the distribution's static busybox and bakery.sh: no registry, no
 * docker, no compiler.
 *
 *   node_modules/.bin/node examples/bakery/build-image.ts [DIR]     writes DIR/bakery-1.0.tar and DIR/bakery-2.0.tar
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildImageArchive } from '../../src/node/runtime/oci-archive.ts';

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((file) => existsSync(file));
const applets = [
  'cat',
  'cp',
  'echo',
  'env',
  'hostname',
  'httpd',
  'id',
  'kill',
  'ls',
  'nc',
  'nslookup',
  'ps',
  'sh',
  'sleep',
  'tar',
  'tee',
  'test',
  'touch',
  'wget',
];

export function buildBakery(version: string): Buffer {
  if (!busybox) throw new Error('no static busybox: apt-get install busybox-static');
  return buildImageArchive({
    name: `bakery:${version}`,
    files: [
      { path: 'bin/busybox', content: readFileSync(busybox), mode: 0o755 },
      ...applets.map((applet) => ({ path: `bin/${applet}`, link: 'busybox' })),
      { path: 'bin/bakery', content: readFileSync(join(import.meta.dirname, 'bakery.sh')), mode: 0o755 },
      { path: 'usr/share/bakery/version.txt', content: `${version}\n` },
      { path: 'etc/passwd', content: 'root:x:0:0:root:/:/bin/sh\n' },
      { path: 'tmp', directory: true, mode: 0o1777 },
      { path: 'www', directory: true },
    ],
    env: { PATH: '/bin' },
    entrypoint: ['/bin/bakery'],
  });
}

if (import.meta.main) {
  const dir = process.argv[2] ?? '.';
  mkdirSync(dir, { recursive: true });
  for (const version of ['1.0', '2.0']) {
    const file = join(dir, `bakery-${version}.tar`);
    writeFileSync(file, buildBakery(version));
    console.log(file);
  }
}
