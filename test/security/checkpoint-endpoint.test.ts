/** CVE-2025-0426: checkpoints fill the node's disk through a port that asks nobody who he is. There is neither here. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import { after, before, describe, it } from 'node:test';
import { SubjectAccessReview } from '../../src/api/generated/kinds.ts';
import type { Client } from '../../src/client/client.ts';
import { realClock } from '../../src/client/clock.ts';
import { silentLog } from '../../src/client/log.ts';
import { memoryFiles, openClusterPKI } from '../../src/control-plane/pki/cluster-pki.ts';
import { FileGate } from '../../src/node/files/file-gate.ts';
import { KubeletServer } from '../../src/node/kubelet/server/kubelet-server.ts';
import type { ContainerRuntime } from '../../src/node/runtime/container-runtime.ts';

/** Everything that is known may do what the API server itself may. */
const rights = new Set(['proxy', 'pods', 'metrics', 'stats', 'log']);
const client = {
  create: async (kind: unknown, { spec }: { readonly spec: { readonly resourceAttributes?: { readonly subresource: string } } }) => ({
    status: kind === SubjectAccessReview ? { allowed: rights.has(spec.resourceAttributes?.subresource ?? '') } : { authenticated: false },
  }),
} as unknown as Client;

describe('the kubelet’s API', () => {
  let server: KubeletServer;
  let port: number;
  let admin: { readonly cert: string; readonly key: string };
  before(async () => {
    const pki = await openClusterPKI({ files: memoryFiles(), clock: realClock });
    const serving = await pki.certificate('kubelet', { commonName: 'n', ipAddresses: ['127.0.0.1'], usages: ['server'] });
    const pair = await pki.certificate('admin', { commonName: 'admin', organizations: ['system:masters'], usages: ['client'] });
    admin = { cert: pair.certPem, key: pair.keyPem };
    server = new KubeletServer({
      serving: { host: '127.0.0.1', port: 0, cert: serving.certPem, key: serving.keyPem, clientCA: pki.authority.certPem },
      client,
      runtime: {} as ContainerRuntime,
      clock: realClock,
      gate: new FileGate({ clock: realClock }),
      log: silentLog,
      nodeName: 'n',
      version: 'v1.36.3',
      dataDir: '/nonexistent',
      kubelet: {
        pods: () => [],
        terminations: () => [],
        probeAnswers: () => [],
        volumeDirectories: () => new Map(),
        settings: () => ({}) as never,
      },
    });
    port = await server.listen();
  });
  after(() => server[Symbol.asyncDispose]());

  const ask = async (method: string, path: string, who: object): Promise<number> => {
    const asked = request({ host: '127.0.0.1', port, method, path, rejectUnauthorized: false, agent: false, ...who }).end();
    const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
    response.resume();
    return response.statusCode ?? 0;
  };
  for (const path of ['/checkpoint/default/pod/main', '/checkpoint', '/%63heckpoint/default/pod/main']) {
    for (const method of ['POST', 'GET', 'PUT']) {
      it(`${method} ${path} is not there, even for an administrator`, async () => assert.equal(await ask(method, path, admin), 404));
    }
    it(`${path} is nobody's`, async () => assert.equal(await ask('POST', path, {}), 401));
  }
  it('answers nobody whom it does not know', async () => assert.equal(await ask('GET', '/pods', {}), 401));
  it('answers the administrator', async () => assert.equal(await ask('GET', '/pods', admin), 200));
});
