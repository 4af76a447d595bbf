/**
 * What one object costs in the walkers over the type table: decoding, defaults, checks, patches, and the documents that
 * are published. Single-threaded, no server; prints microseconds per operation.
 *
 *   node bench/schema.ts
 */
import { performance } from 'node:perf_hooks';
import { builtInRegistry } from '../src/api/kinds/all.ts';
import type { KubeObject } from '../src/api/meta/object.ts';
import { quantityMilliValue } from '../src/api/meta/quantity.ts';
import { parseLabelSelector } from '../src/api/meta/selectors.ts';
import { takeSteps } from '../src/api/meta/steps.ts';
import { bodyTypeOf, decodeBody, parseBody } from '../src/api/schema/body.ts';
import { applyDefaults } from '../src/api/schema/default.ts';
import { validateMetadata } from '../src/api/schema/metadata.ts';
import { applyPatch, decodePatched, parsePatch } from '../src/api/schema/patch.ts';
import { validateByTable } from '../src/api/schema/validate.ts';
import { readDescriptions } from '../src/control-plane/api-server/publishing/descriptions.ts';
import { servedGroups } from '../src/control-plane/api-server/publishing/group-order.ts';
import { openApiV2, openApiV3 } from '../src/control-plane/api-server/publishing/openapi-documents.ts';

const rounds = 5;
/** Long enough to be past compilation, short enough to sit through. */
const roundMs = 300;

/** The best of some rounds, in microseconds. */
function measure(run: (i: number) => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    let count = 0;
    let elapsed = 0;
    while (elapsed < roundMs) {
      for (let i = 0; i < 100; i++) run(count++);
      elapsed = performance.now() - start;
    }
    best = Math.min(best, (elapsed * 1000) / count);
  }
  return best;
}

const registry = builtInRegistry().current;
const configMap = bodyTypeOf({ group: '', version: 'v1', kind: 'ConfigMap' });
const pod = bodyTypeOf({ group: '', version: 'v1', kind: 'Pod' });
const podKind = registry.byResource('', 'v1', 'pods');
if (!podKind) throw new Error('pods are not served');

const configMapText = JSON.stringify({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: 'default', labels: { app: 'web', tier: 'front' } },
  data: Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`key-${i}`, 'x'.repeat(140)])),
});

const podText = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web-5d4f8c7b9-abcde',
    namespace: 'default',
    labels: { app: 'web', 'pod-template-hash': '5d4f8c7b9' },
    ownerReferences: [
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5d4f8c7b9', uid: 'u', controller: true, blockOwnerDeletion: true },
    ],
  },
  spec: {
    containers: [
      {
        name: 'web',
        image: 'registry.example.com/web:1.2.3',
        ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
        env: [
          { name: 'MODE', value: 'production' },
          { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
        ],
        resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '500m', memory: '256Mi' } },
        livenessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 10 },
        readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, periodSeconds: 5 },
        volumeMounts: [{ name: 'config', mountPath: '/etc/web' }],
      },
    ],
    volumes: [{ name: 'config', configMap: { name: 'settings' } }],
    tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
    serviceAccountName: 'default',
    nodeSelector: { 'kubernetes.io/os': 'linux' },
  },
});

const decodePod = (): KubeObject => decodeBody(pod, parseBody(podText, 'Pod'), { fieldValidation: 'Warn', text: podText }).object;
const onePod = decodePod();
const fullPod = applyDefaults(pod.schema, onePod);
const parsedPods = Array.from({ length: 64 }, () => JSON.parse(podText) as Record<string, unknown>);
const parsedMaps = Array.from({ length: 64 }, () => JSON.parse(configMapText) as Record<string, unknown>);
const strategic = parsePatch('strategic', '{"spec":{"containers":[{"name":"web","image":"registry.example.com/web:1.2.4"}]}}');
const merge = parsePatch('merge', '{"metadata":{"labels":{"tier":"back"}}}');
const selector = parseLabelSelector('app=web,tier notin (back,test),!canary');
const groups = servedGroups(registry);
const core = groups.find((g) => g.group === '')?.versions[0]?.kinds ?? [];

const rows: readonly (readonly [string, (i: number) => void])[] = [
  ['JSON.parse of a ConfigMap (1.6 kB)', () => JSON.parse(configMapText)],
  ['decode a ConfigMap', (i) => decodeBody(configMap, parsedMaps[i % 64] ?? {}, { fieldValidation: 'Warn' })],
  [
    'decode a ConfigMap, duplicates looked for',
    (i) => decodeBody(configMap, parsedMaps[i % 64] ?? {}, { fieldValidation: 'Warn', text: configMapText }),
  ],
  ['JSON.parse of a Pod (1.4 kB)', () => JSON.parse(podText)],
  ['decode a Pod', (i) => decodeBody(pod, parsedPods[i % 64] ?? {}, { fieldValidation: 'Warn' })],
  ['decode a Pod, duplicates looked for', (i) => decodeBody(pod, parsedPods[i % 64] ?? {}, { fieldValidation: 'Warn', text: podText })],
  ['defaults of a new Pod', () => applyDefaults(pod.schema, onePod)],
  ['defaults of a complete Pod', () => applyDefaults(pod.schema, fullPod)],
  ['table checks of a Pod', () => validateByTable(pod.schema, fullPod)],
  ['metadata checks of a Pod', () => validateMetadata(podKind, fullPod)],
  ['strategic merge of a Pod', () => decodePatched(strategic, pod, takeSteps(applyPatch(strategic, pod, fullPod)), 'Warn')],
  ['merge patch of a Pod', () => decodePatched(merge, pod, takeSteps(applyPatch(merge, pod, fullPod)), 'Warn')],
  ['label selector of three terms', () => selector.matches(onePod.metadata.labels)],
  ['milli-value of a quantity', () => quantityMilliValue('250m')],
];

for (const [name, run] of rows) console.log(`${measure(run).toFixed(3).padStart(10)} µs  ${name}`);

function once(name: string, run: () => object): void {
  const start = performance.now();
  const length = JSON.stringify(run()).length;
  console.log(`${(performance.now() - start).toFixed(1).padStart(10)} ms  ${name} (${Math.round(length / 1024)} kB)`);
}
const texts = { release: '1.36', descriptions: readDescriptions() };
once('OpenAPI v3 of the core group', () => openApiV3('', 'v1', core, texts));
once('OpenAPI v2', () => openApiV2(groups, texts));
