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

  test('names with scheme and port', () => {
    assert.deepEqual(parseProxyName('web', 'node'), { scheme: 'http', name: 'web', port: '' });
    assert.deepEqual(parseProxyName('web:80', 'node'), { scheme: 'http', name: 'web', port: '80' });
    assert.deepEqual(parseProxyName('https:web:', 'node'), { scheme: 'https', name: 'web', port: '' });
    assert.throws(() => parseProxyName('ftp:web:21', 'node'), /invalid node request/);
  });

  test('a node: its kubelet, or another of its ports', () => {
    const kubelet = { host: '127.0.0.1', port: 40_000, statedPort: 10_250, nodeName: 'node' };
    const target = (name: string) => nodeTarget(parseProxyName(name, 'node'), kubelet);
    const want = { isKubelet: true, protocol: 'https', host: '127.0.0.1', port: 40_000 };
    assert.deepEqual(['node', 'node:10250', 'https:node:'].map(target), [want, want, want]);
    assert.deepEqual(target('node:9100'), { isKubelet: false, protocol: 'http', host: '127.0.0.1', port: 9100 });
    assert.deepEqual(target('https:node:9100'), { isKubelet: false, protocol: 'https', host: '127.0.0.1', port: 9100 });
  });
});
