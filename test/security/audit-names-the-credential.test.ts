/** A line of the audit says by what somebody was known, so that one stolen credential can be followed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceAccount } from '../../src/api/generated/kinds.ts';
import { startGuardedServer } from '../kit/guarded-server.ts';

interface Line {
  readonly user: { readonly username?: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
  readonly responseStatus: { readonly code: number; readonly message?: string };
}

test('lines name the certificate, the token, or nobody; never the credential', async () => {
  const lines: string[] = [];
  const policy = {
    rules: [{ level: 'RequestResponse', verbs: ['list'], namespaces: ['default'] }],
    omitStages: ['RequestReceived'],
  } as const;
  await using running = await startGuardedServer({ parts: { audit: { policy, sink: { write: (line) => lines.push(line) } } } });
  const at = { name: 'bot', namespace: 'default' };
  await running.admin.create(ServiceAccount, { metadata: at });
  const { status } = await running.admin.post<{ status: { token: string } }>(ServiceAccount, at, 'token', { spec: {} });
  const path = '/api/v1/namespaces/default/pods';
  lines.length = 0;
  await running.ask(path);
  await running.ask(path, { token: status.token });
  await running.ask(path, { token: '' });
  await running.ask(path, { token: 'nonsense' });
  const credential = 'authentication.kubernetes.io/credential-id';
  const records = lines.map((line) => JSON.parse(line) as Line);
  const told = records.map(({ user, responseStatus }) => [
    user.username,
    user.extra?.[credential]?.[0]?.split('=')[0],
    responseStatus.code,
  ]);
  assert.deepEqual(told, [
    ['admin', 'X509SHA256', 200],
    ['system:serviceaccount:default:bot', 'JTI', 403],
    ['system:anonymous', undefined, 403],
    [undefined, undefined, 401],
  ]);
  assert.equal(records[3]?.responseStatus.message, 'Unauthorized');
  const { jti } = JSON.parse(Buffer.from(status.token.split('.')[1] ?? '', 'base64url').toString()) as { jti: string };
  assert.deepEqual(records[1]?.user.extra?.[credential], [`JTI=${jti}`]);
  assert.ok(!lines.some((line) => line.includes(status.token) || line.includes('nonsense')));
});
