import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObjectMap } from '../../../../test/kit/object-map.ts';
import { runPlugin, storedMeta, type TestRequest } from '../../../../test/kit/test-request.ts';
import type { PodSpec, ResourceRequirements } from '../../../api/generated/core-v1.ts';
import {
  CertificateSigningRequest,
  ConfigMap,
  Ingress,
  IngressClass,
  LimitRange,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PriorityClass,
  RuntimeClass,
  StorageClass,
} from '../../../api/generated/kinds.ts';
import type { KindRef, KubeObject } from '../../../api/meta/object.ts';
import { certificateApprovalPlugin, certificateSigningPlugin, certificateSubjectRestriction } from './certificates.ts';
import { defaultIngressClass, defaultStorageClass } from './default-class.ts';
import { defaultTolerationSeconds } from './default-toleration-seconds.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { persistentVolumeClaimResize } from './persistent-volume-claim-resize.ts';
import type { AdmissionPlugin } from './plugin.ts';
import { podTopologyLabels } from './pod-topology-labels.ts';
import { priority } from './priority.ts';
import { runtimeClassPlugin } from './runtime-class.ts';
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts';

const object = <T extends KubeObject>(kind: KindRef<T>, name: string, rest: object): T =>
  ({
    apiVersion: kind.group ? `${kind.group}/${kind.version}` : kind.version,
    kind: kind.kind,
    metadata: { ...storedMeta, name, ...(kind.namespaced && { namespace: 'a' }) },
    status: {},
    ...rest,
  }) as unknown as T;
const annotated = (name: string, annotations: Record<string, string>, creationTimestamp = '2026-01-01T00:00:00Z') => ({
  metadata: { ...storedMeta, name, annotations, creationTimestamp },
});
const pod = (spec: Partial<PodSpec> = {}): Pod => object(Pod, 'p', { spec: { containers: [{ name: 'c', image: 'i' }], ...spec } });
const sized = (resources: ResourceRequirements): Pod => pod({ containers: [{ name: 'c', image: 'i', resources }] });
const claim = (size: string, more: object = {}, phase = 'Bound'): PersistentVolumeClaim =>
  object(PersistentVolumeClaim, 'd', { spec: { resources: { requests: { storage: size } }, ...more }, status: { phase } });

const objects = new ObjectMap()
  .put(
    Namespace,
    object(Namespace, 'a', { status: { phase: 'Active' } }),
    object(Namespace, 'ending', { status: { phase: 'Terminating' } }),
  )
  .put(
    PriorityClass,
    object(PriorityClass, 'high', { value: 10, preemptionPolicy: 'Never' }),
    object(PriorityClass, 'usual', { value: 5, globalDefault: true, preemptionPolicy: 'PreemptLowerPriority' }),
  )
  .put(
    RuntimeClass,
    object(RuntimeClass, 'vm', {
      handler: 'vm',
      overhead: { podFixed: { cpu: '250m' } },
      scheduling: { nodeSelector: { vm: 'yes' }, tolerations: [{ key: 'vm', operator: 'Exists' }] },
    }),
  )
  .put(
    StorageClass,
    object(StorageClass, 'old', annotated('old', { 'storageclass.kubernetes.io/is-default-class': 'true' })),
    object(StorageClass, 'new', {
      ...annotated('new', { 'storageclass.kubernetes.io/is-default-class': 'true' }, '2026-02-01T00:00:00Z'),
      allowVolumeExpansion: true,
    }),
  )
  .put(IngressClass, object(IngressClass, 'web', annotated('web', { 'ingressclass.kubernetes.io/is-default-class': 'true' })))
  .put(
    LimitRange,
    object(LimitRange, 'l', {
      spec: {
        limits: [
          { type: 'Container', min: { memory: '1Mi' }, max: { cpu: '2' }, maxLimitRequestRatio: { cpu: '2' } },
          { type: 'Pod', max: { memory: '1Gi' } },
          { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '10Gi' } },
        ],
      },
    }),
  );

const places = { 'topology.kubernetes.io/zone': 'z', 'topology.kubernetes.io/region': 'r' };
objects.put(Node, object(Node, 'n', { metadata: { ...storedMeta, name: 'n', labels: { ...places, 'kubernetes.io/hostname': 'n' } } }));

interface Row {
  readonly name: string;
  readonly plugin: AdmissionPlugin;
  readonly given: TestRequest;
  /** the message of a refusal, or fields of the spec (or metadata) afterwards */
  readonly want: string | object;
}
const lifecycle = namespaceLifecycle(objects);
const topology = podTopologyLabels(objects);
const limits = limitRanger(objects);
const prioritize = priority(objects);
const runtime = runtimeClassPlugin(objects);
const resize = persistentVolumeClaimResize(objects);
const settings = (namespace: string) => ({
  kind: ConfigMap,
  object: { ...object(ConfigMap, 'c', {}), metadata: { name: 'c', namespace } },
});

const rows: readonly Row[] = [
  { name: 'lifecycle: a live namespace', plugin: lifecycle, given: settings('a'), want: {} },
  { name: 'lifecycle: no namespace', plugin: lifecycle, given: settings('b'), want: 'namespaces "b" not found' },
  {
    name: 'lifecycle: an ending namespace',
    plugin: lifecycle,
    given: settings('ending'),
    want: 'configmaps "c" is forbidden: unable to create new content in namespace ending because it is being terminated',
  },
  {
    name: 'lifecycle: the default namespace',
    plugin: lifecycle,
    given: { kind: Namespace, operation: 'DELETE', name: 'default' },
    want: 'namespaces "default" is forbidden: this namespace may not be deleted',
  },
  {
    name: 'lifecycle: any other namespace',
    plugin: lifecycle,
    given: { kind: Namespace, operation: 'DELETE', name: 'kube-node-lease' },
    want: {},
  },
  {
    name: 'priority: the default class',
    plugin: prioritize,
    given: { kind: Pod, object: pod() },
    want: { priorityClassName: 'usual', priority: 5, preemptionPolicy: 'PreemptLowerPriority' },
  },
  {
    name: 'priority: a class by name',
    plugin: prioritize,
    given: { kind: Pod, object: pod({ priorityClassName: 'high' }) },
    want: { priorityClassName: 'high', priority: 10, preemptionPolicy: 'Never' },
  },
  {
    name: 'priority: a number of its own',
    plugin: prioritize,
    given: { kind: Pod, object: pod({ priorityClassName: 'high', priority: 7 }) },
    want: 'pods "p" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 10 from the given PriorityClass name',
  },
  {
    name: 'priority: an update without it',
    plugin: prioritize,
    given: { kind: Pod, object: pod(), old: pod({ priority: 3, preemptionPolicy: 'Never' }) },
    want: { priority: 3, preemptionPolicy: 'Never' },
  },
  {
    name: 'priority: a second default',
    plugin: prioritize,
    given: { kind: PriorityClass, object: object(PriorityClass, 'x', { value: 1, globalDefault: true }) },
    want: 'priorityclasses.scheduling.k8s.io "x" is forbidden: PriorityClass usual is already marked as default. Only one default can exist',
  },
  {
    name: 'tolerations: one is there already',
    plugin: defaultTolerationSeconds,
    given: { kind: Pod, object: pod({ tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' }] }) },
    want: {
      tolerations: [
        { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
        { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      ],
    },
  },
  {
    name: 'tolerations: everything is tolerated',
    plugin: defaultTolerationSeconds,
    given: { kind: Pod, object: pod({ tolerations: [{ operator: 'Exists' }] }) },
    want: { tolerations: [{ operator: 'Exists' }] },
  },
  {
    name: 'runtime class: what it adds',
    plugin: runtime,
    given: { kind: Pod, object: pod({ runtimeClassName: 'vm', nodeSelector: { a: 'b' } }) },
    want: { overhead: { cpu: '250m' }, nodeSelector: { a: 'b', vm: 'yes' }, tolerations: [{ key: 'vm', operator: 'Exists' }] },
  },
  {
    name: 'runtime class: another node',
    plugin: runtime,
    given: { kind: Pod, object: pod({ runtimeClassName: 'vm', nodeSelector: { vm: 'no' } }) },
    want: 'pods "p" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[vm] = yes; pod.spec.nodeSelector[vm] = no',
  },
  {
    name: 'runtime class: overhead without it',
    plugin: runtime,
    given: { kind: Pod, object: pod({ overhead: { cpu: '1' } }) },
    want: 'pods "p" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
  },
  {
    name: 'runtime class: none such',
    plugin: runtime,
    given: { kind: Pod, object: pod({ runtimeClassName: 'x' }) },
    want: 'pods "p" is forbidden: pod rejected: RuntimeClass "x" not found',
  },
  {
    name: 'storage class: the newest default',
    plugin: defaultStorageClass(objects),
    given: { kind: PersistentVolumeClaim, object: claim('1Gi') },
    want: { storageClassName: 'new' },
  },
  {
    name: 'storage class: none wanted',
    plugin: defaultStorageClass(objects),
    given: { kind: PersistentVolumeClaim, object: claim('1Gi', { storageClassName: '' }) },
    want: { storageClassName: '' },
  },
  {
    name: 'ingress class: the default',
    plugin: defaultIngressClass(objects),
    given: { kind: Ingress, object: object(Ingress, 'i', { spec: {} }) },
    want: { ingressClassName: 'web' },
  },
  {
    name: 'topology labels: of the node that a pod is bound to',
    plugin: topology,
    given: {
      kind: Pod,
      operation: 'CREATE',
      subresource: 'binding',
      object: { ...object(Pod, 'p', { target: { kind: 'Node', name: 'n' } }), metadata: { ...storedMeta, name: 'p', labels: { a: 'b' } } },
    },
    want: { labels: { a: 'b', ...places } },
  },
  {
    name: 'topology labels: of the node that a pod begins on',
    plugin: topology,
    given: { kind: Pod, object: pod({ nodeName: 'n' }) },
    want: { labels: places },
  },
  { name: 'topology labels: of no node', plugin: topology, given: { kind: Pod, object: pod({ nodeName: 'none' }) }, want: {} },
  {
    name: 'protection: a finalizer',
    plugin: storageObjectInUseProtection,
    given: { kind: PersistentVolume, object: object(PersistentVolume, 'v', { spec: {} }) },
    want: { finalizers: ['kubernetes.io/pv-protection'] },
  },
  {
    name: 'resize: a class that allows it',
    plugin: resize,
    given: {
      kind: PersistentVolumeClaim,
      object: claim('2Gi', { storageClassName: 'new' }),
      old: claim('1Gi', { storageClassName: 'new' }),
    },
    want: {},
  },
  {
    name: 'resize: a class that does not',
    plugin: resize,
    given: {
      kind: PersistentVolumeClaim,
      object: claim('2Gi', { storageClassName: 'old' }),
      old: claim('1Gi', { storageClassName: 'old' }),
    },
    want: 'persistentvolumeclaims "d" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
  },
  {
    name: 'resize: before it is bound',
    plugin: resize,
    given: { kind: PersistentVolumeClaim, object: claim('2Gi'), old: claim('1Gi', {}, 'Pending') },
    want: 'persistentvolumeclaims "d" is forbidden: Only bound persistent volume claims can be expanded',
  },
  {
    name: 'limits: within',
    plugin: limits,
    given: { kind: Pod, object: sized({ requests: { cpu: '1', memory: '1Mi' }, limits: { cpu: '2', memory: '1Gi' } }) },
    want: {},
  },
  {
    name: 'limits: too little, too much, too far apart',
    plugin: limits,
    given: { kind: Pod, object: sized({ requests: { cpu: '1', memory: '1Ki' }, limits: { cpu: '3', memory: '2Gi' } }) },
    want: 'pods "p" is forbidden: [minimum memory usage per Container is 1Mi, but request is 1Ki, maximum cpu usage per Container is 2, but limit is 3, cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000, maximum memory usage per Pod is 1Gi, but limit is 2Gi]',
  },
  {
    name: 'limits: nothing said',
    plugin: limits,
    given: { kind: Pod, object: pod() },
    want: 'pods "p" is forbidden: [minimum memory usage per Container is 1Mi.  No request is specified, maximum cpu usage per Container is 2.  No limit is specified, cpu max limit to request ratio per Container is 2, but no request is specified or request is 0, maximum memory usage per Pod is 1Gi.  No limit is specified]',
  },
  {
    name: 'limits: a claim',
    plugin: limits,
    given: { kind: PersistentVolumeClaim, object: claim('11Gi') },
    want: 'persistentvolumeclaims "d" is forbidden: maximum storage usage per PersistentVolumeClaim is 10Gi, but request is 11Gi',
  },
];
for (const { name, plugin, given, want } of rows) {
  test(`admission, ${name}`, async () => {
    const got = await runPlugin(plugin, given);
    if (typeof want === 'string' || typeof got === 'string') return assert.equal(got, want);
    const { spec, metadata } = (got ?? {}) as { spec?: object; metadata?: object };
    const all = { ...metadata, ...spec };
    assert.deepEqual({ ...all, ...want }, all);
  });
}

const csr = (signerName: string, more: object = {}, request = ''): CertificateSigningRequest =>
  object(CertificateSigningRequest, 'r', { spec: { signerName, request: Buffer.from(request).toString('base64') }, ...more });

test('admission, certificates: approval and signing need the right for the signer or its domain', async () => {
  const asked: string[] = [];
  const authorize = ({ verb, resource }: { verb: string; resource?: { name?: string | undefined } | undefined }) => {
    asked.push(`${verb} ${resource?.name ?? ''}`);
    return { verdict: resource?.name === 'good.io/*' ? ('allow' as const) : ('no-opinion' as const), reason: '' };
  };
  const approve = (signer: string) =>
    runPlugin(certificateApprovalPlugin(authorize), {
      kind: CertificateSigningRequest,
      subresource: 'approval',
      object: csr(signer),
      old: csr(signer),
    });
  assert.equal(typeof (await approve('good.io/x')), 'object');
  assert.equal(
    await approve('bad.io/x'),
    'certificatesigningrequests.certificates.k8s.io "r" is forbidden: user not permitted to approve requests with signerName "bad.io/x"',
  );
  const signed = csr('bad.io/x', { status: { certificate: 'abc' } });
  const sign = (to: CertificateSigningRequest) =>
    runPlugin(certificateSigningPlugin(authorize), {
      kind: CertificateSigningRequest,
      subresource: 'status',
      object: to,
      old: csr('bad.io/x'),
    });
  assert.equal(typeof (await sign(csr('bad.io/x'))), 'object');
  assert.match(String(await sign(signed)), /user not permitted to sign requests with signerName "bad.io\/x"$/);
  assert.deepEqual(asked.slice(0, 4), ['approve good.io/x', 'approve good.io/*', 'approve bad.io/x', 'approve bad.io/*']);
});

test('admission, certificates: nobody asks for system:masters', async () => {
  await import('reflect-metadata');
  const { Pkcs10CertificateRequestGenerator } = await import('@peculiar/x509');
  const signingAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify']);
  const pem = async (group: string): Promise<string> =>
    (await Pkcs10CertificateRequestGenerator.create({ name: [{ O: [group] }, { CN: ['x'] }], keys, signingAlgorithm })).toString('pem');
  const signer = 'kubernetes.io/kube-apiserver-client';
  const ask = async (group: string) =>
    runPlugin(certificateSubjectRestriction, { kind: CertificateSigningRequest, object: csr(signer, {}, await pem(group)) });
  assert.equal(typeof (await ask('staff')), 'object');
  assert.match(
    String(await ask('system:masters')),
    /use of kubernetes.io\/kube-apiserver-client signer with system:masters group is not allowed$/,
  );
});
