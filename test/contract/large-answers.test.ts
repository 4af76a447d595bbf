/** Large bodies and answers in a row on one connection of HTTP/1.1, whose client loses no time between them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { EagerRequests } from '../kit/eager-client.ts';
import { startGuardedServer } from '../kit/guarded-server.ts';

const count = 40;

for (const size of [10_000, 100_000, 400_000]) {
  test(`${count} bodies of ${size} bytes, each answered with as many`, async () => {
    await using running = await startGuardedServer();
    const name = { commonName: 'admin', organizations: ['system:masters'], usages: ['client' as const] };
    const { certPem: cert, keyPem: key } = await running.pki.certificate('large', name);
    const body = JSON.stringify({ metadata: { generateName: 'x' }, data: { text: 'x'.repeat(size) } });
    const path = '/api/v1/namespaces/default/configmaps?dryRun=All';
    const workerData: EagerRequests = { port: running.port, cert, key, ca: running.pki.authority.certPem, path, body, count };
    const [codes] = await once(new Worker(new URL('../kit/eager-client.ts', import.meta.url), { workerData }), 'message');
    assert.deepEqual(codes, Array(count).fill(201));
  });
}
