import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { planPageRewrite, rewriteLink, rewriteTags } from './rewrite-links.ts';

const site = { prefix: '/api/v1/namespaces/a/pods/web/proxy', host: '10.0.0.1:80' };

suite('links of proxied pages', () => {
  const links = [
    { name: 'from the root', given: '/a?b#c', want: `${site.prefix}/a?b#c` },
    { name: 'the root itself', given: '/', want: `${site.prefix}/` },
    { name: 'relative', given: 'a/b', want: 'a/b' },
    { name: 'to a part of the page', given: '#top', want: '#top' },
    { name: 'to another host', given: 'https://example.org/a', want: 'https://example.org/a' },
    { name: 'with the server’s own address', given: 'http://10.0.0.1:80/a', want: `${site.prefix}/a` },
    { name: 'through the proxy already', given: `${site.prefix}/a`, want: `${site.prefix}/a` },
    { name: 'no link', given: 'mailto:a@b', want: 'mailto:a@b' },
  ];
  for (const { name, given, want } of links) test(name, () => assert.equal(rewriteLink(given, site), want));

  test('in the attributes of tags only', () => {
    const page = `<A class="/x" HREF='/a'>/b</a><img src=/c> <script>if (a < "/d") x = '<i'</script><form action="/e" data-src="/f">`;
    const want = `<A class="/x" HREF='${site.prefix}/a'>/b</a><img src=${site.prefix}/c> <script>if (a < "/d") x = '<i'</script><form action="${site.prefix}/e" data-src="/f">`;
    assert.equal(rewriteTags(page, site), want);
  });
});

const answer = (headers: Record<string, string>, statusCode = 200) => ({ headers, statusCode });

test('a page in pieces, compressed', async () => {
  const plan = planPageRewrite(
    answer({ 'content-type': 'text/html; charset=utf-8', 'content-encoding': 'gzip', 'content-length': '9', etag: 'x' }),
    site,
  );
  assert.ok(plan);
  assert.deepEqual(plan.headers, { 'content-type': 'text/html; charset=utf-8', etag: 'x' });
  const [unzip, rewrite] = plan.steps;
  assert.ok(unzip && rewrite);
  unzip.pipe(rewrite);
  for (const byte of gzipSync('<p>ü</p><a title="a > b" href="/x">')) unzip.write(Buffer.of(byte));
  unzip.end();
  const text = Buffer.concat(await rewrite.toArray()).toString();
  assert.equal(text, `<p>ü</p><a title="a > b" href="${site.prefix}/x">`);
});

test('redirects are rewritten, other answers pass', () => {
  assert.equal(planPageRewrite(answer({ location: '/login' }, 302), site)?.headers.location, `${site.prefix}/login`);
  assert.equal(planPageRewrite(answer({ 'content-type': 'application/json' }), site), undefined);
});
