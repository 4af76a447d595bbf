import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatefulSetPersistentVolumeClaimRetentionPolicy as Policy } from '../../../api/generated/apps-v1.ts';
import type { OwnerReference } from '../../../api/generated/meta-v1.ts';
import { nextClaimOwners } from './stateful-identity.ts';

const ref = (kind: string, name: string, uid: string, controller?: boolean): OwnerReference => ({
  apiVersion: kind === 'StatefulSet' ? 'apps/v1' : 'v1',
  kind,
  name,
  uid,
  ...(controller !== undefined && { controller, blockOwnerDeletion: true }),
});
const [set, pod, someone] = [ref('StatefulSet', 'db', 's', true), ref('Pod', 'db-0', 'p', true), ref('ConfigMap', 'x', 'x')];
const other = ref('StatefulSet', 'other', 'o', true);
const withSet: Policy = { whenDeleted: 'Delete', whenScaled: 'Retain' };
const withPod: Policy = { whenDeleted: 'Retain', whenScaled: 'Delete' };
const withBoth: Policy = { whenDeleted: 'Delete', whenScaled: 'Delete' };

/** want undefined: left as it is. Upstream: pkg/controller/statefulset/stateful_set_utils_test.go has the same cases. */
const rows: readonly {
  name: string;
  policy?: Policy;
  before?: readonly OwnerReference[];
  leaves?: boolean;
  want?: readonly OwnerReference[];
}[] = [
  { name: 'without a policy a claim has no owner' },
  { name: 'the policy went: so does the owner', before: [someone, set], want: [someone] },
  { name: 'goes with the set', policy: withSet, want: [set] },
  { name: 'goes with the set already', policy: withSet, before: [set] },
  { name: 'somebody else owns it too', policy: withSet, before: [someone], want: [someone, set] },
  { name: 'the set owns it, but not as controller', policy: withSet, before: [{ ...set, controller: false }], want: [set] },
  { name: 'another controller has it', policy: withSet, before: [other] },
  { name: 'another controller has it, and the set', policy: withSet, before: [other, set], want: [other] },
  { name: 'another controller has it, nothing is to go', before: [other] },
  { name: 'of an earlier set of that name', policy: withSet, before: [{ ...set, uid: 'earlier' }] },
  { name: 'of an earlier pod of that name', policy: withPod, leaves: true, before: [{ ...pod, uid: 'earlier' }] },
  {
    name: 'another kind has the name of the set',
    policy: withSet,
    before: [ref('ConfigMap', 'db', 'c')],
    want: [ref('ConfigMap', 'db', 'c'), set],
  },
  { name: 'its pod stays', policy: withPod },
  { name: 'its pod leaves by scaling', policy: withPod, leaves: true, want: [pod] },
  { name: 'its pod leaves, and the set was to take it', policy: withBoth, leaves: true, before: [set], want: [pod] },
  { name: 'its pod came back', policy: withBoth, before: [pod], want: [set] },
];

for (const { name, policy, before = [], leaves = false, want } of rows)
  test(`the owners of a claim: ${name}`, () => {
    const metadata = { name: 'data-db-0', ...(before.length > 0 && { ownerReferences: before }) };
    const owner = { metadata: { name: 'db', uid: 's' }, spec: policy ? { persistentVolumeClaimRetentionPolicy: policy } : {} };
    assert.deepEqual(
      nextClaimOwners({ metadata } as never, owner as never, { metadata: { name: 'db-0', uid: 'p' } } as never, leaves),
      want,
    );
  });
