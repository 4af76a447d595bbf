import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInKinds } from '../kinds/all.ts';
import { decodeProtobuf, decodeProtobufInSteps } from './decode-protobuf.ts';
import {
  encodeEnveloped,
  encodeEvent,
  encodeItemHead,
  encodeListHead,
  encodeMessage,
  encodeMessageInSteps,
  type TypeMeta,
} from './encode-protobuf.ts';
import type { Schema } from './types.ts';

/** As with rests, during which others write messages of their own. */
function encodedInSteps(object: TypeMeta): Buffer {
  const steps = encodeMessageInSteps(object);
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done) return step.value;
    encodeMessage({ apiVersion: 'v1', kind: 'Pod' });
  }
}

const roundTrip = (object: TypeMeta): object => decodeProtobuf(encodeEnveloped(object, encodeMessage(object)), '');

/** A value with every field of its type; `number` makes neighbours differ. A type that holds itself does so once. */
function filled(schema: Schema, number: number, within: readonly string[] = []): unknown {
  switch (schema.type) {
    case 'string':
      return `text ${number} ä`;
    case 'boolean':
      return true;
    case 'int32':
      return -number;
    case 'int64':
      return number * 2 ** 40 + 1;
    case 'double':
      return number + 0.5;
    case 'bytes':
      return Buffer.from(`bytes ${number}`).toString('base64');
    case 'time':
      return '2026-01-02T03:04:05Z';
    case 'microTime':
      return '2026-01-02T03:04:05.000006Z';
    case 'quantity':
      return `${number}Mi`;
    case 'intOrString':
      return number % 2 ? number : `${number}%`;
    case 'any':
      return { description: 'JSON, or the schema of a custom resource' };
    case 'list':
      return schema.items.type === 'object' ? [filled(schema.items, number, within)] : [1, 2].map((n) => filled(schema.items, n, within));
    case 'map':
      return { a: filled(schema.values, 1, within), b: filled(schema.values, 2, within) };
    case 'object': {
      const fields = within.includes(schema.name) ? [] : [...schema.fields.values()].filter(({ proto }) => proto !== undefined);
      return Object.fromEntries(fields.map(({ name, schema: inner }, i) => [name, filled(inner, i + 1, [...within, schema.name])]));
    }
  }
}

for (const { kind, version, group, schema } of builtInKinds) {
  test(`every field of ${kind} ${group}/${version} comes back`, () => {
    const object = { apiVersion: group ? `${group}/${version}` : version, kind, ...(filled(schema, 1) as object) };
    assert.deepEqual(roundTrip(object), object);
    assert.ok(encodedInSteps(object).equals(encodeMessage(object)));
  });
}

const count = 30_000;
const keys = Array.from({ length: count }, (_, i) => `k${i}`);
const large: readonly { readonly name: string; readonly given: object }[] = [
  { name: 'a map', given: { apiVersion: 'v1', kind: 'ConfigMap', data: Object.fromEntries(keys.map((key) => [key, 'v'])) } },
  { name: 'a list of texts', given: { apiVersion: 'v1', kind: 'Namespace', spec: { finalizers: keys } } },
  { name: 'a list of objects', given: { apiVersion: 'v1', kind: 'Pod', spec: { tolerations: keys.map((key) => ({ key })) } } },
  {
    name: 'a list in an item of a list',
    given: { apiVersion: 'v1', kind: 'Pod', spec: { containers: [{ name: 'c', env: keys.map((name) => ({ name })) }, { name: 'd' }] } },
  },
  {
    name: 'a map of objects',
    given: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      spec: {
        versions: [{ schema: { openAPIV3Schema: { properties: Object.fromEntries(keys.map((key) => [key, { type: 'string' }])) } } }],
      },
    },
  },
];
const roundsMin = 4;

for (const { name, given } of large) {
  test(`${name} of ${count} is written and read in slices`, () => {
    const object = given as TypeMeta;
    const message = encodeMessage(object);
    assert.ok(encodedInSteps(object).equals(message));
    assert.ok(encodeMessageInSteps(object).toArray().length > roundsMin);
    const reading = decodeProtobufInSteps(encodeEnveloped(object, message), '', 6 * count);
    let rests = 0;
    let step = reading.next();
    for (; !step.done; step = reading.next()) rests++;
    assert.ok(rests > roundsMin, String(rests));
    assert.deepEqual(step.value, object);
  });
}

const definition = (schema: object): TypeMeta =>
  ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    spec: { versions: [{ name: 'v1', schema: { openAPIV3Schema: schema } }] },
  }) as TypeMeta;

const cases: { name: string; given: TypeMeta }[] = [
  {
    name: 'zeros of pointers',
    given: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      spec: { replicas: 0, paused: true, template: { spec: { volumes: [{ name: 'v', emptyDir: {} }] } } },
    } as TypeMeta,
  },
  {
    name: 'texts longer than the first buffer',
    given: { apiVersion: 'v1', kind: 'ConfigMap', data: { a: 'ü'.repeat(5000), b: '' } } as TypeMeta,
  },
  {
    name: 'time before 1970',
    given: { apiVersion: 'v1', kind: 'Pod', metadata: { creationTimestamp: '1969-12-31T23:59:58Z' } } as TypeMeta,
  },
  {
    name: "the unions of a custom resource's schema",
    given: definition({
      items: { type: 'string' },
      additionalProperties: false,
      dependencies: { a: ['x', 'y'], b: { type: 'object' } },
      default: [1, null],
    }),
  },
];
for (const { name, given } of cases) test(name, () => assert.deepEqual(roundTrip(given), given));

test('a list is the list of its items', () => {
  const pods = ['a', 'b'].map((name) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name } }));
  const items = pods.map(encodeMessage).map((item) => Buffer.concat([encodeItemHead(item.length), item]));
  const head = encodeListHead({ apiVersion: 'v1', kind: 'PodList' }, { resourceVersion: '7' }, Buffer.concat(items).length);
  const read = decodeProtobuf(Buffer.concat([head, ...items]), '');
  const want = { apiVersion: 'v1', kind: 'PodList', metadata: { resourceVersion: '7' }, items: pods.map(({ metadata }) => ({ metadata })) };
  assert.deepEqual(read, want);
});

test('an event is its length, its type and the enveloped object', () => {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } };
  const frame = encodeEvent('ADDED', pod, encodeMessage(pod));
  assert.equal(frame.readUInt32BE(), frame.length - 4);
  const object = encodeEnveloped(pod, encodeMessage(pod));
  const want = [0x0a, 5, ...Buffer.from('ADDED'), 0x12, object.length + 2, 0x0a, object.length, ...object];
  assert.deepEqual([...frame.subarray(4)], want);
});

test("an object's metadata alone has a message too", () => {
  const partial = { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', metadata: { name: 'a' } };
  assert.deepEqual(encodeMessage(partial), encodeMessage({ ...partial, apiVersion: 'v1', kind: 'Pod' }));
});
