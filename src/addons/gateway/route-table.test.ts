import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { normalPath, writePath } from './path.ts';
import { type Matched, PathTooLong, RouteTable } from './route-table.ts';

type Row = Matched & { readonly id: string };
const route = (text: string): Row => {
  const [host = '', type = '', path = '/'] = text.split(' ');
  const match = type === 'last' ? { type } : { type: type as 'exact' | 'prefix' | 'pattern', path };
  return { id: text, host: host === '-' ? '' : host, match: match as Row['match'] };
};

const rows: readonly { name: string; routes: string[]; asked: Readonly<Record<string, string | undefined>> }[] = [
  {
    name: 'an exact path before a prefix, a longer prefix before a shorter one',
    routes: ['a.b prefix /', 'a.b prefix /foo', 'a.b exact /foo', 'a.b prefix /foo/bar/'],
    asked: {
      'a.b /': 'a.b prefix /',
      'a.b /foo': 'a.b exact /foo',
      'a.b /foo/': 'a.b prefix /foo',
      'a.b /foo/x': 'a.b prefix /foo',
      'a.b /foo/bar': 'a.b prefix /foo/bar/',
      'a.b /foo/bar/z': 'a.b prefix /foo/bar/',
    },
  },
  {
    name: 'prefixes by whole segments, in their own case',
    routes: ['a.b prefix /aaa/bb', 'a.b exact /x/'],
    asked: {
      'a.b /aaa/bbb': undefined,
      'a.b /aaa/bb': 'a.b prefix /aaa/bb',
      'a.b /aaa/bb/c': 'a.b prefix /aaa/bb',
      'a.b /AAA/bb': undefined,
      'a.b /x': undefined,
      'a.b /x/': 'a.b exact /x/',
    },
  },
  {
    name: 'a host before its wildcard, that before every host; a wildcard is one label',
    routes: ['- prefix /', '*.foo.com prefix /', 'a.foo.com prefix /only'],
    asked: {
      'a.foo.com /only': 'a.foo.com prefix /only',
      'a.foo.com /x': '*.foo.com prefix /',
      'b.foo.com /': '*.foo.com prefix /',
      'foo.com /': '- prefix /',
      'a.b.foo.com /': '- prefix /',
    },
  },
  {
    name: 'what nothing takes goes to the last resort, of the host first',
    routes: ['a.b prefix /foo', 'a.b last', '- last'],
    asked: { 'a.b /': 'a.b last', 'a.b /foo': 'a.b prefix /foo', 'c.d /': '- last' },
  },
  {
    name: 'patterns in any case from the start of the path, the longer first',
    routes: ['a.b pattern /api(/|$)(.*)', 'a.b pattern /api/v2(/|$)(.*)', 'a.b prefix /'],
    asked: {
      'a.b /API/x': 'a.b pattern /api(/|$)(.*)',
      'a.b /api/v2/x': 'a.b pattern /api/v2(/|$)(.*)',
      'a.b /x/api/': 'a.b prefix /',
      'a.b /apis': 'a.b prefix /',
    },
  },
  { name: 'nothing', routes: ['a.b exact /x'], asked: { 'a.b /': undefined, 'x /x': undefined, ' /x': undefined } },
];

describe('a route table', () => {
  for (const { name, routes, asked } of rows)
    it(name, () => {
      const table = new RouteTable(routes.map(route));
      const got = Object.keys(asked).map((text) => {
        const [host = '', path = ''] = text.split(' ');
        return [text, table.find(host, path)?.route.id];
      });
      assert.deepEqual(got, Object.entries(asked));
    });

  it('captures what a pattern names', () => {
    const table = new RouteTable([route('a.b pattern /api(/|$)(.*)')]);
    assert.deepEqual(table.find('a.b', '/api/x/y')?.groups, ['/api/x/y', '/', 'x/y']);
  });

  it('gives a path to the first, and says whose the others are', () => {
    const first = route('a.b prefix /foo');
    const table = new RouteTable([first, route('a.b prefix /foo/'), route('a.b exact /foo'), route('a.b last'), route('a.b last')]);
    assert.equal(table.find('a.b', '/foo/x')?.route, first);
    assert.deepEqual(
      table.conflicts.map(({ loser, winner }) => [loser.id, winner.id]),
      [
        ['a.b prefix /foo/', 'a.b prefix /foo'],
        ['a.b last', 'a.b last'],
      ],
    );
  });

  const slow = (n: number): string => `/(?:(?:a?){${n}}){2}b`;
  it('has no more patterns than a host may have, and serves the first', () => {
    const routes = [
      ...Array.from({ length: 100 }, (_, i) => route(`a.b pattern ${slow(49)}${i}`)),
      route('c.d pattern /(?:(?:a?){490}){2}b'),
    ];
    const { refused } = new RouteTable(routes);
    assert.deepEqual(
      refused.map(({ id }) => id),
      routes.slice(4).map(({ id }) => id),
    );
  });

  it('takes some 20 ms at most for a request, whoever wrote the patterns', () => {
    const table = new RouteTable(
      ['a.b', '*.b', '-'].flatMap((host) => Array.from({ length: 100 }, (_, i) => route(`${host} pattern ${slow(49)}${i}`))),
    );
    for (const length of [300, 3000, 60_000]) {
      const path = `/${'a'.repeat(length)}`;
      assert.throws(() => table.find('a.b', path), PathTooLong); // compiled now
      const since = process.cpuUsage();
      for (let i = 0; i < 5; i++) assert.throws(() => table.find('a.b', path), PathTooLong);
      const { user } = process.cpuUsage(since);
      assert.ok(user / 5 < 100_000, `${user / 5} µs`);
    }
  });

  it('does not care how many segments a path has', () => {
    const table = new RouteTable([route('a.b prefix /a/b')]);
    assert.equal(table.find('a.b', '/'.repeat(60_000)), undefined);
    assert.equal(table.find('a.b', `/a/b${'/c'.repeat(30_000)}`)?.route.id, 'a.b prefix /a/b');
  });
});

describe('a path', () => {
  for (const [written, want] of Object.entries({
    '/': '/',
    '/a/b/': '/a/b/',
    '/a//b': '/a/b',
    '/a/./b/.': '/a/b/',
    '/public/../admin': '/admin',
    '/public/..%2fadmin': '/admin',
    '/public/%2e%2E/admin': '/admin',
    '/../..': '/',
    '/a%20b%25': '/a b%',
    '/%C3%A4': '/ä',
    '/%E4': '/ä',
    '/a%': undefined,
    '/a%zz': undefined,
    '/a%00': undefined,
    a: undefined,
    '': undefined,
  }))
    it(`${written || 'nothing'} is ${want ?? 'none'}`, () => assert.equal(normalPath(written), want));

  it('that a rewrite made is written for the wire', () => assert.equal(writePath('/a b?#%\n'), '/a%20b%3F%23%25%0A'));
});
