import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HealthCheck, type HealthListener, healthEndpoint, healthPaths, pingCheck, runAll } from './health.ts';
import { HealthRecord } from './health-record.ts';

const checks: readonly HealthCheck[] = [
  pingCheck,
  { name: 'etcd', of: healthPaths, check: () => undefined },
  { name: 'poststarthook/rbac/bootstrap-roles', of: ['readyz'], check: () => Promise.reject(new Error('not yet')) },
];

const rows: readonly { path: string; query?: string; want: string }[] = [
  { path: '/livez', want: '200 ok' },
  { path: '/livez', query: 'verbose', want: '200 [+]ping ok\n[+]etcd ok\nlivez check passed\n' },
  {
    path: '/livez',
    query: 'exclude=nope&exclude=etcd&verbose',
    want: '200 [+]ping ok\n[+]etcd excluded: ok\nwarn: some health checks cannot be excluded: no matches for "nope"\nlivez check passed\n',
  },
  {
    path: '/readyz',
    want: '500 [+]ping ok\n[+]etcd ok\n[-]poststarthook/rbac/bootstrap-roles failed: reason withheld\nreadyz check failed\n',
  },
  { path: '/readyz', query: 'exclude=poststarthook/rbac/bootstrap-roles', want: '200 ok' },
  { path: '/livez/ping', want: '200 ok' },
  { path: '/livez/nope', want: '404 404 page not found\n' },
  {
    path: '/readyz/poststarthook/rbac/bootstrap-roles',
    want: '500 internal server error: poststarthook/rbac/bootstrap-roles check failed\n',
  },
];

test('health checks', async () => {
  const failures: string[] = [];
  const record = new HealthRecord();
  const listener: HealthListener = {
    failed: (name) => failures.push(name),
    checked: (...result) => record.observe(...result),
  };
  for (const { path, query = '', want } of rows) {
    const which = path.split('/')[1] as (typeof healthPaths)[number];
    const endpoint = healthEndpoint(which, checks, listener);
    const target = { type: 'nonResource' as const, method: 'GET', path, query: new URLSearchParams(query), headers: {} };
    const { status, body } = await endpoint.handle(target, { user: { name: 'me', groups: [] } });
    assert.equal(`${status} ${String(body)}`, want);
  }
  assert.deepEqual(failures, ['poststarthook/rbac/bootstrap-roles', 'poststarthook/rbac/bootstrap-roles']);
  const metrics = record.render();
  assert.match(metrics, /^kubernetes_healthcheck\{name="etcd",type="livez"\} 1$/m);
  assert.match(metrics, /^kubernetes_healthcheck\{name="poststarthook\/rbac\/bootstrap-roles",type="readyz"\} 0$/m);
  assert.match(metrics, /^kubernetes_healthchecks_total\{name="ping",status="success",type="livez"\} 4$/m);
  assert.match(metrics, /^kubernetes_healthchecks_total\{name="poststarthook\/rbac\/bootstrap-roles",status="error",type="readyz"\} 2$/m);
});

test('checks that nobody has asked for yet are run for their metrics', async () => {
  const record = new HealthRecord();
  await runAll(checks, { failed: () => undefined, checked: (...result) => record.observe(...result) });
  const series = record
    .render()
    .split('\n')
    .filter((line) => line.startsWith('kubernetes_healthcheck{'));
  assert.deepEqual(
    series.map((line) => line.replace(/^.*name="([^"]+)",type="([^"]+)"} /, '$2 $1 ')),
    [
      ...['healthz', 'livez', 'readyz'].map((path) => `${path} etcd 1`),
      ...['healthz', 'livez', 'readyz'].map((path) => `${path} ping 1`),
      'readyz poststarthook/rbac/bootstrap-roles 0',
    ],
  );
});
