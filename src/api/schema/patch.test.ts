import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '../meta/object.ts';
import { isStatusError } from '../meta/status-error.ts';
import { takeSteps } from '../meta/steps.ts';
import { bodyTypeOf, bodyValuesMax, type DecodedBody, type FieldValidation } from './body.ts';
import { applyJsonPatch, JsonPatchError } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import { applyPatch, checkPatchedValues, type DocumentPatchType, decodePatched, parsePatch } from './patch.ts';
import { applyStrategicMerge } from './strategic-merge.ts';
import { objectSchema } from './types.ts';

const patchAtOnce = (...given: Parameters<typeof applyJsonPatch>): unknown => takeSteps(applyJsonPatch(...given));

const configMap = bodyTypeOf({ group: '', version: 'v1', kind: 'ConfigMap' });
const current = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'p', labels: { a: 'b' }, ownerReferences: [{ uid: 'u' }] },
  data: { x: '1', y: '2' },
} as unknown as KubeObject;

const rejected = '422 the server rejected our request due to an error in our request';
const asText = (patch: unknown): string => (typeof patch === 'string' ? patch : JSON.stringify(patch));

function apply(type: DocumentPatchType, patch: unknown, fieldValidation: FieldValidation): DecodedBody {
  const parsed = parsePatch(type, asText(patch));
  const patched = takeSteps(applyPatch(parsed, configMap, current));
  checkPatchedValues(patched);
  return takeSteps(decodePatched(parsed, configMap, patched, fieldValidation));
}

function outcome(type: DocumentPatchType, patch: unknown): unknown {
  try {
    const { object, warnings } = apply(type, patch, 'Warn');
    const { data } = object as unknown as { data?: unknown };
    return { data, ...(warnings.length && { warnings }) };
  } catch (error) {
    if (isStatusError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
}

/** `{"a":{"a":…{}}}` */
function nested(depth: number): object {
  let value = {};
  for (let i = 0; i < depth; i++) value = { a: value };
  return value;
}

const rows: readonly { type: DocumentPatchType; patch: unknown; want: unknown }[] = [
  { type: 'json', patch: [{ op: 'replace', path: '/data/z', value: '1' }], want: { data: { x: '1', y: '2', z: '1' } } },
  { type: 'json', patch: [{ op: 'remove', path: '/data/z' }], want: rejected },
  { type: 'json', patch: [{ op: 'test', path: '/data/x', value: '2' }], want: rejected },
  { type: 'json', patch: [{ op: 'test', path: '/data/none', value: null }], want: { data: { x: '1', y: '2' } } },
  { type: 'json', patch: [{ op: 'add', path: '/foo/z', value: '1' }], want: rejected },
  { type: 'json', patch: [{ op: 'foo', path: '/data/z', value: '1' }], want: rejected },
  { type: 'json', patch: [{ op: 'add', path: 'data', value: '1' }], want: rejected },
  { type: 'json', patch: [{ op: 'add', path: '', value: { a: 1 } }], want: rejected },
  { type: 'json', patch: [{ op: 'move', from: '/data/x', path: '/data/q' }], want: { data: { y: '2', q: '1' } } },
  { type: 'json', patch: [{ op: 'copy', from: '/data/none', path: '/data/q' }], want: { data: { x: '1', y: '2', q: '' } } },
  { type: 'json', patch: [{ op: 'add', path: '/data/w' }], want: { data: { x: '1', y: '2', w: '' } } },
  { type: 'json', patch: [{ op: 'add', path: '/metadata/finalizers/-', value: 'a.b/c' }], want: rejected },
  {
    type: 'json',
    patch: [{ op: 'add', path: '/foo', value: 5 }],
    want: { data: { x: '1', y: '2' }, warnings: ['unknown field "foo"'] },
  },
  {
    type: 'json',
    patch: { op: 'add' },
    want: '400 error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
  },
  {
    type: 'json',
    patch: [
      { op: 'add', path: '/metadata/finalizers', value: ['a.b/c'] },
      { op: 'remove', path: '/metadata/finalizers/-1' },
      { op: 'test', path: '/metadata/finalizers', value: [] },
    ],
    want: { data: { x: '1', y: '2' } },
  },
  {
    type: 'json',
    patch: [{ op: 'add', path: '/data/__proto__', value: '1' }],
    want: { data: JSON.parse('{"x":"1","y":"2","__proto__":"1"}') },
  },
  {
    type: 'json',
    patch: [
      { op: 'copy', from: '/data', path: '/data/c' },
      { op: 'add', path: '/data/c/z', value: '1' },
      { op: 'remove', path: '/data/c' },
    ],
    want: { data: { x: '1', y: '2' } },
  },
  {
    type: 'json',
    patch: [
      { op: 'add', path: '/data', value: { a: 'b' } },
      ...Array.from({ length: 60 }, (_, i) => ({ op: 'copy', from: '/data', path: `/data/${i}` })),
    ],
    want: rejected,
  },
  // What stands before the first slash of a path is not looked at.
  { type: 'json', patch: [{ op: 'add', path: 'x/data/w', value: '1' }], want: { data: { x: '1', y: '2', w: '1' } } },
  { type: 'json', patch: [{ op: 'add', path: 'data/w', value: '1' }], want: { data: { x: '1', y: '2' }, warnings: ['unknown field "w"'] } },
  { type: 'json', patch: [{ op: 'copy', from: 'x/data/y', path: '/data/w' }], want: { data: { x: '1', y: '2', w: '2' } } },
  // Only the last step of a path may lead to nothing.
  { type: 'json', patch: [{ op: 'test', path: '/none/x', value: null }], want: rejected },
  { type: 'json', patch: [{ op: 'copy', from: '/none/x', path: '/data/q' }], want: rejected },
  { type: 'json', patch: [{ op: 'test', path: '/metadata/ownerReferences/5', value: null }], want: rejected },
  { type: 'json', patch: [{ op: 'replace', path: '/metadata/ownerReferences/-', value: {} }], want: rejected },
  { type: 'json', patch: [{ op: 'move', from: '/data', path: '/data/q' }], want: rejected },
  { type: 'json', patch: [{ op: 'add', path: '/data/a~1b~01', value: '1' }], want: { data: { x: '1', y: '2', 'a/b~1': '1' } } },
  { type: 'json', patch: [{ op: 'replace', path: '', value: { data: { r: '1' } } }], want: { data: { r: '1' } } },
  { type: 'json', patch: [{ op: 'replace', path: '', value: null }], want: rejected },
  { type: 'json', patch: [{ op: 'test', path: '', value: current }], want: { data: { x: '1', y: '2' } } },
  { type: 'json', patch: [null], want: rejected },
  { type: 'json', patch: [{ op: null, path: '/data/x' }], want: rejected },
  {
    type: 'json',
    patch: ['a'],
    want: '400 error decoding patch: json: cannot unmarshal string into Go value of type handlers.jsonPatchOp',
  },
  {
    type: 'json',
    patch: [{ op: 'add', path: 5 }],
    want: '400 error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.path of type string',
  },
  { type: 'json', patch: [{ op: 'test', path: `/${'~1'.repeat(40_000)}`, value: null }], want: rejected },
  // Work without end: each operation one level deeper, moved chains, long lists moved or looked through again and again.
  { type: 'json', patch: Array.from({ length: 1600 }, (_, i) => ({ op: 'add', path: '/a'.repeat(i + 1), value: {} })), want: rejected },
  {
    type: 'json',
    patch: [
      { op: 'add', path: '/c', value: nested(300) },
      { op: 'add', path: `/c${'/a'.repeat(299)}`, value: nested(300) },
    ],
    want: rejected,
  },
  {
    type: 'json',
    patch: [
      { op: 'add', path: '/c0', value: nested(1) },
      ...Array.from({ length: 40 }, (_, i) => [
        { op: 'add', path: `/c${i + 1}`, value: nested(400) },
        { op: 'move', from: `/c${i}`, path: `/c${i + 1}${'/a'.repeat(400)}` },
      ]).flat(),
    ],
    want: rejected,
  },
  {
    type: 'json',
    patch: [
      { op: 'add', path: '/l', value: Array.from({ length: 50_000 }, () => 0) },
      ...Array.from({ length: 5_000 }, () => ({ op: 'add', path: '/l/0', value: 0 })),
      { op: 'remove', path: '/l' },
    ],
    want: rejected,
  },
  {
    type: 'json',
    patch: [
      { op: 'add', path: '/l', value: Array.from({ length: 5_000 }, () => ({})) },
      ...Array.from({ length: 9_000 }, () => ({ op: 'test', path: '/l/0', value: {} })),
      ...Array.from({ length: 900 }, () => ({ op: 'remove', path: '/l/0' })),
      { op: 'remove', path: '/l' },
    ],
    want: { data: { x: '1', y: '2' } },
  },
  {
    type: 'json',
    patch: [
      { op: 'add', path: '/l', value: Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [i, 0])) },
      ...Array.from({ length: 9_000 }, () => ({ op: 'copy', from: '/data/x', path: '/data/y' })),
      { op: 'remove', path: '/l' },
    ],
    want: { data: { x: '1', y: '1' } },
  },
  { type: 'json', patch: '{', want: '400 error decoding patch: unexpected end of JSON input' },
  {
    type: 'json',
    patch: Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/data/x', value: '1' })),
    want: '413 Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
  },
  { type: 'merge', patch: { data: { x: null, z: '3' } }, want: { data: { y: '2', z: '3' } } },
  { type: 'merge', patch: { data: null }, want: { data: undefined } },
  {
    type: 'merge',
    patch: { data: { x: 5 } },
    want: '422  "" is invalid: patch: Invalid value: "{\\"apiVersion\\":\\"v1\\",\\"kind\\":\\"ConfigMap\\",\\"metadata\\":{\\"name\\":\\"p\\",\\"labels\\":{\\"a\\":\\"b\\"},\\"ownerReferences\\":[{\\"uid\\":\\"u\\"}]},\\"data\\":{\\"x\\":5,\\"y\\":\\"2\\"}}": json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
  },
  {
    type: 'merge',
    patch: [],
    want: '400 error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
  },
  {
    type: 'merge',
    patch: `{"data":${'{"a":'.repeat(30_000)}1${'}'.repeat(30_000)}}`,
    want: '400 error decoding patch: exceeded max depth',
  },
  { type: 'merge', patch: '{"data":{"z":"\\ud83d\\ude00\\ud83d"}}', want: { data: { x: '1', y: '2', z: '😀\ufffd' } } },
  { type: 'merge', patch: 'null', want: '400 Invalid JSON Patch' },
  {
    type: 'merge',
    patch: '{"data":{"z":"3","z":"4"}}',
    want: { data: { x: '1', y: '2', z: '4' }, warnings: ['duplicate field "data.z"'] },
  },
  { type: 'strategic', patch: { data: { x: null, z: '3' } }, want: { data: { y: '2', z: '3' } } },
  { type: 'strategic', patch: { data: { $patch: 'replace', q: '1' } }, want: { data: { q: '1' } } },
  { type: 'strategic', patch: { data: { $patch: 'delete' } }, want: { data: undefined } },
  { type: 'strategic', patch: { data: { $patch: 'foo' } }, want: '500 unknown patch type: foo in map: map[$patch:foo]' },
  { type: 'strategic', patch: 'null', want: { data: { x: '1', y: '2' } } },
  { type: 'strategic', patch: { kind: 'Pod', apiVersion: 'v2', data: { z: '3' } }, want: { data: { x: '1', y: '2', z: '3' } } },
  {
    type: 'strategic',
    patch: { metadata: { ownerReferences: [null, {}] } },
    want: '500 list element types are not identical: [map[uid:u]] [<nil> map[]]',
  },
  { type: 'strategic', patch: 'x', want: "400 invalid character 'x' looking for beginning of value" },
  { type: 'strategic', patch: { metadata: { $deleteFromPrimitiveList: 5 } }, want: '400 invalid patch format of primitive list' },
  { type: 'strategic', patch: { $retainKeys: ['metadata'], data: {} }, want: '400 invalid patch format of retainKeys' },
];

test('patches and what upstream answers to them', async (t) => {
  for (const { type, patch, want } of rows) {
    await t.test(`${type} ${asText(patch).slice(0, 80)}`, () => assert.deepEqual(outcome(type, patch), want));
  }
});

test('a strict patch is refused for what it does not say rightly', () => {
  const strict = (type: DocumentPatchType, patch: unknown): string => {
    try {
      apply(type, patch, 'Strict');
    } catch (error) {
      if (isStatusError(error)) return error.message.replace(/"(?:[^"\\]|\\.)+": /, '');
      throw error;
    }
    return 'accepted';
  };
  const prefix = ' "" is invalid: patch: Invalid value: strict decoding error: ';
  assert.equal(strict('strategic', { foo: 1, data: { z: '3' } }), `${prefix}unknown field "foo"`);
  assert.equal(strict('merge', '{"data":{"z":"3","z":"4"}}'), `${prefix}duplicate field "data.z"`);
  assert.equal(strict('json', [{ op: 'add', path: '/data/z', value: '1', valve: 5 }]), `${prefix}json patch unknown field "[0].valve"`);
  assert.equal(strict('json', [{ op: 'add', path: '/data/z', value: '1' }]), 'accepted');
});

const podSpec = objectSchema('io.k8s.api.core.v1.PodSpec');
const strategicRows: readonly { name: string; original: object; patch: object; want: object }[] = [
  {
    name: 'lists merge by key, the items of the patch in its order before the ones behind them',
    original: { containers: [{ name: 'a', image: '1' }, { name: 'b', image: '1' }, { name: 'c' }] },
    patch: { containers: [{ name: 'c', image: '2' }, { name: 'b', image: null }, { name: 'd' }] },
    want: { containers: [{ name: 'a', image: '1' }, { name: 'c', image: '2' }, { name: 'b' }, { name: 'd' }] },
  },
  {
    name: 'an item is deleted',
    original: { containers: [{ name: 'a' }, { name: 'b' }] },
    patch: { containers: [{ name: 'a', $patch: 'delete' }] },
    want: { containers: [{ name: 'b' }] },
  },
  {
    name: 'a list is replaced',
    original: { containers: [{ name: 'a' }, { name: 'b' }] },
    patch: { containers: [{ $patch: 'replace' }, { name: 'z' }] },
    want: { containers: [{ name: 'z' }] },
  },
  {
    name: 'the order is set',
    original: { containers: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] },
    patch: { '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }, { name: 'b' }] },
    want: { containers: [{ name: 'c' }, { name: 'a' }, { name: 'b' }] },
  },
  {
    name: 'the order is set, what only the server has keeps its place',
    original: { imagePullSecrets: [{ name: 'a' }, { name: 's' }, { name: 'b' }] },
    patch: {
      '$setElementOrder/imagePullSecrets': [{ name: 'b' }, { name: 'n' }, { name: 'a' }],
      imagePullSecrets: [{ name: 'n' }],
    },
    want: { imagePullSecrets: [{ name: 's' }, { name: 'b' }, { name: 'n' }, { name: 'a' }] },
  },
  {
    name: 'an atomic list is replaced',
    original: { tolerations: [{ key: 'a' }] },
    patch: { tolerations: [{ key: 'b' }] },
    want: { tolerations: [{ key: 'b' }] },
  },
  {
    name: 'only some keys are retained',
    original: { volumes: [{ name: 'v', emptyDir: {} }] },
    patch: { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/' } }] },
    want: { volumes: [{ name: 'v', hostPath: { path: '/' } }] },
  },
  {
    name: 'a new object loses its nulls and directives',
    original: {},
    patch: { securityContext: { runAsUser: null, seLinuxOptions: { $patch: 'replace', level: 'x' }, runAsGroup: 1 } },
    want: { securityContext: { runAsGroup: 1 } },
  },
];

test('strategic merge of a pod spec', async (t) => {
  for (const { name, original, patch, want } of strategicRows) {
    await t.test(name, () => {
      const before = JSON.stringify([original, patch]);
      assert.deepEqual(applyStrategicMerge(podSpec, original as Record<string, unknown>, patch as Record<string, unknown>), want);
      assert.equal(JSON.stringify([original, patch]), before, 'nothing is changed in place');
    });
  }
});

test('scalar lists that merge', () => {
  const meta = objectSchema('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta');
  const merge = (patch: Record<string, unknown>): unknown => applyStrategicMerge(meta, { finalizers: ['a', 'b', 'c'] }, patch);
  assert.deepEqual(merge({ finalizers: ['d', 'b'] }), { finalizers: ['d', 'a', 'b', 'c'] });
  assert.deepEqual(merge({ '$deleteFromPrimitiveList/finalizers': ['b', 'x'] }), { finalizers: ['a', 'c'] });
  assert.deepEqual(merge({ '$setElementOrder/finalizers': ['c', 'a'], '$deleteFromPrimitiveList/finalizers': ['b'] }), {
    finalizers: ['c', 'a'],
  });
});

const json = fc.jsonValue({ maxDepth: 3 });
const object = fc.dictionary(fc.string({ maxLength: 3 }), json, { maxKeys: 4, noNullPrototype: true });
const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== null)
      .map(([k, v]) => [k, withoutNulls(v)]),
  );
};

test('laws of merge patch', () => {
  fc.assert(
    fc.property(object, object, (a, b) => {
      const once = applyMergePatch(a, b);
      assert.deepEqual(applyMergePatch(once, b), once, 'a patch that was applied changes nothing more');
      assert.deepEqual(applyMergePatch(a, {}), a, 'the empty patch changes nothing');
      assert.deepEqual(applyMergePatch({}, b), withoutNulls(b), 'on nothing it is itself, without nulls');
    }),
  );
});

test('laws of JSON patch', () => {
  fc.assert(
    fc.property(object, json, (document, value) => {
      const before = JSON.stringify(document);
      const added = patchAtOnce(document, [{ op: 'add', path: '/new~1key', value }]);
      assert.equal(JSON.stringify(document), before, 'nothing is changed in place');
      assert.deepEqual(patchAtOnce(added, [{ op: 'test', path: '/new~1key', value }]), added);
      assert.deepEqual(patchAtOnce(added, [{ op: 'remove', path: '/new~1key' }]), document);
    }),
  );
});

test('laws of strategic merge', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const containers = fc.uniqueArray(fc.record({ name, image: fc.constantFrom('1', '2') }), { selector: (c) => c.name, maxLength: 4 });
  fc.assert(
    fc.property(containers, containers, (a, b) => {
      const once = applyStrategicMerge(podSpec, { containers: a }, { containers: b });
      assert.deepEqual(applyStrategicMerge(podSpec, once, { containers: b }), once, 'a patch that was applied changes nothing more');
      const names = (once['containers'] as readonly { name: string }[]).map((c) => c.name);
      assert.deepEqual(names.toSorted(), [...new Set([...a, ...b].map((c) => c.name))].toSorted(), 'no item is lost or there twice');
    }),
  );
});

test('a test of a large container counts', () => {
  const large = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, '']));
  const patch = (times: number) => Array.from({ length: times }, () => ({ op: 'test', path: '/large', value: large }));
  assert.deepEqual(patchAtOnce({ large }, patch(100)), { large });
  assert.throws(() => patchAtOnce({ large }, patch(300)), JsonPatchError);
});

test('what a patch makes has no more values than a body', () => {
  const many = Object.fromEntries(Array.from({ length: bodyValuesMax / 5 }, (_, i) => [`k${i}`, '']));
  const copies = ['b', 'c'].map((name) => ({ op: 'copy', from: '/data', path: `/${name}` }));
  assert.equal(
    outcome('json', [{ op: 'add', path: '/data', value: many }, ...copies]),
    `413 Request entity too large: more than ${bodyValuesMax} values`,
  );
});
