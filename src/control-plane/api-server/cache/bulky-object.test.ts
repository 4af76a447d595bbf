import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PackedBytes, parseBulky } from './bulky-object.ts';

const bulk = { type: 'object', properties: { bulk: { type: 'string' }, text: { description: 'of "bulk":{ and \\"bulk\\":[' } } };
const rows: readonly { readonly name: string; readonly object: object }[] = [
  { name: 'an object that has none', object: { a: 1, b: ['bulk'] } },
  { name: 'one, within a list', object: { spec: { versions: [{ name: 'v1', bulk, served: true }] } } },
  { name: 'several, one as the last', object: { a: { bulk }, b: [{ bulk }, { bulk: { x: [] } }] } },
  { name: 'one within another', object: { bulk: { bulk } } },
  {
    name: 'values of all kinds',
    object: { a: { bulk: null }, b: { bulk: 'a "text" \\ with {,} and \u{1f600}' }, c: { bulk: -1.5e3, d: true }, e: { bulk: [] } },
  },
  { name: 'its name in texts', object: { a: 'here is "bulk":{ and \\"bulk\\":', bulk, z: ['"bulk":1'] } },
  { name: 'keys that are numbers', object: { 2: { bulk: 'two' }, 1: { bulk: 'one' } } },
];

describe('a bulky object', () => {
  for (const { name, object } of rows) {
    it(name, () => {
      const packed = new PackedBytes(Buffer.from(JSON.stringify(object)));
      const parsed = parseBulky(packed, ['bulk'], () => undefined);
      assert.deepEqual(JSON.parse(JSON.stringify(parsed)), JSON.parse(JSON.stringify(object)));
    });
  }

  it('is frozen, and so is what is read of it', () => {
    const parsed = parseBulky<{ a: { bulk: { x: object } } }>(
      new PackedBytes(Buffer.from('{"a":{"bulk":{"x":{}}}}')),
      ['bulk'],
      () => undefined,
    );
    for (const each of [parsed, parsed.a, parsed.a.bulk, parsed.a.bulk.x]) assert.ok(Object.isFrozen(each));
    assert.equal(parsed.a.bulk, parsed.a.bulk, 'whoever holds it has the same');
  });

  it('is the same when it is packed, and smaller', async () => {
    const text = JSON.stringify({ a: 1, bulk: Array.from({ length: 2000 }, (_, i) => ({ description: `the field of number ${i}` })) });
    const packed = new PackedBytes(Buffer.from(text));
    const parsed = parseBulky<{ bulk: unknown[] }>(packed, ['bulk'], () => undefined);
    await packed.pack();
    assert.equal(packed.bytes.toString(), text);
    assert.equal(packed.length, text.length);
    assert.equal(JSON.stringify(parsed), text);
    assert.equal(parsed.bulk.length, 2000);
  });
});
