/**
 * An operator on the official JavaScript client, unmodified, over HTTPS: a definition, server-side apply of what an object
 * owns, a finalizer, a status, and an admission webhook that the test itself serves. What an operator with the package's
 * own exports looks like: operator.test.ts.
 */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import {
  AdmissionregistrationV1Api,
  ApiException,
  ApiextensionsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  type V1CustomResourceDefinition,
  type V1ObjectMeta,
  Watch,
} from '@kubernetes/client-node';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { startCluster } from '../../src/cluster/start-cluster.ts';
import { type AskedReview, patching, startWebhookServer, type WebhookServer } from '../kit/webhook-server.ts';

interface Oven {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: V1ObjectMeta;
  readonly spec?: { readonly celsius: number; readonly bread?: string; readonly color?: string };
  readonly status?: { readonly heated?: number };
}

const namespace = 'default';
const [group, version, plural] = ['bakery.example.com', 'v1', 'ovens'] as const;
const apiVersion = `${group}/${version}`;
const finalizer = `${group}/cool-down`;
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const ovens = `/apis/${apiVersion}/namespaces/${namespace}/${plural}`;
const maps = `/api/v1/namespaces/${namespace}/configmaps`;

const definition: V1CustomResourceDefinition = {
  metadata: { name: `${plural}.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { plural, kind: 'Oven' },
    versions: [
      {
        name: version,
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                required: ['celsius'],
                properties: {
                  celsius: { type: 'integer', minimum: 20 },
                  bread: { type: 'string' },
                  color: { type: 'string', _default: 'white' },
                },
                x_kubernetes_validations: [{ rule: "self.bread != 'raw' || self.celsius < 100", message: 'raw bread stays cool' }],
              },
              status: { type: 'object', properties: { heated: { type: 'integer' } } },
            },
          },
        },
      },
    ],
  },
};

/** Bakes rye where nothing is said, and burns nothing. */
function judge({ object }: AskedReview): object {
  const { celsius = 0, bread } = (object?.spec ?? {}) as Partial<NonNullable<Oven['spec']>>;
  if (celsius > 300) return { allowed: false, status: { code: 422, reason: 'Invalid', message: `${celsius} °C burns bread` } };
  return bread ? {} : patching({ op: 'add', path: '/spec/bread', value: 'rye' });
}

/** Gives every Oven a ConfigMap that says how hot it is; an Oven goes when it has cooled down. */
async function reconcile(config: KubeConfig, { metadata, spec }: Oven): Promise<void> {
  const { name = '', uid = '', finalizers = [], deletionTimestamp, resourceVersion = '' } = metadata;
  const custom = config.makeApiClient(CustomObjectsApi);
  const at = { group, version, plural, namespace, name };
  const merging = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
  const setFinalizers = (after: readonly string[]): Promise<unknown> =>
    custom.patchNamespacedCustomObject({ ...at, body: { metadata: { resourceVersion, finalizers: after } } }, merging);
  if (deletionTimestamp) {
    if (finalizers.includes(finalizer)) await setFinalizers(finalizers.filter((other) => other !== finalizer));
    return;
  }
  if (!finalizers.includes(finalizer)) {
    await setFinalizers([...finalizers, finalizer]);
    return;
  }
  const heat: V1ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, ownerReferences: [{ apiVersion, kind: 'Oven', name, uid, controller: true, blockOwnerDeletion: true }] },
    data: { celsius: String(spec?.celsius) },
  };
  const objects = KubernetesObjectApi.makeApiClient(config);
  await objects.patch(heat, undefined, undefined, 'bakery', true, PatchStrategy.ServerSideApply);
  await custom.patchNamespacedCustomObjectStatus({ ...at, body: { status: { heated: spec?.celsius } } }, merging);
}

let cluster: Cluster;
let hook: WebhookServer;
let stopOperator: () => Promise<void>;
const config = new KubeConfig();
const lost: unknown[] = [];

/** Resolves with the first object of the path that is as wanted, as a watch tells of it. */
async function seen<T>(path: string, wanted: (object: T, event: string) => boolean | undefined): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const look = (event: string, object: T): void => {
    if (wanted(object, event)) resolve(object);
  };
  const watching = await new Watch(config).watch(path, {}, look, (error) => reject(error ?? new Error(`the watch of ${path} has ended`)));
  try {
    return await promise;
  } finally {
    watching.abort();
  }
}

const oven = (name: string, spec: Oven['spec']): object => ({ apiVersion, kind: 'Oven', metadata: { name }, spec });
const isConflict = (error: unknown): boolean => error instanceof ApiException && (error.code === 409 || error.code === 404);

before(async () => {
  cluster = await startCluster({ simulated: 1 });
  config.loadFromString(cluster.kubeconfig);
  await config.makeApiClient(ApiextensionsV1Api).createCustomResourceDefinition({ body: definition });
  await seen<V1CustomResourceDefinition>(definitions, ({ metadata, status }) =>
    Boolean(
      metadata?.name === definition.metadata?.name &&
        status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True'),
    ),
  );
  hook = await startWebhookServer();
  hook.answer('/judge', judge);
  await config.makeApiClient(AdmissionregistrationV1Api).createMutatingWebhookConfiguration({
    body: {
      metadata: { name: 'ovens' },
      webhooks: [
        {
          name: 'judge.bakery.example.com',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          clientConfig: hook.clientConfig('/judge'),
          rules: [{ apiGroups: [group], apiVersions: [version], resources: [plural], operations: ['CREATE', 'UPDATE'] }],
        },
      ],
    },
  });
  const custom = config.makeApiClient(CustomObjectsApi);
  const informer = makeInformer<Oven>(config, ovens, () => custom.listNamespacedCustomObject({ group, version, plural, namespace }));
  // what was written meanwhile is told again
  const follow = (object: Oven): void => void reconcile(config, object).catch((error) => isConflict(error) || lost.push(error));
  informer.on('add', follow);
  informer.on('update', follow);
  await informer.start();
  stopOperator = () => informer.stop();
});

after(async () => {
  await stopOperator();
  await hook[Symbol.asyncDispose]();
  await cluster.stop();
});

it('an object is defaulted by schema and webhook, owns what is applied for it, has a status, and goes when it has cooled down', async () => {
  const custom = config.makeApiClient(CustomObjectsApi);
  const core = config.makeApiClient(CoreV1Api);
  const at = { group, version, plural, namespace, name: 'stone' };
  const made: Oven = await custom.createNamespacedCustomObject({ ...at, body: oven('stone', { celsius: 200 }) });
  assert.deepEqual(made.spec, { celsius: 200, bread: 'rye', color: 'white' });
  const heated = await seen<Oven>(ovens, ({ status }) => status?.heated === 200);
  assert.deepEqual([heated.metadata.finalizers, heated.metadata.generation], [[finalizer], 1], 'a status is no new generation');

  await custom.patchNamespacedCustomObject(
    { ...at, body: [{ op: 'replace', path: '/spec/celsius', value: 250 }] },
    setHeaderOptions('Content-Type', PatchStrategy.JsonPatch),
  );
  const { metadata } = await seen<V1ConfigMap>(maps, ({ data }) => data?.['celsius'] === '250');
  assert.equal(metadata?.ownerReferences?.[0]?.uid, made.metadata.uid);
  assert.deepEqual(
    metadata?.managedFields?.map(({ manager, operation }) => [manager, operation]),
    [['bakery', 'Apply']],
  );

  const gone = seen<V1ConfigMap>(maps, (map, event) => event === 'DELETED' && map.metadata?.name === 'stone');
  await custom.deleteNamespacedCustomObject({ ...at });
  await gone;
  await assert.rejects(custom.getNamespacedCustomObject(at), { code: 404 });
  await assert.rejects(core.readNamespacedConfigMap({ namespace, name: 'stone' }), { code: 404 });
  assert.deepEqual(lost, []);
});

it('schema, rules and webhook refuse, each in its words', async () => {
  const custom = config.makeApiClient(CustomObjectsApi);
  const rows = [
    { spec: { celsius: 900 }, code: 422, says: /admission webhook \\"judge.bakery.example.com\\" denied the request: 900 °C burns bread/ },
    { spec: { celsius: 10 }, code: 422, says: /spec.celsius in body should be greater than or equal to 20/ },
    { spec: { celsius: 200, bread: 'raw' }, code: 422, says: /raw bread stays cool/ },
  ];
  for (const { spec, code, says } of rows) {
    await assert.rejects(
      custom.createNamespacedCustomObject({ group, version, plural, namespace, body: oven('refused', spec) }),
      (error) => {
        assert.ok(error instanceof ApiException);
        assert.match(String(error.body), says);
        assert.equal(error.code, code);
        return true;
      },
    );
  }
});

it('its objects go with the definition, after what the operator has to do for them', async () => {
  const custom = config.makeApiClient(CustomObjectsApi);
  await custom.createNamespacedCustomObject({ group, version, plural, namespace, body: oven('last', { celsius: 100 }) });
  await seen<Oven>(ovens, ({ status }) => status?.heated === 100);
  const gone = seen<V1CustomResourceDefinition>(definitions, (_, event) => event === 'DELETED');
  await config.makeApiClient(ApiextensionsV1Api).deleteCustomResourceDefinition({ name: definition.metadata?.name ?? '' });
  await gone;
  await assert.rejects(custom.listNamespacedCustomObject({ group, version, plural, namespace }), { code: 404 });
});
