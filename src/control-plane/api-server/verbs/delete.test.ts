/** What a delete plans for an object: a table over grace periods, finalizers and policies. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { DeleteOptions, ObjectMeta } from '../../../api/generated/meta-v1.ts';
import { builtInRegistry } from '../../../api/kinds/all.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { parseTime } from '../../../api/meta/time.ts';
import { planDeletion } from './delete.ts';

const registry = builtInRegistry();
const nowMs = parseTime('2026-01-01T00:01:00Z') ?? 0;

interface Row {
  readonly name: string;
  readonly resource?: readonly [group: string, resource: string];
  readonly metadata?: ObjectMeta;
  readonly rest?: object;
  readonly options?: DeleteOptions;
  readonly want: string;
}

const pod = {
  resource: ['', 'pods'],
  rest: { spec: { nodeName: 'n', terminationGracePeriodSeconds: 30 }, status: { phase: 'Running' } },
} as const;
const dying = { deletionTimestamp: '2026-01-01T00:01:20Z', deletionGracePeriodSeconds: 30 };

const rows: readonly Row[] = [
  { name: 'nothing holds it', want: 'remove' },
  { name: 'a finalizer holds it', metadata: { finalizers: ['a/b'] }, want: 'put [a/b] at 00:01:00 grace 0' },
  {
    name: 'still held',
    metadata: { finalizers: ['a/b'], deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 0 },
    want: 'keep',
  },
  { name: 'let go', metadata: { deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 0 }, want: 'remove' },
  { name: 'foreground', options: { propagationPolicy: 'Foreground' }, want: 'put [foregroundDeletion] at 00:01:00 grace 0' },
  { name: 'orphan', options: { propagationPolicy: 'Orphan' }, want: 'put [orphan] at 00:01:00 grace 0' },
  { name: 'orphan as of old', options: { orphanDependents: true }, want: 'put [orphan] at 00:01:00 grace 0' },
  {
    name: 'background takes the policy of the object back',
    metadata: { finalizers: ['orphan'] },
    options: { propagationPolicy: 'Background' },
    want: 'remove',
  },
  {
    name: 'the policy of the object',
    metadata: { finalizers: ['foregroundDeletion'] },
    want: 'put [foregroundDeletion] at 00:01:00 grace 0',
  },
  { name: 'jobs orphan when nothing is said', resource: ['batch', 'jobs'], want: 'put [orphan] at 00:01:00 grace 0' },
  { name: 'events have no dependents', resource: ['', 'events'], options: { propagationPolicy: 'Orphan' }, want: 'remove' },
  {
    name: 'generation counts a deletion',
    resource: ['apps', 'deployments'],
    metadata: { generation: 4, finalizers: ['a/b'] },
    want: 'put [a/b] at 00:01:00 grace 0 generation 5',
  },
  { name: 'pods get their grace', ...pod, want: 'put [] at 00:01:30 grace 30' },
  { name: 'pods get the grace asked for', ...pod, options: { gracePeriodSeconds: 5 }, want: 'put [] at 00:01:05 grace 5' },
  { name: 'no grace', ...pod, options: { gracePeriodSeconds: 0 }, want: 'remove [] at 00:01:00 grace 0' },
  {
    name: 'a pod that no node has is shown as it ends',
    resource: pod.resource,
    metadata: { generation: 2 },
    rest: { spec: { terminationGracePeriodSeconds: 30 }, status: { phase: 'Pending' } },
    want: 'remove [] at 00:01:00 grace 0 generation 3',
  },
  {
    name: 'no grace, but a finalizer',
    ...pod,
    metadata: { finalizers: ['a/b'] },
    options: { gracePeriodSeconds: 0 },
    want: 'put [a/b] at 00:01:00 grace 0',
  },
  { name: 'negative is one second', ...pod, options: { gracePeriodSeconds: -5 }, want: 'put [] at 00:01:01 grace 1' },
  { name: 'grace goes on', ...pod, metadata: dying, want: 'keep' },
  { name: 'grace is never longer', ...pod, metadata: dying, options: { gracePeriodSeconds: 60 }, want: 'keep' },
  {
    name: 'grace is shortened from its start',
    ...pod,
    metadata: dying,
    options: { gracePeriodSeconds: 20 },
    want: 'put [] at 00:01:10 grace 20',
  },
  {
    name: 'shortened below what has passed',
    ...pod,
    metadata: dying,
    options: { gracePeriodSeconds: 5 },
    want: 'put [] at 00:01:00 grace 1',
  },
  { name: 'the kubelet lets go', ...pod, metadata: dying, options: { gracePeriodSeconds: 0 }, want: 'remove [] at 00:01:00 grace 0' },
  {
    name: 'a namespace is emptied first',
    resource: ['', 'namespaces'],
    rest: { spec: { finalizers: ['kubernetes'] } },
    want: 'put [] at 00:01:00 Terminating',
  },
  {
    name: 'a namespace is being emptied',
    resource: ['', 'namespaces'],
    metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' },
    rest: { spec: { finalizers: ['kubernetes'] } },
    want: 'keep',
  },
  {
    name: 'a namespace is empty',
    resource: ['', 'namespaces'],
    metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' },
    rest: { spec: {} },
    want: 'remove',
  },
];

function describePlan({ resource: [group, resource] = ['', 'configmaps'], metadata = {}, rest = {}, options = {} }: Row): string {
  const kind = registry.current.byResource(group, 'v1', resource);
  assert.ok(kind);
  const object = { kind: kind.kind, apiVersion: group ? `${group}/v1` : 'v1', metadata: { name: 'a', ...metadata }, ...rest } as KubeObject;
  const plan = planDeletion(kind, object, options, nowMs);
  const made = plan.type === 'put' ? plan.object : plan.type === 'remove' ? plan.shown : undefined;
  if (!made) return plan.type;
  const { finalizers = [], deletionTimestamp = '', deletionGracePeriodSeconds: grace, generation } = made.metadata;
  const phase = (made as { status?: { phase?: string } }).status?.phase;
  return [
    `${plan.type} [${finalizers.join()}] at ${deletionTimestamp.slice(11, 19)}`,
    ...(grace === undefined ? [] : [`grace ${grace}`]),
    ...(generation === undefined ? [] : [`generation ${generation}`]),
    ...(phase === 'Terminating' ? [phase] : []),
  ].join(' ');
}

it('plans deletions', () => {
  for (const row of rows) assert.equal(describePlan(row), row.want, row.name);
});
