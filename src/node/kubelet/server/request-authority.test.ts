import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, test } from 'node:test';
import type { Client } from '../../../client/client.ts';
import { VirtualClock } from '../../../client/virtual-clock.ts';
import { RequestAuthority } from './request-authority.ts';

interface Reviewed {
  readonly spec: {
    readonly token?: string;
    readonly user?: string;
    readonly resourceAttributes?: { readonly subresource: string; readonly verb: string };
  };
}

/** Knows one token, and lets alice see stats only. */
function setUp() {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const client = {
    create: async (kind: { readonly kind: string }, { spec }: Reviewed) => {
      const { token, user, resourceAttributes } = spec;
      asked.push(`${kind.kind} ${token ?? `${user} ${resourceAttributes?.verb} ${resourceAttributes?.subresource}`}`);
      if (kind.kind === 'TokenReview')
        return { status: token === 'good' ? { authenticated: true, user: { username: 'alice', groups: ['g'] } } : {} };
      return { status: { allowed: user === 'alice' && resourceAttributes?.subresource === 'stats' } };
    },
  } as unknown as Client;
  const authority = new RequestAuthority({ client, clock, nodeName: 'n1' });
  const request = (more: { readonly authorization?: string; readonly subject?: unknown; readonly authorized?: boolean } = {}) =>
    ({
      method: 'GET',
      headers: { ...(more.authorization && { authorization: more.authorization }) },
      socket: { authorized: more.authorized ?? false, getPeerCertificate: () => ({ subject: more.subject }) },
    }) as unknown as IncomingMessage;
  return { clock, asked, authority, request };
}

describe('RequestAuthority', () => {
  test('a certificate of the authority names user and groups', async () => {
    const { authority, request } = setUp();
    const subject = { CN: 'bob', O: ['a', 'b'] };
    assert.deepEqual(await authority.authenticate(request({ subject, authorized: true })), {
      name: 'bob',
      groups: ['a', 'b', 'system:authenticated'],
    });
    assert.equal(await authority.authenticate(request({ subject })), undefined);
  });
  test('a token is reviewed, and remembered for two minutes', async () => {
    const { authority, request, asked, clock } = setUp();
    const ask = (token: string) => authority.authenticate(request({ authorization: `Bearer ${token}` }));
    assert.deepEqual(await ask('good'), { name: 'alice', groups: ['g'], uid: undefined });
    assert.equal(await ask('bad'), undefined);
    await ask('good');
    assert.deepEqual(asked, ['TokenReview good', 'TokenReview bad']);
    await clock.advance(120_000);
    await ask('good');
    assert.equal(asked.length, 3);
    assert.equal(await authority.authenticate(request()), undefined);
  });
  test('what may be done is reviewed, and remembered', async () => {
    const { authority, asked, clock } = setUp();
    const alice = { name: 'alice', groups: [] };
    assert.equal(await authority.allows(alice, 'get', '/stats/summary'), true);
    assert.equal(await authority.allows(alice, 'get', '/stats/summary'), true);
    assert.equal(await authority.allows(alice, 'get', '/pods'), false);
    assert.deepEqual(asked, [
      'SubjectAccessReview alice get stats',
      'SubjectAccessReview alice get pods',
      'SubjectAccessReview alice get proxy',
    ]);
    await clock.advance(30_000);
    await authority.allows(alice, 'get', '/pods');
    assert.equal(asked.length, 5);
  });
});
