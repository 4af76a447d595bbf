/** A name with `..` or an encoded slash in a path leads to that name, or to nothing, and never to another place. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { ConfigMap, Namespace, ServiceAccount } from '../../src/api/generated/kinds.ts';
import { type GuardedServer, startGuardedServer } from '../kit/guarded-server.ts';

let running: GuardedServer;
let token: string;
before(async () => {
  running = await startGuardedServer();
  const { admin } = running;
  await admin.create(Namespace, { metadata: { name: 'other' }, spec: {} });
  await admin.create(ConfigMap, { metadata: { name: 'theirs', namespace: 'other' }, data: { key: 'hidden' } });
  await admin.create(ServiceAccount, { metadata: { name: 'bot', namespace: 'default' } });
  const at = { name: 'bot', namespace: 'default' };
  ({
    status: { token },
  } = await admin.post<{ status: { token: string } }>(ServiceAccount, at, 'token', { spec: {} }));
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }];
  await running.ask('/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles', { body: { metadata: { name: 'r' }, rules } });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' };
  const subjects = [{ kind: 'ServiceAccount', ...at }];
  await running.ask('/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', {
    body: { metadata: { name: 'r' }, roleRef, subjects },
  });
});
after(() => running[Symbol.asyncDispose]());

/** As it stands: clients tidy paths up before they send them. */
async function get(path: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: running.port, ca: running.pki.authority.certPem, ALPNProtocols: ['http/1.1'] });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'secureConnect');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

describe('a name in a path', () => {
  const mine = '/api/v1/namespaces/default/configmaps';
  const paths = [
    `${mine}/../../other/configmaps/theirs`,
    '/api/v1/namespaces/default/../other/configmaps/theirs',
    '/api/v1/namespaces/default%2f..%2fother/configmaps/theirs',
    '/api/v1/namespaces/default%2F..%2Fother/configmaps/theirs',
    '/api/v1/namespaces/default%252f..%252fother/configmaps/theirs',
    `${mine}/..%2f..%2fother%2fconfigmaps%2ftheirs`,
    `${mine}/%2e%2e/%2e%2e/other/configmaps/theirs`,
    `${mine}/%2e%2e%2fother%2ftheirs`,
    '/api/v1/namespaces/./other/configmaps/theirs',
    '/api/v1//namespaces/other/configmaps/theirs',
    '//api/v1/namespaces/other/configmaps/theirs',
    '/api/v1/namespaces/default/configmaps/theirs%00',
    '/api/v1/namespaces/default;/../other/configmaps/theirs',
    '/api/v1/namespaces/default\\..\\other/configmaps/theirs',
    'https://127.0.0.1/api/v1/namespaces/other/configmaps/theirs',
    '/api/v1/namespaces/%/configmaps/theirs',
    '/livez/../api/v1/namespaces/other/configmaps/theirs',
  ];
  for (const path of paths) {
    it(path, async () => {
      const answer = await get(path);
      assert.match(answer, /^HTTP\/1\.1 (301|400|403|404) /);
      assert.ok(!answer.includes('hidden'), answer);
    });
  }
  it('is taken as it is', async () => assert.match(await get(`${mine}?limit=1`), /^HTTP\/1\.1 200 /));
});

describe('a name that is no name', () => {
  for (const name of ['..', '.', '../other', '%2f', 'a%2fb', 'a/b', '..%2fother', 'other/']) {
    it(`is refused for a namespace: ${name}`, async () => {
      const { code } = await running.ask('/api/v1/namespaces', { body: { metadata: { name } } });
      assert.equal(code, 422);
    });
    it(`is refused for a role, whose names are free: ${name}`, async () => {
      const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
      const { code } = await running.ask(path, { body: { metadata: { name }, rules: [] } });
      assert.equal(code, 422);
    });
  }
});
