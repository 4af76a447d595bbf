/**
 * What a Go client (kubectl) hears of a write that is refused before its body is read, over HTTP/2: why, and no word of a
 * broken stream.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findKubectl } from '../../src/cli/commands/kubectl.ts';
import { startCluster } from '../../src/cluster/start-cluster.ts';

const large = 'x'.repeat(900_000);
const rows: readonly { readonly name: string; readonly words: readonly string[]; readonly input?: string; readonly want: RegExp }[] = [
  {
    name: 'a create without the right (403)',
    words: ['create', 'configmap', 'b', '--from-literal=a=b', '--as', 'bob'],
    want: /^error: failed to create configmap: configmaps is forbidden: User "bob" cannot create resource "configmaps"/,
  },
  {
    name: 'a large one (403)',
    words: ['create', '--as', 'bob', '--validate=false', '-f', '-'],
    input: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b' }, data: { large } }),
    want: /configmaps is forbidden: User "bob" cannot create/,
  },
  {
    name: 'a delete with its options (403)',
    words: ['delete', 'configmap', 'kube-root-ca.crt', '--as', 'bob'],
    want: /configmaps "kube-root-ca.crt" is forbidden: User "bob" cannot delete/,
  },
  {
    name: 'a body for a path that is not there (404)',
    words: ['create', '--raw', '/apis/x.y/v1/foos', '-f', '-'],
    input: '{}',
    want: /the server could not find the requested resource/,
  },
];

test('kubectl hears why a write is refused', async (t) => {
  const kubectl = (await findKubectl()) ?? assert.fail('no kubectl');
  await using cluster = await startCluster({ nodes: 0, simulated: 0 });
  const dir = mkdtempSync(join(tmpdir(), 'timonier-refused-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const kubeconfig = join(dir, 'kubeconfig');
  writeFileSync(kubeconfig, cluster.kubeconfig);
  for (const { name, words, input, want } of rows) {
    await t.test(name, async () => {
      const stderr = await new Promise<string>((resolve) => {
        const child = execFile(kubectl, ['--kubeconfig', kubeconfig, ...words], (_error, _stdout, text) => resolve(text));
        child.stdin?.end(input ?? '');
      });
      assert.match(stderr, want);
    });
  }
});
