import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { realClock } from '../../client/clock.ts';
import { silentLog } from '../../client/log.ts';
import { describeError } from '../operation-error.ts';
import type { ClusterConfig } from '../settings/config.ts';
import { openAudit } from './audit.ts';

const dir = mkdtempSync(join(tmpdir(), 'cluster-audit-'));
test.after(() => rmSync(dir, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
const good = file('good.yaml', 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n');
const bad = file('bad.yaml', 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Most\n');

async function open(config: ClusterConfig, dataDir?: string) {
  const stack = new AsyncDisposableStack();
  const metrics = new Registry();
  const audit = await openAudit({ config, dataDir, clock: realClock, log: silentLog, metrics, stack });
  return { audit, metrics, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test('without a policy there is no audit', async () => {
  await using opened = await open({});
  assert.equal(opened.audit, undefined);
});

test('with one it is in the directory of the cluster, and counted', async () => {
  {
    await using opened = await open({ auditPolicyFile: good }, dir);
    opened.audit?.sink.write('a line\n');
    await opened.audit?.sink[Symbol.asyncDispose]();
    assert.match(await opened.metrics.metrics(), /apiserver_audit_event_total 1\n/);
  }
  assert.equal(readFileSync(join(dir, 'audit.log'), 'utf8'), 'a line\n');
});

const refusals: readonly { name: string; config: ClusterConfig; want: RegExp }[] = [
  {
    name: 'a place without a policy',
    config: { auditLogPath: join(dir, 'none.log') },
    want: /^auditLogPath is .*nothing says what it keeps/,
  },
  { name: 'a size without a policy', config: { auditLogMaxsize: 1 }, want: /^auditLogMaxsize is .*nothing says what it keeps/ },
  { name: 'a policy without a place', config: { auditPolicyFile: good }, want: /needs a place/ },
  {
    name: 'a policy that is none',
    config: { auditPolicyFile: bad, auditLogPath: join(dir, 'none.log') },
    want: /bad\.yaml: rules\[0\]\.level "Most"/,
  },
  { name: 'no such policy', config: { auditPolicyFile: join(dir, 'no'), auditLogPath: join(dir, 'none.log') }, want: /ENOENT/ },
  { name: 'no such place', config: { auditPolicyFile: good, auditLogPath: join(dir, 'a', 'b', 'c.log') }, want: /can't write .*c\.log/ },
];
for (const { name, config, want } of refusals) {
  test(`a cluster does not start with ${name}`, async () => {
    await assert.rejects(open(config), (error) => want.test(describeError(error)));
    assert.ok(!existsSync(join(dir, 'none.log')));
  });
}
