/** A cluster whose API listens on every address of the machine, beside a real node, whose address is one of them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { after, describe } from 'node:test';
import { accessOf, parseKubeconfig } from '../../src/client/files/kubeconfig.ts';
import { inSteps, OwnCluster } from './own-cluster.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const address = '192.0.2.5';

if (inOwnNamespaces(import.meta.url)) {
  describe('a cluster that listens everywhere', async () => {
    const step = inSteps();
    const cluster = await OwnCluster.named('everywhere', { root: '/var/lib/everywhere' });
    after(() => cluster.tryTimonier('delete', cluster.name));

    /** By an address, as somebody on another machine would. */
    async function ask(host: string): Promise<string> {
      const { ca } = await accessOf(await parseKubeconfig(readFileSync(join(cluster.dir, 'admin.kubeconfig'), 'utf8')));
      const { port } = new URL(cluster.state().server);
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      request({ host, port, path: '/livez', ca, agent: false }, (answer) => answer.setEncoding('utf8').on('data', resolve))
        .on('error', reject)
        .end();
      return promise;
    }

    step('starts with a real node; its kubeconfig leads to this machine', async () => {
      execFileSync('ip', ['link', 'add', 'uplink', 'type', 'veth', 'peer', 'name', 'far']);
      execFileSync('ip', ['address', 'add', `${address}/24`, 'dev', 'uplink']);
      for (const end of ['uplink', 'far']) execFileSync('ip', ['link', 'set', end, 'up']);
      await cluster.timonier('up', cluster.name, '--nodes', '1', '--port', '0', '--host', '0.0.0.0', '--timeout', '60');
      assert.match(cluster.state().server, /^https:\/\/127\.0\.0\.1:\d+$/);
      assert.match(await cluster.kubectl('get', 'nodes'), /everywhere-1 +Ready/);
    });

    step('answers at every address, with a certificate that names it', async () => {
      const node = await cluster.kubectl('get', 'nodes', '-o', 'jsonpath={.items[0].status.addresses[0].address}');
      for (const host of ['127.0.0.1', address, node]) assert.equal(await ask(host), 'ok', host);
      const certificate = new X509Certificate(readFileSync(join(cluster.dir, 'pki', 'apiserver.crt')));
      assert.equal(certificate.checkIP(address), address);
    });

    step('gives its Service the address of the node network', async () => {
      const endpoint = await cluster.kubectl('get', 'endpointslice', 'kubernetes', '-o', 'jsonpath={.endpoints[0].addresses[0]}');
      assert.match(endpoint, /^172\.31\.\d+\.1$/);
    });
  });
}
