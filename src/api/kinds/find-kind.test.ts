import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiVersionOf } from '../meta/object.ts';
import { findKind } from './find-kind.ts';

const rows: readonly { given: string; want: string | undefined }[] = [
  { given: 'pods', want: 'v1 Pod' },
  { given: 'po', want: 'v1 Pod' },
  { given: 'Pod', want: 'v1 Pod' },
  { given: 'deploy', want: 'apps/v1 Deployment' },
  { given: 'deployments.apps', want: 'apps/v1 Deployment' },
  { given: 'jobs.v1.batch', want: 'batch/v1 Job' },
  { given: 'hpa', want: 'autoscaling/v2 HorizontalPodAutoscaler' },
  { given: 'horizontalpodautoscalers.v1.autoscaling', want: 'autoscaling/v1 HorizontalPodAutoscaler' },
  { given: 'events', want: 'v1 Event' },
  { given: 'events.events.k8s.io', want: 'events.k8s.io/v1 Event' },
  { given: 'deployments.batch', want: undefined },
  { given: 'bakeries', want: undefined },
  { given: 'constructor', want: undefined },
  { given: '', want: undefined },
];
for (const { given, want } of rows) {
  test(`"${given}" is ${want ?? 'no kind'}`, () => {
    const found = findKind(given);
    assert.equal(found && `${apiVersionOf(found)} ${found.kind}`, want);
  });
}
