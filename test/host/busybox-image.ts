/** An image made of the distribution's static busybox, for tests that run real containers. */
import { readFileSync } from 'node:fs';
import { buildImageArchive } from '../../src/node/runtime/oci-archive.ts';
import { busybox } from './own-namespaces.ts';

const applets = ['sh', 'sleep', 'cat', 'echo', 'ip', 'nc', 'httpd', 'hostname', 'ls', 'id', 'true', 'false', 'head', 'tail', 'env'];

export function busyboxImage(name: string): Buffer {
  return buildImageArchive({
    name,
    files: [
      { path: 'bin/busybox', content: readFileSync(busybox), mode: 0o755 },
      ...applets.map((applet) => ({ path: `bin/${applet}`, link: 'busybox' })),
      { path: 'tmp', directory: true, mode: 0o1777 },
      { path: 'etc/passwd', content: 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' },
    ],
    cmd: ['sleep', '1000000'],
    env: { IMAGE: name },
  });
}
