import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGuardedServer } from '../../../../test/kit/guarded-server.ts';
import { ServiceCIDR } from '../../../api/generated/kinds.ts';
import { realClock } from '../../../client/clock.ts';
import { type DefaultServiceCIDRStep, ensureDefaultServiceCIDR, planDefaultServiceCIDR } from './default-service-cidr.ts';

interface Row {
  readonly name: string;
  readonly given?: { readonly cidrs: readonly string[]; readonly ready?: string; readonly leaving?: boolean };
  readonly cidrs: readonly string[];
  readonly want: DefaultServiceCIDRStep;
}

const v4 = '10.96.0.0/16';
const v6 = '2001:db8::/108';
const inconsistent = (there: string, wanted: string): DefaultServiceCIDRStep => ({
  do: 'tell',
  reason: 'KubernetesDefaultServiceCIDRInconsistent',
  message: `The default ServiceCIDR [${there}] does not match the controller flag configurations [${wanted}]`,
});

const rows: readonly Row[] = [
  { name: 'there is none', cidrs: [v4], want: { do: 'create' } },
  { name: 'it is new', given: { cidrs: [v4] }, cidrs: [v4], want: { do: 'setReady' } },
  { name: 'it is unknown whether it is ready', given: { cidrs: [v4], ready: 'Unknown' }, cidrs: [v4], want: { do: 'setReady' } },
  { name: 'it is ready', given: { cidrs: [v4, v6], ready: 'True' }, cidrs: [v4, v6], want: { do: 'nothing' } },
  {
    name: 'somebody says that it is not ready',
    given: { cidrs: [v4], ready: 'False' },
    cidrs: [v4],
    want: { do: 'tell', reason: 'Broken', message: 'Configuration matches, but it is broken' },
  },
  { name: 'the cluster gets a second family', given: { cidrs: [v4], ready: 'True' }, cidrs: [v4, v6], want: { do: 'addFamily' } },
  {
    name: 'the settings have another range',
    given: { cidrs: [v4], ready: 'True' },
    cidrs: ['10.97.0.0/16'],
    want: inconsistent(v4, '10.97.0.0/16'),
  },
  { name: 'another range, and it is new', given: { cidrs: [v4] }, cidrs: ['10.97.0.0/16'], want: inconsistent(v4, '10.97.0.0/16') },
  { name: 'the second family went', given: { cidrs: [v4, v6], ready: 'True' }, cidrs: [v4], want: inconsistent(`${v4} ${v6}`, v4) },
  { name: 'the other family comes first', given: { cidrs: [v4] }, cidrs: [v6, v4], want: inconsistent(v4, `${v6} ${v4}`) },
  { name: 'it is being deleted', given: { cidrs: [v4], leaving: true }, cidrs: ['10.97.0.0/16'], want: { do: 'nothing' } },
];

for (const { name, given, cidrs, want } of rows) {
  test(`the default ServiceCIDR: ${name}`, () => {
    const existing = given && {
      metadata: { name: 'kubernetes', ...(given.leaving && { deletionTimestamp: '2026-01-01T00:00:00Z' }) },
      spec: { cidrs: given.cidrs },
      status: given.ready ? { conditions: [{ type: 'Ready', status: given.ready, reason: 'Broken', message: 'it is broken' }] } : {},
    };
    assert.deepEqual(planDefaultServiceCIDR(existing as unknown as ServiceCIDR | undefined, cidrs), want);
  });
}

test('a cluster that starts again with a second family gets it, with other ranges an event, and nothing is written twice', async () => {
  await using guarded = await startGuardedServer({ config: { serviceCIDRs: [v4] } });
  const told: string[] = [];
  const ensure = async (...cidrs: readonly string[]): Promise<string> => {
    const events = { event: (about: { kind: string }, type: string, reason: string) => void told.push(`${about.kind} ${type} ${reason}`) };
    await ensureDefaultServiceCIDR({ reader: guarded.server.reader, client: guarded.admin }, { cidrs, clock: realClock, events });
    const { metadata, spec, status } = await guarded.admin.get(ServiceCIDR, { name: 'kubernetes' });
    const [ready] = status.conditions ?? [];
    return `${spec.cidrs?.join()} ${ready?.status} ${ready?.message} ${metadata.resourceVersion}`;
  };
  const first = await ensure(v4);
  assert.match(first, /^10\.96\.0\.0\/16 True Kubernetes default Service CIDR is ready \d+$/);
  assert.equal(await ensure(v4), first);
  const second = await ensure(v4, v6);
  assert.match(second, /^10\.96\.0\.0\/16,2001:db8::\/108 True /);
  assert.deepEqual(told, []);
  assert.equal(await ensure('10.97.0.0/16'), second);
  assert.deepEqual(told, ['ServiceCIDR Warning KubernetesDefaultServiceCIDRInconsistent']);
});
