/** What requests are counted under: a bounded number of names, whatever clients ask for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInRegistry } from '../../../api/kinds/all.ts';
import { ApiRequest, type BackendTarget, type RequestSource, type Target } from '../request/api-request.ts';
import { metricSubjectOf } from './request-metrics.ts';

const kind = builtInRegistry().current.byResource('', 'v1', 'pods') ?? assert.fail();
const pod = { type: 'resource', kind, namespace: 'n', name: 'p', subresource: undefined, answeredBy: undefined } as const;
const madeUp = { group: 'made.up', version: 'v7', resource: 'things', subresource: 'more', namespace: 'n', name: 'x' };
const backend = { group: 'a.io', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 };

const rows: readonly { name: string; target: Target; verb?: string; want: string }[] = [
  { name: 'an object', target: pod, want: 'GET  v1 pods  resource' },
  { name: 'a subresource', target: { ...pod, subresource: 'status' }, verb: 'update', want: 'PUT  v1 pods status resource' },
  { name: 'a subresource that is not there', target: { ...pod, subresource: 'made-up' }, want: 'GET  v1 pods  resource' },
  { name: 'a namespace', target: { ...pod, name: undefined }, verb: 'create', want: 'POST  v1 pods  namespace' },
  { name: 'a resource that is not there', target: { type: 'unserved', resource: madeUp, isInBuiltInGroup: false }, want: 'GET     ' },
  {
    name: 'what another server has, or not',
    target: { type: 'backend', backend, resource: madeUp } as BackendTarget,
    want: 'GET a.io v1   ',
  },
  {
    name: 'a path',
    target: { type: 'nonResource', method: 'GET', path: '/made/up', query: new URLSearchParams(), headers: {} },
    want: 'GET     ',
  },
];
for (const { name, target, verb = 'get', want } of rows) {
  test(`counted as: ${name}`, () => {
    const subject = metricSubjectOf(new ApiRequest({ source: {} as RequestSource, startMs: 0, verb, target }));
    const { group, version, resource, subresource, scope } = subject;
    assert.equal([subject.verb, group, version, resource, subresource, scope].join(' '), want);
  });
}
