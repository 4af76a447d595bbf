/** What a field selector may name, kind by kind, and what is said of other fields. Judged by upstream's API server. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Kind } from '../meta/kind.ts';
import type { KubeObject } from '../meta/object.ts';
import { builtInKinds } from './all.ts';

const meta = 'metadata.name metadata.namespace';
const reference = (field: string): string =>
  ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map((part) => `${field}.${part}`).join(' ');

/** All kinds that are not here have the name and the namespace, cluster-scoped ones too. */
const own: Readonly<Record<string, string>> = {
  pods: `${meta} spec.host spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName spec.hostNetwork
    status.phase status.podIP status.podIPs status.nominatedNodeName`,
  nodes: 'metadata.name spec.unschedulable',
  namespaces: 'metadata.name status.phase',
  secrets: `${meta} type`,
  services: `${meta} spec.clusterIP spec.type`,
  replicationcontrollers: `${meta} status.replicas`,
  events: `${meta} ${reference('involvedObject')} reason reportingComponent source type`,
  'events.events.k8s.io': `${meta} ${reference('regarding')} reason reportingController type`,
  'jobs.batch': `${meta} status.successful`,
  'certificatesigningrequests.certificates.k8s.io': 'metadata.name spec.signerName',
  'clustertrustbundles.certificates.k8s.io': 'metadata.name spec.signerName',
  'podcertificaterequests.certificates.k8s.io': 'metadata.name spec.signerName spec.podName spec.nodeName',
  'resourceslices.resource.k8s.io': 'metadata.name spec.nodeName spec.driver',
};

const keyOf = ({ resource, group }: Kind): string => (group ? `${resource}.${group}` : resource);
const find = (key: string, version = 'v1'): Kind => {
  const kind = builtInKinds.find((k) => keyOf(k) === key && k.version === version);
  assert.ok(kind, key);
  return kind;
};

describe('selectable fields', () => {
  for (const kind of builtInKinds) {
    it(`of ${keyOf(kind)} ${kind.version}`, () => {
      const want = (own[keyOf(kind)] ?? meta).split(/\s+/);
      assert.deepEqual([...kind.selectableFields.keys()].toSorted(), want.toSorted());
    });
  }

  const refusals: readonly { name: string; key: string; version?: string; want: string }[] = [
    {
      name: 'a kind with the usual two',
      key: 'replicasets.apps',
      want: '"status.replicas" is not a known field selector: only "metadata.name", "metadata.namespace"',
    },
    { name: 'a kind with a list of its own', key: 'pods', want: 'field label not supported: status.replicas' },
    { name: 'Jobs', key: 'jobs.batch', want: 'field label "status.replicas" not supported for Job' },
    {
      name: 'ResourceSlices, by version',
      key: 'resourceslices.resource.k8s.io',
      version: 'v1beta1',
      want: 'field label not supported for resource.k8s.io/v1beta1, Kind=ResourceSlice: status.replicas',
    },
  ];
  for (const { name, key, version, want } of refusals) {
    it(`refuses another field: ${name}`, () => assert.equal(find(key, version).describeUnknownField('status.replicas'), want));
  }

  const values: readonly { name: string; key: string; object: object; field: string; want: string | undefined }[] = [
    { name: 'a Job that nobody has counted', key: 'jobs.batch', object: {}, field: 'status.successful', want: '0' },
    { name: 'a Job', key: 'jobs.batch', object: { status: { succeeded: 3 } }, field: 'status.successful', want: '3' },
    { name: 'a pod by its host', key: 'pods', object: { spec: { nodeName: 'n' } }, field: 'spec.host', want: 'n' },
    {
      name: 'a pod by all its addresses: never',
      key: 'pods',
      object: { status: { podIPs: [{ ip: '1.2.3.4' }] } },
      field: 'status.podIPs',
      want: '',
    },
    { name: 'what has no namespace', key: 'persistentvolumes', object: {}, field: 'metadata.namespace', want: '' },
    { name: 'an event without source', key: 'events', object: { reportingComponent: 'c' }, field: 'source', want: 'c' },
    { name: 'a word that every object knows', key: 'pods', object: {}, field: 'constructor', want: undefined },
  ];
  for (const { name, key, object, field, want } of values) {
    it(`reads ${name}`, () => {
      const given = { metadata: { name: 'x' }, spec: {}, ...object } as unknown as KubeObject;
      assert.equal(find(key).selectableFields.get(field)?.(given), want);
    });
  }
});
