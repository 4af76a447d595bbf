import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInRegistry } from '../../../api/kinds/all.ts';
import { ApiRequest } from './api-request.ts';
import type { RequestOptions } from './request.ts';

const configMaps = builtInRegistry().current.byResource('', 'v1', 'configmaps') ?? assert.fail();

function request(given: { userAgent?: string; options?: RequestOptions; verb?: string; name?: string } = {}) {
  const { userAgent, options, verb = 'update', name } = given;
  const source = { id: '1', sourceIPs: [], userAgent, signal: AbortSignal.abort(), why: () => undefined, warn: () => undefined };
  const target = { type: 'resource' as const, kind: configMaps, namespace: 'n', name, subresource: undefined, answeredBy: undefined };
  return new ApiRequest({ source, startMs: 0, verb, target, options });
}

const managers: readonly { name: string; userAgent?: string; options?: RequestOptions; want: string }[] = [
  { name: 'what the request says', userAgent: 'kubectl/v1.36.3', options: { fieldManager: 'me' }, want: 'me' },
  { name: 'the first part of the agent', userAgent: 'kubectl/v1.36.3 (linux/amd64)', want: 'kubectl' },
  { name: 'an agent without a version', userAgent: 'a b', want: 'a b' },
  { name: 'what can not be printed is left out', userAgent: 'a\u0007\u00a0\u200bb', want: 'ab' },
  { name: 'cut at whole characters', userAgent: `${'a'.repeat(127)}ü`, want: 'a'.repeat(127) },
  {
    name: 'a component of this cluster by what it is called everywhere',
    userAgent: 'timonier/system:kube-scheduler',
    want: 'kube-scheduler',
  },
  { name: 'a node’s', userAgent: 'timonier/system:node:a', want: 'kubelet' },
  { name: 'a controller', userAgent: 'timonier/system:serviceaccount:kube-system:job-controller', want: 'kube-controller-manager' },
  { name: 'the server', userAgent: 'timonier/system:apiserver', want: 'kube-apiserver' },
  { name: 'another of this program', userAgent: 'timonier/jane', want: 'timonier' },
  { name: 'nothing known', want: '' },
];
for (const { name, want, ...given } of managers) test(`field manager: ${name}`, () => assert.equal(request(given).fieldManager, want));

const uris = [
  { given: { verb: 'get', name: 'a' }, want: '/api/v1/namespaces/n/configmaps/a' },
  { given: { verb: 'watch', options: { limit: 5 } }, want: '/api/v1/namespaces/n/configmaps?watch=true&limit=5' },
  { given: { verb: 'create', options: { dryRun: ['All'] } }, want: '/api/v1/namespaces/n/configmaps?dryRun=All' },
];
for (const { given, want } of uris) test(`in process a request has the URL ${want}`, () => assert.equal(request(given).uri, want));

test('an annotation is kept once, and there are not too many', () => {
  const noted = request();
  noted.annotate('__proto__', 'a');
  noted.annotate('__proto__', 'b');
  for (let i = 0; i < 100; i++) noted.annotate(`k${i}`, 'v');
  assert.deepEqual(Object.entries(noted.annotations ?? {})[0], ['__proto__', 'a']);
  assert.equal(Object.keys(noted.annotations ?? {}).length, 64);
});

test('aimed at another target it stays the same request', () => {
  const whole = request({ userAgent: 'x/1', options: { dryRun: ['All'] } });
  const one = whole.aimedAt({ ...whole.target, name: 'a' });
  assert.deepEqual([one.id, one.target.name, one.userAgent, one.dryRun], ['1', 'a', 'x/1', true]);
});
