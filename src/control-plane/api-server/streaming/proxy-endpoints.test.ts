import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { backendPath, nodeTarget, parseProxyName } from './proxy-endpoints.ts';

suite('proxy', () => {
  const paths: readonly { name: string; rest: string; url: string; query?: string; want: string }[] = [
    { name: 'the root', rest: '', url: '/p/proxy/', want: '/' },
    { name: 'below it', rest: '/a/b', url: '/p/proxy/a/b', want: '/a/b' },
    { name: 'a folder', rest: '/a', url: '/p/proxy/a/?x=1', query: 'x=1', want: '/a/?x=1' },
    { name: 'what needs encoding', rest: '/a b/c?d#e/ü', url: '/p/proxy/a%20b/c%3Fd%23e/%C3%BC', want: '/a%20b/c%3Fd%23e/%C3%BC' },
    { name: 'a query only', rest: '', url: '/p/proxy?x=1', query: 'x=1', want: '/?x=1' },
  ];
  for (const { name, rest, url, query = '', want } of paths) {
    test(name, () => assert.equal(backendPath({ rest, query: new URLSearchParams(query), url }), want));
  }

  const names: readonly { name: string; want: unknown }[] = [
    { name: 'web', want: { scheme: 'http', name: 'web', port: '' } },
    { name: 'web:80', want: { scheme: 'http', name: 'web', port: '80' } },
    { name: 'https:web:', want: { scheme: 'https', name: 'web', port: '' } },
    { name: ':web:80', want: { scheme: 'http', name: 'web', port: '80' } },
    ...['ftp:web:21', ':80', 'http::80', '', 'a:b:c:d'].map((name) => ({ name, want: `invalid node request ${JSON.stringify(name)}` })),
  ];
  for (const { name, want } of names) {
    test(`the name ${JSON.stringify(name)}`, () => {
      if (typeof want === 'string') assert.throws(() => parseProxyName(name, 'node'), { message: want, code: 400 });
      else assert.deepEqual(parseProxyName(name, 'node'), want);
    });
  }

  test('a node: its kubelet, or another of its ports', () => {
    const backend = { protocol: 'https', host: '127.0.0.1', port: 40_000, kubeletOf: 'node', isInProcess: true } as const;
    const target = (name: string) => nodeTarget(parseProxyName(name, 'node'), { ...backend, statedPort: 10_250 });
    assert.deepEqual(['node', 'node:10250', 'https:node:'].map(target), [backend, backend, backend]);
    assert.deepEqual(target('node:9100'), { protocol: 'http', host: '127.0.0.1', port: 9100 });
    assert.deepEqual(target('https:node:9100'), { protocol: 'https', host: '127.0.0.1', port: 9100 });
    for (const port of ['http', '1e3', '-1', '0x50', ' 80']) assert.throws(() => target(`node:${port}`), { code: 400 });
  });
});
