import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storedMeta } from '../../../../test/kit/test-request.ts';
import type { APIService } from '../../../api/generated/kinds.ts';
import { builtInRegistry } from '../../../api/kinds/all.ts';
import { builtInAPIServices, planAPIService, type Step, type Wanted } from './autoregister.ts';

const spec = { group: 'a.b', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 100 };
const elsewhere = { ...spec, service: { namespace: 'a', name: 'b' } };
const onStart: Wanted = { spec, managed: 'onstart' };
const always: Wanted = { spec, managed: 'true' };
const there = (managed: string | undefined, of = spec): Pick<APIService, 'metadata' | 'spec'> => ({
  metadata: {
    ...storedMeta,
    name: 'v1.a.b',
    ...(managed !== undefined && { labels: { 'kube-aggregator.kubernetes.io/automanaged': managed } }),
  },
  spec: of,
});
const update: Step = { do: 'update', spec };

interface Row {
  readonly name: string;
  readonly given?: Pick<APIService, 'metadata' | 'spec'>;
  readonly wanted?: Wanted;
  /** it was as wanted once */
  readonly synced?: true;
  /** it was made since the start */
  readonly isNew?: true;
  readonly want: Step;
}

const rows: readonly Row[] = [
  { name: 'none is there, and none is wanted', want: { do: 'nothing' } },
  { name: 'one of a built-in kind is missing', wanted: onStart, want: { do: 'create' } },
  { name: 'one of a custom resource is missing', wanted: always, want: { do: 'create' } },
  { name: 'one of a built-in kind was deleted', wanted: onStart, synced: true, want: { do: 'nothing' } },
  { name: 'one of a custom resource was deleted', wanted: always, synced: true, want: { do: 'create' } },
  { name: "somebody's own, wanted or not", given: there(undefined, elsewhere), want: { do: 'nothing' } },
  { name: "somebody's own in place of a custom resource's", given: there(undefined, elsewhere), wanted: always, want: { do: 'nothing' } },
  { name: 'labelled with another word', given: there('false', elsewhere), wanted: onStart, want: { do: 'nothing' } },
  { name: 'as it should be', given: there('onstart'), wanted: onStart, want: { do: 'nothing' } },
  { name: 'changed before the start', given: there('onstart', elsewhere), wanted: onStart, want: update },
  { name: 'changed since the start', given: there('onstart', elsewhere), wanted: onStart, synced: true, want: { do: 'nothing' } },
  { name: 'made since the start', given: there('onstart', elsewhere), wanted: always, isNew: true, want: { do: 'nothing' } },
  { name: 'no longer served since the start', given: there('onstart'), want: { do: 'delete' } },
  { name: 'no longer served, and told once', given: there('onstart'), synced: true, want: { do: 'nothing' } },
  { name: "a custom resource's is changed", given: there('true', elsewhere), wanted: always, synced: true, want: update },
  { name: 'the definition is gone', given: there('true'), synced: true, want: { do: 'delete' } },
];

for (const { name, given, wanted, synced = false, isNew = false, want } of rows) {
  test(`an APIService of the server's own: ${name}`, () =>
    assert.deepEqual(planAPIService(given, wanted, { isSynced: synced, wasThereAtStart: !isNew }), want));
}

test('those of a default server are those that upstream lists', () => {
  const names = [...builtInAPIServices(builtInRegistry({}).current)]
    .map(([name, { spec }]) => `${name} ${spec.groupPriorityMinimum} ${spec.versionPriority}`)
    .toSorted();
  assert.deepEqual(names, [
    'v1. 18000 1',
    'v1.admissionregistration.k8s.io 16700 15',
    'v1.apiextensions.k8s.io 16700 15',
    'v1.apps 17800 15',
    'v1.authentication.k8s.io 17700 15',
    'v1.authorization.k8s.io 17600 15',
    'v1.autoscaling 17500 15',
    'v1.batch 17400 15',
    'v1.certificates.k8s.io 17300 15',
    'v1.coordination.k8s.io 16500 15',
    'v1.discovery.k8s.io 16200 15',
    'v1.events.k8s.io 17750 15',
    'v1.flowcontrol.apiserver.k8s.io 16100 21',
    'v1.networking.k8s.io 17200 15',
    'v1.node.k8s.io 16300 15',
    'v1.policy 17100 15',
    'v1.rbac.authorization.k8s.io 17000 15',
    'v1.resource.k8s.io 16200 21',
    'v1.scheduling.k8s.io 16600 15',
    'v1.storage.k8s.io 16800 15',
    'v2.autoscaling 17500 30',
  ]);
});
