/** A record of the audit says by what somebody was known, so that one stolen credential can be followed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceAccount } from '../../src/api/generated/kinds.ts';
import type { ApiRequest } from '../../src/control-plane/api-server/api-request.ts';
import type { UserInfo } from '../../src/control-plane/api-server/request.ts';
import { startGuardedServer } from '../kit/guarded-server.ts';

test('records name the certificate, the token, or nobody', async () => {
  const users: UserInfo[] = [];
  const record = ({ verb, user, sourceIPs }: ApiRequest): void => {
    if (verb === 'list' && sourceIPs.length > 0) users.push(user);
  };
  await using running = await startGuardedServer({ parts: { audit: { record } } });
  const at = { name: 'bot', namespace: 'default' };
  await running.admin.create(ServiceAccount, { metadata: at });
  const { status } = await running.admin.post<{ status: { token: string } }>(ServiceAccount, at, 'token', { spec: {} });
  const path = '/api/v1/namespaces/default/pods';
  await running.ask(path);
  await running.ask(path, { token: status.token });
  await running.ask(path, { token: '' });
  await running.ask(path, { token: 'nonsense' });
  const told = users.map(({ name, extra }) => [name, extra?.['authentication.kubernetes.io/credential-id']?.[0]?.split('=')[0]]);
  assert.deepEqual(told, [
    ['admin', 'X509SHA256'],
    ['system:serviceaccount:default:bot', 'JTI'],
    ['system:anonymous', undefined],
    ['', undefined],
  ]);
  const { jti } = JSON.parse(Buffer.from(status.token.split('.')[1] ?? '', 'base64url').toString()) as { jti: string };
  assert.deepEqual(users[1]?.extra?.['authentication.kubernetes.io/credential-id'], [`JTI=${jti}`]);
});
