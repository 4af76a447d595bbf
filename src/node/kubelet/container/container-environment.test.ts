import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { container, testPod } from '../../../../test/kit/test-pods.ts';
import type { ConfigMap, Container, Secret, Service } from '../../../api/generated/core-v1.ts';
import { errors } from '../../../api/meta/status-error.ts';
import { containerEnvironment, expandCommand } from './container-environment.ts';
import { expandReferences } from './expand-references.ts';
import { containerResourceValue, podFieldValue } from './pod-fields.ts';
import { serviceEnvironment } from './service-environment.ts';

const meta = { namespace: 'default', uid: '', resourceVersion: '', creationTimestamp: '' };

describe('expandReferences', () => {
  const known: Readonly<Record<string, string>> = { A: 'one', EMPTY: '' };
  for (const [given, want] of [
    ['$(A)', 'one'],
    ['x$(A)y$(A)', 'xoneyone'],
    ['$(B)', '$(B)'],
    ['$(EMPTY)', ''],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$one'],
    ['$A', '$A'],
    ['$(A', '$(A'],
    ['a$', 'a$'],
    ['$$', '$'],
    ['', ''],
  ] as const) {
    test(JSON.stringify(given), () =>
      assert.equal(
        expandReferences(given, (name) => known[name]),
        want,
      ),
    );
  }
});

const configMap: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...meta, name: 'cm' }, data: { a: 'from-cm', b: 'two' } };
const secret: Secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { ...meta, name: 's' },
  data: { p: Buffer.from('hush').toString('base64') },
};
const sources = {
  configMap: async (_: string, name: string) => {
    if (name !== 'cm') throw errors.notFound({ group: '', resource: 'configmap' }, name);
    return configMap;
  },
  secret: async (_: string, name: string) => {
    if (name !== 's') throw errors.notFound({ group: '', resource: 'secret' }, name);
    return secret;
  },
  file: async () => Buffer.from("# a comment\nKEY='a value'\nOTHER=plain\n"),
};
const environmentOf = async (main: Partial<Container>): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries(
    await containerEnvironment({
      pod: testPod(),
      podIPs: ['10.0.0.2'],
      hostIPs: ['192.0.2.1'],
      container: container('main', main),
      services: new Map([['SVC', 'service']]),
      allocatable: { cpu: '4', memory: '1Gi' },
      sources,
    }),
  );

describe('containerEnvironment', () => {
  const rows: readonly { readonly name: string; readonly given: Partial<Container>; readonly want: Readonly<Record<string, string>> }[] = [
    { name: 'services only', given: {}, want: {} },
    {
      name: 'references to what was said before',
      given: {
        env: [
          { name: 'A', value: 'x' },
          { name: 'B', value: '$(A)$(SVC)$(LATER)' },
          { name: 'LATER', value: 'y' },
        ],
      },
      want: { A: 'x', B: 'xservice$(LATER)', LATER: 'y' },
    },
    {
      name: 'a key of a ConfigMap',
      given: { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'cm', key: 'a' } } }] },
      want: { A: 'from-cm' },
    },
    {
      name: 'a key of a Secret',
      given: { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'p' } } }] },
      want: { A: 'hush' },
    },
    {
      name: 'what is optional may be missing',
      given: {
        env: [
          { name: 'A', valueFrom: { configMapKeyRef: { name: 'no', key: 'a', optional: true } } },
          { name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'no', optional: true } } },
        ],
      },
      want: {},
    },
    {
      name: 'all of a ConfigMap, with a prefix, and env wins',
      given: { envFrom: [{ prefix: 'P_', configMapRef: { name: 'cm' } }], env: [{ name: 'P_a', value: 'own' }] },
      want: { P_a: 'own', P_b: 'two' },
    },
    {
      name: 'a field of the pod',
      given: { env: [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }] },
      want: { IP: '10.0.0.2' },
    },
    {
      name: 'a limit that is not set is the node’s',
      given: { env: [{ name: 'M', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } }] },
      want: { M: '1024' },
    },
    {
      name: 'a file of a volume',
      given: { env: [{ name: 'F', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'f', key: 'KEY' } } }] },
      want: { F: 'a value' },
    },
    { name: 'a variable of its own hides a service’s', given: { env: [{ name: 'SVC', value: 'own' }] }, want: { SVC: 'own' } },
  ];
  for (const { name, given, want } of rows)
    test(name, async () => assert.deepEqual(await environmentOf(given), { SVC: 'service', ...want }));

  const failures: readonly { readonly given: Partial<Container>; readonly want: string }[] = [
    { given: { envFrom: [{ configMapRef: { name: 'no' } }] }, want: 'configmap "no" not found' },
    { given: { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'no', key: 'k' } } }] }, want: 'secret "no" not found' },
    {
      given: { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'cm', key: 'k' } } }] },
      want: "couldn't find key k in ConfigMap default/cm",
    },
    {
      given: { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] },
      want: "couldn't find key k in Secret default/s",
    },
  ];
  for (const { given, want } of failures) test(want, async () => assert.rejects(environmentOf(given), { message: want }));
});

test('a command knows the whole environment', () => {
  assert.deepEqual(expandCommand(['sh', '$(A)', '$(B)'], new Map([['A', 'x']])), ['sh', 'x', '$(B)']);
});

describe('the downward API', () => {
  const pod = testPod({ metadata: { labels: { b: '2', a: 'say "hi"' }, annotations: { 'x/y': 'z' } }, spec: { serviceAccountName: 'sa' } });
  for (const [path, want] of [
    ['metadata.name', 'web'],
    ['metadata.labels', 'a="say \\"hi\\""\nb="2"'],
    ["metadata.labels['a']", 'say "hi"'],
    ["metadata.annotations['x/y']", 'z'],
    ["metadata.annotations['none']", ''],
    ['spec.serviceAccountName', 'sa'],
    ['status.hostIPs', '192.0.2.1'],
  ] as const) {
    test(path, () => assert.equal(podFieldValue({ fieldPath: path }, { pod, podIPs: [], hostIPs: ['192.0.2.1'] }), want));
  }
  for (const [resource, divisor, want] of [
    ['limits.cpu', undefined, '1'],
    ['limits.cpu', '1m', '250'],
    ['requests.cpu', '1m', '0'],
    ['limits.memory', '1Mi', '64'],
    ['limits.ephemeral-storage', undefined, '0'],
  ] as const) {
    test(`${resource} by ${divisor}`, () => {
      const main = container('main', { resources: { limits: { cpu: '250m', memory: '64Mi' } } });
      const selector = { resource, ...(divisor && { divisor }) };
      assert.equal(containerResourceValue(selector, { pod, container: main, allocatable: {} }), want);
    });
  }
});

test('serviceEnvironment', () => {
  const service = (name: string, namespace: string, clusterIP: string, ports: Service['spec']['ports']): Service => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...meta, name, namespace },
    spec: { clusterIP, ports: ports ?? [] },
    status: {},
  });
  const services = [
    service('kubernetes', 'default', '10.96.0.1', [{ name: 'https', port: 443 }]),
    service('my-db', 'shop', '10.96.0.9', [{ port: 53, protocol: 'UDP' }]),
    service('headless', 'shop', 'None', [{ port: 1 }]),
    service('other', 'elsewhere', '10.96.0.7', [{ port: 1 }]),
  ];
  assert.deepEqual(Object.fromEntries(serviceEnvironment(services, { namespace: 'shop', links: true })), {
    KUBERNETES_SERVICE_HOST: '10.96.0.1',
    KUBERNETES_SERVICE_PORT: '443',
    KUBERNETES_SERVICE_PORT_HTTPS: '443',
    KUBERNETES_PORT: 'tcp://10.96.0.1:443',
    KUBERNETES_PORT_443_TCP: 'tcp://10.96.0.1:443',
    KUBERNETES_PORT_443_TCP_PROTO: 'tcp',
    KUBERNETES_PORT_443_TCP_PORT: '443',
    KUBERNETES_PORT_443_TCP_ADDR: '10.96.0.1',
    MY_DB_SERVICE_HOST: '10.96.0.9',
    MY_DB_SERVICE_PORT: '53',
    MY_DB_PORT: 'udp://10.96.0.9:53',
    MY_DB_PORT_53_UDP: 'udp://10.96.0.9:53',
    MY_DB_PORT_53_UDP_PROTO: 'udp',
    MY_DB_PORT_53_UDP_PORT: '53',
    MY_DB_PORT_53_UDP_ADDR: '10.96.0.9',
  });
  assert.equal(serviceEnvironment(services, { namespace: 'shop', links: false }).has('MY_DB_SERVICE_HOST'), false);
});
