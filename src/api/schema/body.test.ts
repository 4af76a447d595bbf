import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStatusError } from '../meta/status-error.ts';
import { bodyTypeOf, decodeBody, type FieldValidation, parseBody } from './body.ts';

const pod = bodyTypeOf({ group: '', version: 'v1', kind: 'Pod' });
const configMap = bodyTypeOf({ group: '', version: 'v1', kind: 'ConfigMap' });
const deployment = bodyTypeOf({ group: 'apps', version: 'v1', kind: 'Deployment' });
const lease = bodyTypeOf({ group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' });
const crd = bodyTypeOf({ group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' });

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isStatusError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'accepted';
}

const podOf = (spec: object, container: object = {}, rest: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a' },
  spec: { containers: [{ name: 'c', image: 'i', ...container }], ...spec },
  ...rest,
});
const quantityMessage = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

const wrongTypes: readonly { given: object; want: string }[] = [
  { given: podOf({ hostNetwork: 'x' }), want: 'json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool' },
  {
    given: podOf({ containers: 'x' }),
    want: 'json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container',
  },
  {
    given: podOf({}, { name: 5 }),
    want: 'json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string',
  },
  {
    given: podOf({ terminationGracePeriodSeconds: 5.5 }),
    want: 'json: cannot unmarshal number 5.5 into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64',
  },
  {
    given: podOf({ terminationGracePeriodSeconds: 1e19 }),
    want: 'json: cannot unmarshal number 10000000000000000000 into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64',
  },
  {
    given: podOf({ priority: 3000000000 }),
    want: 'json: cannot unmarshal number 3000000000 into Go struct field PodSpec.spec.priority of type int32',
  },
  {
    given: podOf({ nodeSelector: { a: 5 } }),
    want: 'json: cannot unmarshal number into Go struct field PodSpec.spec.nodeSelector of type string',
  },
  {
    given: podOf({ nodeSelector: [] }),
    want: 'json: cannot unmarshal array into Go struct field PodSpec.spec.nodeSelector of type map[string]string',
  },
  { given: podOf({}, { resources: { limits: { cpu: 'abc' } } }), want: quantityMessage },
  { given: podOf({}, { resources: { limits: { cpu: {} } } }), want: quantityMessage },
  {
    given: podOf({}, { livenessProbe: { httpGet: { port: true } } }),
    want: 'json: cannot unmarshal bool into Go struct field HTTPGetAction.spec.containers.livenessProbe.ProbeHandler.httpGet.port of type int32',
  },
  {
    given: podOf({}, { livenessProbe: { httpGet: { port: 1.5 } } }),
    want: 'json: cannot unmarshal number 1.5 into Go struct field HTTPGetAction.spec.containers.livenessProbe.ProbeHandler.httpGet.port of type int32',
  },
  {
    given: podOf({}, { livenessProbe: { exec: 5 } }),
    want: 'json: cannot unmarshal number into Go struct field Probe.spec.containers.livenessProbe.ProbeHandler.exec of type v1.ExecAction',
  },
  {
    given: podOf({}, { imagePullPolicy: 5 }),
    want: 'json: cannot unmarshal number into Go struct field Container.spec.containers.imagePullPolicy of type v1.PullPolicy',
  },
  {
    given: podOf({}, {}, { metadata: { creationTimestamp: 'yesterday' } }),
    want: 'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
  },
  {
    given: podOf({}, {}, { metadata: { creationTimestamp: 5 } }),
    want: 'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string',
  },
  {
    given: podOf({}, {}, { metadata: { labels: { x: 1 } } }),
    want: 'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
  },
  {
    given: podOf({}, {}, { metadata: 'x' }),
    want: 'json: cannot unmarshal string into Go struct field Pod.metadata of type v1.ObjectMeta',
  },
  { given: podOf({}, {}, { spec: 5 }), want: 'json: cannot unmarshal number into Go struct field Pod.spec of type v1.PodSpec' },
];

const withSchema = (schema: object) => ({ spec: { versions: [{ name: 'v1', schema: { openAPIV3Schema: schema } }] } });
const schemaRows: readonly { name: string; given: object; want: unknown }[] = [
  { name: 'true or false', given: { additionalProperties: false }, want: { additionalProperties: false } },
  { name: 'a schema', given: { items: { type: 'string' } }, want: { items: { type: 'string' } } },
  { name: 'a field that no schema has', given: { items: { type: 'string', foo: 1 } }, want: { items: { type: 'string' } } },
  { name: 'several schemas', given: { items: [{ type: 'string' }] }, want: { items: [{ type: 'string' }] } },
  { name: 'names', given: { dependencies: { a: ['b'] } }, want: { dependencies: { a: ['b'] } } },
  { name: 'no schema at all', given: { items: 'x' }, want: {} },
  { name: 'text for true or false', given: { additionalProperties: 'x' }, want: 'boolean or JSON schema expected' },
  {
    name: 'names that are numbers',
    given: { dependencies: { a: [0] } },
    want: 'json: cannot unmarshal number into Go struct field JSONSchemaProps.spec.versions.schema.openAPIV3Schema.dependencies of type string',
  },
  {
    name: 'schemas that are text',
    given: { items: ['x'] },
    want: 'json: cannot unmarshal string into Go struct field JSONSchemaProps.spec.versions.schema.openAPIV3Schema.items of type v1.JSONSchemaProps',
  },
];
for (const { name, given, want } of schemaRows) {
  test(`within the schema of a custom resource: ${name}`, () => {
    const read = (): unknown => decodeBody(crd, withSchema(given), { fieldValidation: 'Warn' }).object;
    if (typeof want === 'string') {
      assert.equal(
        messageOf(read),
        `400 CustomResourceDefinition in version "v1" cannot be handled as a CustomResourceDefinition: ${want}`,
      );
    } else {
      const { spec } = read() as { spec: { versions: { schema: { openAPIV3Schema: unknown } }[] } };
      assert.deepEqual(spec.versions[0]?.schema.openAPIV3Schema, want);
    }
  });
}

test('a value of the wrong type is refused in upstream words', () => {
  for (const { given, want } of wrongTypes) {
    const found = messageOf(() => decodeBody(pod, given as Record<string, unknown>, { fieldValidation: 'Warn' }));
    assert.equal(found, `400 Pod in version "v1" cannot be handled as a Pod: ${want}`);
  }
});

const unrecognized = "400 the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: ";
const wrongBodies: readonly { text: string; want: string }[] = [
  { text: '{', want: `${unrecognized}unexpected end of JSON input ({)` },
  { text: '', want: `${unrecognized}unexpected end of JSON input (<empty>)` },
  {
    text: '"x"',
    want: `${unrecognized}json: cannot unmarshal string into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (227822)`,
  },
  { text: '{"a":1,}', want: `${unrecognized}invalid character '}' looking for beginning of object key string ({"a":1,})` },
  { text: '{"a":tru}', want: `${unrecognized}invalid character '}' in literal true (expecting 'e') ({"a":tru})` },
  {
    text: '{"apiVersion":"v1","kind":5,"metadata":{"name":"a"}}',
    want: `${unrecognized}json: cannot unmarshal number into Go struct field .kind of type string ({"apiVersion":"v1","kind":5,"m ...)`,
  },
  {
    text: '{"apiVersion":"v1","kind":"Foo"}',
    want: '400 Foo in version "v1" cannot be handled as a Pod: no kind "Foo" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"',
  },
  {
    text: '{"apiVersion":"v2","kind":"Pod"}',
    want: '400 Pod in version "v2" cannot be handled as a Pod: no kind "Pod" is registered for version "v2" in scheme "pkg/runtime/scheme.go:111"',
  },
  {
    text: '{"apiVersion":"v1","kind":"Service"}',
    want: '400 Service in version "v1" cannot be handled as a Pod: converting (v1.Service) to (core.Pod): unknown conversion',
  },
  { text: 'null', want: 'accepted' },
  { text: '{"metadata":{"name":"a"}}', want: 'accepted' },
  {
    text: `{"a":${'['.repeat(90_000)}`,
    want: `${unrecognized}invalid character '[' exceeded max depth ({"a":[[[[[[[[[[[[[[[[[[[[[[[[[ ...)`,
  },
];

test('a body that is no object of the kind is refused in upstream words', () => {
  for (const { text, want } of wrongBodies) {
    assert.equal(
      messageOf(() => decodeBody(pod, parseBody(text, 'Pod'), { fieldValidation: 'Warn', text })),
      want,
    );
  }
});

const strictRows: readonly { name: string; text: string; want: readonly string[] }[] = [
  { name: 'nothing wrong', text: '{"metadata":{"name":"a"},"data":{"a":"\\":","b" : "x"}}', want: [] },
  {
    name: 'unknown fields at all levels, in order',
    text: '{"metadata":{"bar":2,"ownerReferences":[{"x":1}]},"foo":1,"bar":{"x":1}}',
    want: ['unknown field "metadata.bar"', 'unknown field "metadata.ownerReferences[0].x"', 'unknown field "foo"', 'unknown field "bar"'],
  },
  {
    name: 'duplicate fields',
    text: '{"kind":"ConfigMap","kind":"ConfigMap","metadata":{"name":"a","name":"b"},"data":{"a":"1","a":"2"},"x":1}',
    want: ['duplicate field "kind"', 'duplicate field "metadata.name"', 'duplicate field "data.a"', 'unknown field "x"'],
  },
  { name: 'names are told apart by case', text: '{"Data":{"a":"b"}}', want: ['unknown field "Data"'] },
];

test('unknown and duplicate fields', async (t) => {
  for (const { name, text, want } of strictRows) {
    await t.test(name, () => {
      const run = (fieldValidation: FieldValidation) => decodeBody(configMap, parseBody(text, 'ConfigMap'), { fieldValidation, text });
      assert.deepEqual(run('Ignore').warnings, []);
      assert.deepEqual(run('Warn').warnings, want);
      const message = `400 ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: ${want.join(', ')}`;
      assert.equal(
        messageOf(() => run('Strict')),
        want.length ? message : 'accepted',
      );
    });
  }
});

test('fields below map keys are named with the key', () => {
  const body = { spec: { versions: [{ schema: { openAPIV3Schema: { properties: { 'x.y': { zap: 1 } } } } }] } };
  assert.deepEqual(decodeBody(crd, body, { fieldValidation: 'Warn' }).warnings, [
    'unknown field "spec.versions[0].schema.openAPIV3Schema.properties.x.y.zap"',
  ]);
});

test('what is decoded has the form that upstream stores', () => {
  const body = {
    metadata: { name: 'd', labels: {}, annotations: null, creationTimestamp: '2020-01-01T00:00:00.123+02:00' },
    spec: {
      replicas: 0,
      paused: false,
      selector: { matchLabels: { a: 'b' } },
      template: {
        metadata: { labels: { a: null } },
        spec: {
          hostNetwork: false,
          containers: [{ name: 'c', args: [], command: [null], tty: false, resources: { limits: { cpu: '0.5', memory: 1024 } } }],
          volumes: [{ name: 'v', emptyDir: {} }],
        },
      },
    },
  };
  assert.deepEqual(decodeBody(deployment, body, { fieldValidation: 'Strict' }).object, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', creationTimestamp: '2019-12-31T22:00:00Z' },
    spec: {
      replicas: 0,
      selector: { matchLabels: { a: 'b' } },
      strategy: {},
      template: {
        metadata: { labels: { a: '' } },
        spec: {
          containers: [{ name: 'c', command: [''], resources: { limits: { cpu: '500m', memory: '1024' } } }],
          volumes: [{ name: 'v', emptyDir: {} }],
        },
      },
    },
    status: {},
  });
});

const binaryRows: readonly { given: unknown; want: string }[] = [
  { given: 'aGVs\nbG8=', want: 'aGVsbG8=' },
  { given: 'aGVs\r\nb\nG8\n=', want: 'aGVsbG8=' },
  { given: 'aGVs\nb\u0147G8', want: 'illegal base64 data at input byte 5' },
  { given: null, want: '' },
  { given: '!!', want: 'illegal base64 data at input byte 0' },
  { given: 'aGVsbG8', want: 'illegal base64 data at input byte 4' },
  { given: 5, want: 'json: cannot unmarshal number into Go struct field ConfigMap.binaryData of type []uint8' },
];

test('base64', () => {
  for (const { given, want } of binaryRows) {
    let found: unknown;
    const message = messageOf(() => {
      found = decodeBody(configMap, { binaryData: { b: given } }, { fieldValidation: 'Warn' }).object;
    });
    const failure = `400 ConfigMap in version "v1" cannot be handled as a ConfigMap: ${want}`;
    if (message === 'accepted') assert.deepEqual((found as { binaryData: unknown }).binaryData, { b: want });
    else assert.equal(message, failure);
  }
});

const timeRows: readonly { given: string; want: string }[] = [
  { given: '2020-13-01T00:00:00Z', want: 'parsing time "2020-13-01T00:00:00Z": month out of range' },
  {
    given: '2020-01-01T00:00:00Z',
    want: 'parsing time "2020-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
  },
  {
    given: '2020-01-01T00:00:00.1234567Z',
    want: 'parsing time "2020-01-01T00:00:00.1234567Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "7Z" as "Z07:00"',
  },
];

test('times with microseconds', () => {
  for (const { given, want } of timeRows) {
    const message = messageOf(() => decodeBody(lease, { spec: { renewTime: given } }, { fieldValidation: 'Warn' }));
    assert.equal(message, `400 Lease in version "v1" cannot be handled as a Lease: ${want}`);
  }
});

test('an int64 is one that clients can read', () => {
  const limits = podOf({ activeDeadlineSeconds: 2 ** 63, terminationGracePeriodSeconds: -(2 ** 63) });
  const { object } = decodeBody(pod, limits as Record<string, unknown>, { fieldValidation: 'Ignore' });
  assert.match(JSON.stringify(object), /"activeDeadlineSeconds":9223372036854775000,"terminationGracePeriodSeconds":-9223372036854775000/);
});

test('an int64 is one that clients can read', () => {
  const limits = podOf({ activeDeadlineSeconds: 2 ** 63, terminationGracePeriodSeconds: -(2 ** 63) });
  const { object } = decodeBody(pod, limits as Record<string, unknown>, { fieldValidation: 'Ignore' });
  assert.match(JSON.stringify(object), /"activeDeadlineSeconds":9223372036854775000,"terminationGracePeriodSeconds":-9223372036854775000/);
});

test('nothing is changed in place, and copies share nothing', () => {
  const body = podOf({ hostNetwork: false, foo: 1 }) as Record<string, unknown>;
  const text = JSON.stringify(body);
  const once = decodeBody(pod, body, { fieldValidation: 'Ignore' }).object;
  assert.equal(JSON.stringify(body), text);
  assert.equal(decodeBody(pod, once as never, { fieldValidation: 'Ignore' }).object, once, 'a canonical object is returned as it is');
  const copy = decodeBody(pod, once as never, { fieldValidation: 'Ignore', copy: true }).object;
  assert.deepEqual(copy, once);
  assert.notEqual(copy.metadata, once.metadata);
});

test('keys that mean something to JavaScript are only data', () => {
  const text = '{"metadata":{"labels":{"__proto__":"x","constructor":"y"}},"__proto__":{"a":1},"data":{"__proto__":null}}';
  const { object, warnings } = decodeBody(configMap, parseBody(text, 'ConfigMap'), { fieldValidation: 'Warn', text });
  assert.deepEqual(warnings, ['unknown field "__proto__"']);
  assert.equal(JSON.stringify(object.metadata.labels), '{"__proto__":"x","constructor":"y"}');
  assert.equal(Object.getPrototypeOf(object), Object.prototype);
});

test('an Eviction of an older version is taken for one of today', () => {
  const eviction = bodyTypeOf({ group: 'policy', version: 'v1', kind: 'Eviction' });
  const given = { apiVersion: 'policy/v1beta1', kind: 'Eviction', metadata: { name: 'a' } };
  assert.deepEqual(decodeBody(eviction, given, { fieldValidation: 'Strict' }).object, { ...given, apiVersion: 'policy/v1' });
});
