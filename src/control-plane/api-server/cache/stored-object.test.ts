/** Two parts and a resourceVersion made one for clients, and taken apart again. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '../../../api/meta/object.ts';
import { ManagedPart } from '../../store/managed-part.ts';
import { Draft, StoredObject } from './stored-object.ts';

describe('a stored object', () => {
  const object = (metadata: object): KubeObject =>
    ({ kind: 'Pod', apiVersion: 'v1', metadata, spec: { text: 'ä "metadata":{' } }) as unknown as KubeObject;
  const rows = [
    {
      given: { name: 'a' },
      want: '{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"7","name":"a"},"spec":{"text":"ä \\"metadata\\":{"}}',
    },
    { given: {}, want: '{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"7"},"spec":{"text":"ä \\"metadata\\":{"}}' },
  ];
  for (const { given, want } of rows) {
    it(`has its version spliced in: ${JSON.stringify(given)}`, () => {
      const draft = new Draft(object({ ...given, resourceVersion: '3' }), undefined);
      const stored = new StoredObject({ key: 'k', revision: 7, value: draft.bytes });
      const moved = stored.at(12);
      assert.equal(stored.json.toString(), want);
      assert.deepEqual(JSON.parse(want), stored.object);
      assert.equal(moved.json.toString(), want.replace('"7"', '"12"'));
      assert.equal(stored.at(12).json.toString(), moved.json.toString());
      assert.ok(Object.isFrozen((stored.object as KubeObject & { spec: object }).spec));
    });
  }

  it('has its managed part beside its resourceVersion, and is made anew each time', () => {
    const managed = ManagedPart.of('[{"manager":"baker"}]');
    const draft = new Draft(object({ name: 'a', managedFields: [{ manager: 'not kept' }] }), managed);
    const stored = new StoredObject({ key: 'k', revision: 7, value: draft.bytes, managed });
    const want =
      '{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"7","managedFields":[{"manager":"baker"}],"name":"a"},"spec":{"text":"ä \\"metadata\\":{"}}';
    assert.equal(stored.json.toString(), want);
    assert.notEqual(stored.json, stored.json);
    assert.equal(stored.at(12).json.toString(), want.replace('"7"', '"12"'));
    assert.deepEqual([draft.size, stored.size], [draft.bytes.length + managed.byteLength, draft.bytes.length + managed.byteLength]);
    const unversioned = StoredObject.unstored({ key: 'k', managed }, object({}), 0);
    assert.equal(
      unversioned.json.toString().slice(0, 90),
      '{"kind":"Pod","apiVersion":"v1","metadata":{"managedFields":[{"manager":"baker"}]},"spec":',
    );
  });

  it('for any object and managed part: the JSON is the object, its version and its managedFields, and can be taken apart', () => {
    const word = fc.oneof(fc.string(), fc.constantFrom('"metadata":{', '"resourceVersion":"7"', '}', ',', 'é日🚢'));
    const metadata = fc.record({ name: word, labels: fc.dictionary(word, word) }, { requiredKeys: [] });
    const entry = fc.record({ manager: word, fieldsV1: fc.dictionary(word, fc.constant({})) });
    const given = fc.record({
      metadata,
      data: fc.jsonValue(),
      managedFields: fc.option(fc.array(entry, { maxLength: 3 }), { nil: undefined }),
      revision: fc.integer({ min: 1, max: 2 ** 43 }),
      isOurs: fc.boolean(),
    });
    fc.assert(
      fc.property(given, ({ metadata, data, managedFields, revision, isOurs }) => {
        const value = { kind: 'ConfigMap', apiVersion: 'v1', metadata, data };
        const plain = JSON.parse(JSON.stringify(value)) as typeof value;
        const draft = new Draft(plain as unknown as KubeObject, managedFields && ManagedPart.of(JSON.stringify(managedFields)));
        const kv = { key: 'k', value: draft.bytes, managed: draft.managed, createRevision: 1, ...(isOurs && { attachment: draft }) };
        const stored = StoredObject.from({ ...kv, revision });
        const versioned = { ...plain, metadata: { ...plain.metadata, resourceVersion: String(revision) } };
        const whole = managedFields ? { ...versioned, metadata: { ...versioned.metadata, managedFields } } : versioned;
        assert.deepEqual(JSON.parse(stored.json.toString()), JSON.parse(JSON.stringify(whole)));
        assert.deepEqual(stored.object, versioned);
        assert.equal(JSON.stringify(stored.whole), stored.json.toString());
        assert.deepEqual(JSON.parse(stored.completed(JSON.stringify({ cells: [metadata.name], object: stored.object }))), {
          cells: metadata.name === undefined ? [null] : [metadata.name],
          object: JSON.parse(stored.json.toString()),
        });
        assert.equal(stored.completed('{"object":null}'), '{"object":null}');
        // after its JSON was made, it is still what was stored
        const later = StoredObject.from({
          key: 'k',
          value: draft.bytes,
          managed: draft.managed,
          createRevision: 1,
          revision: revision + 1,
        });
        assert.ok(stored.at(revision + 1).json.equals(later.json));
        assert.ok(
          stored
            .at(revision + 1)
            .at(revision)
            .json.equals(stored.json),
        );
      }),
    );
  });
});
