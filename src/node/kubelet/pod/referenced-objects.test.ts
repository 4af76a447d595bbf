import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { container, testPod } from '../../../../test/kit/test-pods.ts';
import type { PodSpec } from '../../../api/generated/core-v1.ts';
import { mayWaitForObjects } from './referenced-objects.ts';

const env = (valueFrom: object): Partial<PodSpec> => ({ containers: [container('main', { env: [{ name: 'A', valueFrom }] })] });
const volume = (source: object): Partial<PodSpec> => ({ volumes: [{ name: 'v', ...source }] });
const certificate = { configMap: { name: 'kube-root-ca.crt' } };
const rows: readonly { readonly name: string; readonly spec: Partial<PodSpec>; readonly want: boolean }[] = [
  { name: 'nothing named', spec: {}, want: false },
  { name: 'the certificate of the cluster', spec: volume({ projected: { sources: [certificate] } }), want: false },
  { name: 'a ConfigMap beside it', spec: volume({ projected: { sources: [certificate, { configMap: { name: 'c' } }] } }), want: true },
  { name: 'a Secret in the environment', spec: env({ secretKeyRef: { name: 's', key: 'k' } }), want: true },
  { name: 'credentials of a registry', spec: { imagePullSecrets: [{ name: 's' }] }, want: true },
  { name: 'a Secret that a driver is handed', spec: volume({ csi: { driver: 'd', nodePublishSecretRef: { name: 's' } } }), want: true },
];
describe('a pod may have to wait for', () => {
  for (const { name, spec, want } of rows) test(`${name}: ${want}`, () => assert.equal(mayWaitForObjects(testPod({ spec })), want));
});
