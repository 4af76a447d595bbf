/**
 * The image of the example application, in two versions, made of the machine's static busybox and of
 * examples/bakery/bakery.sh: no registry, no docker, no compiler.
 */
import { existsSync, readFileSync } from 'node:fs';
import { ownFile } from '../../api/own-file.ts';
import { buildImageArchive } from '../../node/runtime/oci-archive.ts';
import { OperationError } from '../operation-error.ts';

export const bakeryVersions = ['1.0', '2.0'] as const;

const busyboxPlaces = ['/bin/busybox', '/usr/bin/busybox', '/bin/busybox.static', '/bin/busybox-static'];
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

export function buildBakery(version: (typeof bakeryVersions)[number], busybox = staticBusybox(busyboxPlaces)): Buffer {
  return buildImageArchive({
    name: `bakery:${version}`,
    files: [
      { path: 'bin/busybox', content: busybox, mode: 0o755 },
      ...applets.map((applet) => ({ path: `bin/${applet}`, link: 'busybox' })),
      { path: 'bin/bakery', content: readFileSync(ownFile('../examples/bakery/bakery.sh')), mode: 0o755 },
      { path: 'usr/share/bakery/version.txt', content: `${version}\n` },
      { path: 'etc/passwd', content: 'root:x:0:0:root:/:/bin/sh\n' },
      { path: 'tmp', directory: true, mode: 0o1777 },
      { path: 'www', directory: true },
    ],
    env: { PATH: '/bin' },
    entrypoint: ['/bin/bakery'],
  });
}

/** The first of these files that needs no other: in an image there are no libraries. */
export function staticBusybox(places: readonly string[]): Buffer {
  for (const place of places) {
    if (!existsSync(place)) continue;
    const program = readFileSync(place);
    if (isStatic(program)) return program;
  }
  throw new OperationError({
    code: 'no-busybox',
    message: 'the image is made of a static busybox, and there is none here',
    fix: 'apt-get install busybox-static (Debian, Ubuntu), or apk add busybox-static (Alpine)',
  });
}

const interpreterHeader = 3; // PT_INTERP: the loader of shared libraries

/** Of a 64-bit, little-endian program (elf(5)): it names no interpreter. */
function isStatic(program: Buffer): boolean {
  if (program.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return false;
  const [start, bytes, count] = [Number(program.readBigUInt64LE(32)), program.readUInt16LE(54), program.readUInt16LE(56)];
  return Array.from({ length: count }, (_, i) => program.readUInt32LE(start + i * bytes)).every((type) => type !== interpreterHeader);
}
