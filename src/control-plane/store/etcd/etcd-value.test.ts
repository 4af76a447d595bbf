/** What lies in etcd, and what is read of it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeMessage } from '../../../api/schema/encode-protobuf.ts';
import { ManagedPart } from '../managed-part.ts';
import { StoreTooNewError } from '../storage.ts';
import { joinValue, loadDecoder, needsDecoder, splitValue } from './etcd-value.ts';

const head = '{"kind":"ConfigMap","apiVersion":"v1","metadata":{';
const fields = '[{"manager":"a]}\\"","operation":"Update","fieldsV1":{"f:data":{"v:[1]":{}}}},{"manager":"b"}]';

/** `stored`: as another API server finds it */
const written = [
  {
    name: 'an object',
    value: `${head}"name":"x"},"data":{"k":"1"}}`,
    managed: fields,
    stored: `${head}"managedFields":${fields},"name":"x"},"data":{"k":"1"}}`,
  },
  { name: 'metadata with nothing in it', value: `${head}}}`, managed: fields, stored: `${head}"managedFields":${fields}}}` },
  { name: 'nobody owns anything', value: `${head}"name":"x"}}`, managed: '[]', stored: `${head}"managedFields":[],"name":"x"}}` },
  { name: 'no managed part', value: `${head}"name":"x"}}`, managed: undefined, stored: `${head}"name":"x"}}` },
  { name: 'no object', value: '10.96.0.1', managed: undefined, stored: '10.96.0.1' },
  { name: 'nothing', value: '', managed: undefined, stored: '' },
  { name: 'no object, with a managed part', value: '1', managed: 'm', stored: 'timonier\0\0\0\0\u00011m' },
  { name: 'a managed part that is no list', value: `${head}}}`, managed: 'm', stored: undefined },
  {
    name: 'words of an annotation',
    value: `${head}"annotations":{"a":"\\"managedFields\\":[]"}}}`,
    managed: fields,
    stored: undefined,
  },
];

describe('a value that was written here', () => {
  for (const { name, value, managed, stored } of written) {
    it(name, () => {
      const joined = joinValue(Buffer.from(value), managed === undefined ? undefined : ManagedPart.of(managed));
      if (stored !== undefined) assert.equal(Buffer.from(joined).toString(), stored);
      const split = splitValue('/registry/x', joined);
      assert.deepEqual([Buffer.from(split.value).toString(), split.managed?.toString()], [value, managed]);
    });
  }
});

const foreign = [
  {
    name: 'in another order',
    stored: '{"apiVersion":"v1","data":{"metadata":"{"},"kind":"ConfigMap","metadata":{"managedFields":[{"manager":"a"}],"name":"x"}}',
    value: `${head}"name":"x"},"data":{"metadata":"{"}}`,
    managed: '[{"manager":"a"}]',
  },
  { name: 'managedFields later on', stored: `${head}"name":"x","managedFields":[]}}`, value: `${head}"name":"x"}}`, managed: '[]' },
  {
    name: 'with a resourceVersion',
    stored: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"resourceVersion":"3"}}',
    value: `${head}}}`,
  },
  { name: 'an object with metadata as text', stored: '{"apiVersion":"v1","metadata":', fails: true },
  { name: 'protobuf of a kind that nobody knows', stored: 'k8s\0\n\u0006\n\u0001a\u0012\u0001B', fails: true },
];

describe('a value that another server wrote', () => {
  for (const { name, stored, value, managed, fails } of foreign) {
    it(name, async () => {
      if (needsDecoder(Buffer.from(stored))) await loadDecoder();
      if (fails) return assert.throws(() => splitValue('/registry/x', Buffer.from(stored)), StoreTooNewError);
      const split = splitValue('/registry/x', Buffer.from(stored));
      assert.deepEqual([Buffer.from(split.value).toString(), split.managed?.toString()], [value, managed]);
    });
  }

  it('protobuf', async () => {
    const object = {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name: 'x', managedFields: [{ manager: 'a', operation: 'Update' }] },
      data: { k: '1' },
    };
    const message = encodeMessage(object);
    const type = Buffer.from('\n\u0002v1\u0012\u0009ConfigMap');
    const stored = Buffer.concat([Buffer.from('k8s\0\n'), Buffer.of(type.length), type, Buffer.of(0x12, message.length), message]);
    await loadDecoder();
    const split = splitValue('/registry/configmaps/default/x', stored);
    assert.equal(Buffer.from(split.value).toString(), `${head}"name":"x"},"data":{"k":"1"}}`);
    assert.equal(split.managed?.toString(), '[{"manager":"a","operation":"Update"}]');
  });
});
