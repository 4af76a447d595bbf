/**
 * Identities that nobody may borrow: the server's own (the mechanism: a loopback token that other listeners take), and
 * those that a front proxy would vouch for in headers (the mechanism: one authority for clients and for front proxies).
 * There is no loopback token here, and no front proxy: neither a token nor a header makes anybody the one or the other.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Agent, request } from 'undici';
import { ServiceAccount } from '../../src/api/generated/kinds.ts';
import { realClock } from '../../src/client/clock.ts';
import { loopbackUser } from '../../src/control-plane/api-server/api-server.ts';
import { createAuthority } from '../../src/control-plane/pki/authority.ts';
import { type GuardedServer, startGuardedServer } from '../kit/guarded-server.ts';

let running: GuardedServer;
let token: string;
before(async () => {
  running = await startGuardedServer();
  const at = { name: 'bot', namespace: 'default' };
  await running.admin.create(ServiceAccount, { metadata: at });
  ({
    status: { token },
  } = await running.admin.post<{ status: { token: string } }>(ServiceAccount, at, 'token', { spec: {} }));
});
after(() => running[Symbol.asyncDispose]());

const whoAmI = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
interface Review {
  readonly status: { readonly userInfo: { readonly username: string; readonly groups: readonly string[] } };
}

describe('headers of a front proxy', () => {
  const headers = {
    'x-remote-user': loopbackUser.name,
    'x-remote-group': 'system:masters',
    'x-remote-uid': '1',
    'x-remote-extra-scopes': 'all',
    'x-forwarded-user': 'admin',
  };
  it('change nothing for an account', async () => {
    const { text } = await running.ask(whoAmI, { body: {}, token, headers });
    const { username, groups } = (JSON.parse(text) as Review).status.userInfo;
    assert.equal(username, 'system:serviceaccount:default:bot');
    assert.ok(!groups.includes('system:masters'));
  });
  it('change nothing for a client with a certificate', async () => {
    const { certPem: cert, keyPem: key } = await running.pki.certificate('front', { commonName: 'front-proxy-client', usages: ['client'] });
    const agent = new Agent({ connect: { ca: running.pki.authority.certPem, cert, key } });
    const answer = await request(`https://127.0.0.1:${running.port}${whoAmI}`, {
      method: 'POST',
      body: '{}',
      dispatcher: agent,
      headers: { 'content-type': 'application/json', ...headers },
    });
    const { username, groups } = ((await answer.body.json()) as Review).status.userInfo;
    await agent.destroy();
    assert.equal(username, 'front-proxy-client');
    assert.ok(!groups.includes('system:masters'));
  });
  it('make nobody somebody', async () => {
    const { code } = await running.ask('/api/v1/secrets', { token: '', headers });
    assert.equal(code, 403);
  });
});

describe("the server's own identity", () => {
  it('is behind no token', async () => {
    for (const given of ['loopback', loopbackUser.name, '00000000-0000-0000-0000-000000000000', 'system:apiserver:system:masters']) {
      assert.equal((await running.ask('/api/v1/secrets', { token: given })).code, 401);
    }
  });
  it('is behind no certificate of another authority', async () => {
    const stranger = await createAuthority({ commonName: 'kubernetes', clock: realClock });
    const { certPem: cert, keyPem: key } = await stranger.issue({
      commonName: loopbackUser.name,
      organizations: ['system:masters'],
      usages: ['client'],
    });
    const agent = new Agent({ connect: { ca: running.pki.authority.certPem, cert, key } });
    const answer = await request(`https://127.0.0.1:${running.port}/api/v1/secrets`, { dispatcher: agent }).catch(() => undefined);
    assert.ok(answer === undefined || answer.statusCode === 401 || answer.statusCode === 403);
    await agent.destroy();
  });
  it('is not impersonated without the right to', async () => {
    const headers = { 'impersonate-user': loopbackUser.name, 'impersonate-group': 'system:masters' };
    assert.equal((await running.ask('/api/v1/secrets', { token, headers })).code, 403);
  });
});
