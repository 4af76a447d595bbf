import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestAttributes } from '../request/request.ts';
import { type AuditPolicy, chooseAudit, parseAuditPolicy } from './audit-policy.ts';

type Rule = Partial<AuditPolicy['rules'][number]>;
const user = { name: 'jane', groups: ['devs', 'system:authenticated'] };
const pods = { group: '', version: 'v1', resource: 'pods', namespace: 'a', name: 'p' };
const ask = (verb: string, resource: Partial<typeof pods> & { subresource?: string } = {}): RequestAttributes => ({
  user,
  verb,
  path: '',
  resource: { ...pods, ...resource },
});
const node = { group: '', version: 'v1', resource: 'nodes', namespace: undefined, name: 'n' };
const path = (text: string): RequestAttributes => ({ user, verb: 'get', path: text });

const rows: readonly { name: string; rule: Rule; given?: RequestAttributes; want: boolean }[] = [
  { name: 'a rule without conditions', rule: {}, want: true },
  { name: 'a path for a rule without conditions', rule: {}, given: path('/metrics'), want: true },
  { name: 'empty lists', rule: { users: [], verbs: [], resources: [], namespaces: [] }, want: true },
  { name: 'the user', rule: { users: ['john', 'jane'] }, want: true },
  { name: 'another user', rule: { users: ['john'] }, want: false },
  { name: 'one of the groups', rule: { userGroups: ['ops', 'devs'] }, want: true },
  { name: 'other groups', rule: { userGroups: ['ops'] }, want: false },
  { name: 'the verb', rule: { verbs: ['list', 'get'] }, want: true },
  { name: 'another verb', rule: { verbs: ['list'] }, want: false },
  { name: 'the namespace', rule: { namespaces: ['a'] }, want: true },
  { name: 'another namespace', rule: { namespaces: ['b'] }, want: false },
  {
    name: 'no namespace is the empty text',
    rule: { namespaces: [''] },
    given: { user, verb: 'get', path: '', resource: node },
    want: true,
  },
  { name: 'a path is in no namespace', rule: { namespaces: [''] }, given: path('/metrics'), want: false },
  { name: 'the core group is the empty text', rule: { resources: [{ group: '' }] }, want: true },
  { name: 'another group', rule: { resources: [{ group: 'apps' }] }, want: false },
  { name: 'every group', rule: { resources: [{ group: '*' }] }, want: true },
  { name: 'the resource', rule: { resources: [{ resources: ['pods'] }] }, want: true },
  {
    name: 'a subresource is not its resource',
    rule: { resources: [{ resources: ['pods'] }] },
    given: ask('get', { subresource: 'log' }),
    want: false,
  },
  { name: 'the subresource', rule: { resources: [{ resources: ['pods/log'] }] }, given: ask('get', { subresource: 'log' }), want: true },
  { name: 'each subresource', rule: { resources: [{ resources: ['pods/*'] }] }, given: ask('get', { subresource: 'log' }), want: true },
  { name: 'pods/* is pods too, as upstream has it', rule: { resources: [{ resources: ['pods/*'] }] }, want: true },
  {
    name: 'one subresource of all',
    rule: { resources: [{ resources: ['*/log'] }] },
    given: ask('get', { subresource: 'log' }),
    want: true,
  },
  {
    name: 'another subresource of all',
    rule: { resources: [{ resources: ['*/scale'] }] },
    given: ask('get', { subresource: 'log' }),
    want: false,
  },
  { name: 'everything', rule: { resources: [{ resources: ['*'] }] }, given: ask('get', { subresource: 'log' }), want: true },
  { name: 'the name', rule: { resources: [{ resources: ['pods'], resourceNames: ['p'] }] }, want: true },
  { name: 'another name', rule: { resources: [{ resources: ['pods'], resourceNames: ['q'] }] }, want: false },
  { name: 'a resource is no path', rule: { nonResourceURLs: ['*'] }, want: false },
  { name: 'the path', rule: { nonResourceURLs: ['/metrics'] }, given: path('/metrics'), want: true },
  { name: 'below it', rule: { nonResourceURLs: ['/healthz*'] }, given: path('/healthz/etcd'), want: true },
  { name: 'not below it', rule: { nonResourceURLs: ['/healthz*'] }, given: path('/metrics'), want: false },
  { name: 'every path', rule: { nonResourceURLs: ['*'] }, given: path('/x'), want: true },
  { name: 'a path is no resource', rule: { resources: [{ group: '*' }] }, given: path('/x'), want: false },
];
for (const { name, rule, given = ask('get'), want } of rows) {
  test(`does the rule concern it? ${name}`, () => {
    assert.equal(chooseAudit({ rules: [{ level: 'Metadata', ...rule }] }, given) !== undefined, want);
  });
}

test('the first rule decides, also that nothing is kept; what none concerns is not kept', () => {
  const rules = [{ level: 'None', verbs: ['watch'] }, { level: 'Request', users: ['jane'] }, { level: 'Metadata' }] as const;
  assert.equal(chooseAudit({ rules }, ask('watch')), undefined);
  assert.equal(chooseAudit({ rules }, ask('get'))?.level, 'Request');
  assert.equal(chooseAudit({ rules: [] }, ask('get')), undefined);
});

test('stages are left out by the policy and the rule together, managed fields by the rule if it says so', () => {
  const policy = { omitStages: ['RequestReceived'], omitManagedFields: true } as const;
  const rule = { level: 'Request', omitStages: ['Panic'], omitManagedFields: false } as const;
  const want = { level: 'Request', omitStages: ['RequestReceived', 'Panic'], omitManagedFields: false };
  assert.deepEqual(chooseAudit({ ...policy, rules: [rule] }, ask('get')), want);
  assert.equal(chooseAudit({ ...policy, rules: [{ level: 'Request' }] }, ask('get'))?.omitManagedFields, true);
});

const type = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy' };
const problems: readonly { given: unknown; want: string }[] = [
  { given: 'x', want: 'the policy is not a map of fields' },
  { given: { rules: [{ level: 'None' }] }, want: 'it is not a Policy of audit.k8s.io/v1' },
  { given: { ...type, apiVersion: 'audit.k8s.io/v1beta1', rules: [{ level: 'None' }] }, want: 'it is not a Policy of audit.k8s.io/v1' },
  { given: type, want: 'rules: there is none' },
  { given: { ...type, rules: [{ level: 'None', userGroup: ['a'] }] }, want: 'rules[0].userGroup is no field of a policy' },
  { given: { ...type, rules: [{ level: 'None', users: 'a' }] }, want: 'rules[0].users is not a list of texts' },
  { given: { ...type, rules: [{ level: 'All' }] }, want: 'rules[0].level "All" is none of None, Metadata, Request, RequestResponse' },
  { given: { ...type, rules: [{}] }, want: 'rules[0].level "" is none of None, Metadata, Request, RequestResponse' },
  {
    given: { ...type, omitStages: ['Received'], rules: [{ level: 'None' }] },
    want: 'omitStages: "Received" is none of RequestReceived, ResponseStarted, ResponseComplete, Panic',
  },
  { given: { ...type, rules: [{ level: 'None', nonResourceURLs: ['x'] }] }, want: 'rules[0].nonResourceURLs[0] does not begin with /' },
  {
    given: { ...type, rules: [{ level: 'None', nonResourceURLs: ['/*/x'] }] },
    want: 'rules[0].nonResourceURLs[0] has a * that is not its end',
  },
  {
    given: { ...type, rules: [{ level: 'None', resources: [{ group: 'apps/v1' }] }] },
    want: 'rules[0].resources[0].group "apps/v1" is no API group (it has no version)',
  },
  {
    given: { ...type, rules: [{ level: 'None', resources: [{ resourceNames: ['a'] }] }] },
    want: 'rules[0].resources[0].resourceNames needs resources',
  },
  {
    given: { ...type, rules: [{ level: 'None', nonResourceURLs: ['/x'], namespaces: ['a'] }] },
    want: 'rules[0] is for resources and for nonResourceURLs',
  },
];
for (const { given, want } of problems)
  test(`a policy is refused: ${want}`, () => assert.throws(() => parseAuditPolicy(given), { message: want }));
