/** CVE-2024-40635: runtimes keep 32 bits of an image's user, so that a huge number is root. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ImageUser, verifyNonRoot } from '../../src/node/kubelet/container/security-context.ts';
import { container, testPod } from '../kit/test-pods.ts';

describe('runAsNonRoot', () => {
  const rows: readonly { readonly user: ImageUser; readonly want?: RegExp }[] = [
    { user: { uid: 1000, username: '' } },
    { user: { uid: 2 ** 31 - 1, username: '' } },
    { user: { uid: 0, username: '' }, want: /will run as root/ },
    { user: { uid: 2 ** 31, username: '' }, want: /out of range/ },
    { user: { uid: 2 ** 32, username: '' }, want: /out of range/ },
    { user: { uid: 2 ** 33 + 5, username: '' }, want: /out of range/ },
    { user: { uid: 2 ** 63, username: '' }, want: /out of range/ },
    { user: { uid: -1, username: '' }, want: /out of range/ },
    { user: { username: '99999999999999999999' }, want: /non-numeric user/ },
    { user: { username: 'root' }, want: /non-numeric user/ },
  ];
  const main = container('main', { securityContext: { runAsNonRoot: true } });
  for (const { user, want } of rows) {
    test(`${user.uid ?? user.username} ${want ? 'is refused' : 'may run'}`, () => {
      const verify = (): void => verifyNonRoot(testPod(), main, user);
      if (want) assert.throws(verify, want);
      else assert.doesNotThrow(verify);
    });
  }
  test('a number of the pod’s own stands over the image', () => {
    const own = container('main', { securityContext: { runAsNonRoot: true, runAsUser: 5 } });
    assert.doesNotThrow(() => verifyNonRoot(testPod(), own, { uid: 2 ** 32, username: '' }));
  });
});
