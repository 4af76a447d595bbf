/** What a DELETE may say, in its query or its body: upstream's handlers/delete.go looks at one of the two. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ConfigMap } from '../../src/api/generated/kinds.ts';
import { type GuardedServer, startGuardedServer } from '../kit/guarded-server.ts';

const place = '/api/v1/namespaces/default/configmaps';
let running: GuardedServer;
before(async () => {
  running = await startGuardedServer();
});
after(() => running[Symbol.asyncDispose]());

const rows: readonly { name: string; query: string; body?: object; code: number; stays: boolean; message?: RegExp }[] = [
  { name: 'nothing', query: '', code: 200, stays: false },
  {
    name: 'another uid',
    query: '?uid=zz',
    code: 409,
    stays: true,
    message: /the UID in the precondition \(zz\) does not match the UID in record/,
  },
  {
    name: 'another revision',
    query: '?resourceVersion=1',
    code: 409,
    stays: true,
    message: /the ResourceVersion in the precondition \(1\)/,
  },
  { name: 'a dry run', query: '?dryRun=All', code: 200, stays: true },
  { name: 'a dry run in the body', query: '', body: { dryRun: ['All'] }, code: 200, stays: true },
  { name: 'a body beside a dry run', query: '?dryRun=All', body: { propagationPolicy: 'Background' }, code: 200, stays: false },
  { name: 'a body beside another uid', query: '?uid=zz&dryRun=Bog', body: { propagationPolicy: 'Background' }, code: 200, stays: false },
  { name: 'a bad dry run', query: '?dryRun=Bog', code: 422, stays: true },
];
for (const [i, { name, query, body, code, stays, message }] of rows.entries()) {
  test(`a DELETE with ${name}`, async () => {
    const at = { name: `x${i}`, namespace: 'default' };
    await running.admin.create(ConfigMap, { metadata: at });
    const answer = await running.ask(`${place}/${at.name}${query}`, { method: 'DELETE', ...(body && { body }) });
    assert.equal(answer.code, code, answer.text);
    if (message) assert.match(answer.text, message);
    const left = (await running.admin.list(ConfigMap, { namespace: 'default' })).items.some(({ metadata }) => metadata.name === at.name);
    assert.equal(left, stays);
  });
}
