/**
 * A registry of one image, read-only, on 127.0.0.1: enough of the OCI distribution specification for a pull, with basic
 * authentication when asked for.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readTar } from '../../src/node/runtime/tar.ts';

export interface LoopbackRegistry extends AsyncDisposable {
  /** host and port, as the first part of an image's name */
  readonly host: string;
  readonly requests: readonly string[];
}

export async function serveImage(
  archive: Buffer,
  options: { readonly repository: string; readonly tag: string; readonly credentials?: string },
): Promise<LoopbackRegistry> {
  const blobs = new Map<string, Buffer>();
  const entries = readTar(
    (async function* () {
      yield archive;
    })(),
    archive.length,
  );
  let digest = '';
  for await (const { path, content = Buffer.alloc(0) } of entries) {
    if (path.startsWith('blobs/')) blobs.set(`sha256:${path.split('/').pop()}`, content);
    if (path === 'index.json') digest = (JSON.parse(content.toString()) as { manifests: [{ digest: string }] }).manifests[0].digest;
  }
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const base = `/v2/${options.repository}`;
  const requests: string[] = [];

  const server = createServer((request, response) => {
    const { url = '', method = '' } = request;
    requests.push(`${method} ${url}`);
    const wanted = options.credentials && `Basic ${Buffer.from(options.credentials).toString('base64')}`;
    if (wanted && request.headers.authorization !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="registry"' }).end();
      return;
    }
    const reference = url.startsWith(`${base}/manifests/`) ? url.slice(base.length + 11) : undefined;
    const name = reference === options.tag ? digest : (reference ?? url.slice(base.length + 7));
    const content = url.startsWith(base) ? blobs.get(name) : undefined;
    if (!content) {
      response.writeHead(404).end();
      return;
    }
    const type = reference === undefined ? 'application/octet-stream' : mediaType;
    response.writeHead(200, { 'content-type': type, 'content-length': content.length, 'docker-content-digest': name });
    response.end(method === 'HEAD' ? undefined : content);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
