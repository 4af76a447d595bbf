/** What PodSecurity tells the audit. What it refuses and warns of is in plugins.test.ts and pod-security/. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runPlugin } from '../../../../test/kit/test-request.ts';
import { Deployment, Pod } from '../../../api/generated/kinds.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import type { ObjectReader } from '../cache/reader.ts';
import { podSecurity } from './pod-security.ts';

const spec = { containers: [{ name: 'c', image: 'i', securityContext: { privileged: true } }] };
const pod = { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'p', namespace: 'n' }, spec } as unknown as KubeObject;
const deployment = { ...pod, kind: 'Deployment', apiVersion: 'apps/v1', spec: { template: { spec } } } as unknown as KubeObject;
const problem = 'would violate PodSecurity "baseline:v1.30": privileged (container "c" must not set securityContext.privileged=true)';

const label = (mode: string): string => `pod-security.kubernetes.io/${mode}`;
const audited = { [label('audit')]: 'baseline', [label('audit-version')]: 'v1.30' };
const rows = [
  { name: 'a pod without labels', kind: Pod, object: pod, labels: {}, want: [`${label('enforce-policy')}: privileged:latest`] },
  {
    name: 'a pod that would not be let in',
    kind: Pod,
    object: pod,
    labels: audited,
    want: [`${label('enforce-policy')}: privileged:latest`, `${label('audit-violations')}: ${problem}`],
  },
  { name: 'a workload', kind: Deployment, object: deployment, labels: audited, want: [`${label('audit-violations')}: ${problem}`] },
];
for (const { name, kind, object, labels, want } of rows) {
  test(`PodSecurity tells the audit: ${name}`, async () => {
    const reader = {
      get: () => ({ metadata: { name: 'n', labels: labels } }),
    } as unknown as ObjectReader;
    const annotations: string[] = [];
    await runPlugin(podSecurity(reader), { kind, object, annotations });
    assert.deepEqual(annotations, want);
  });
}
