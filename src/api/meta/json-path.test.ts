import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PathError, parseJsonPath } from './json-path.ts';

const object = {
  metadata: { name: 'a', labels: { 'app.kubernetes.io/name': 'shop', plain: 'x' } },
  spec: { size: 3, sizes: [1, 2, 3, 4], nothing: null, on: false, nested: [{ name: 'p' }, { name: 'q', on: true }] },
  status: {
    conditions: [
      { type: 'Ready', status: 'True', weight: 2 },
      { type: 'Odd (b) "c"', status: 'False', weight: 1.5 },
    ],
  },
};

describe('JSONPath', () => {
  const rows: readonly (readonly [path: string, want: readonly unknown[] | typeof PathError])[] = [
    ['.spec.size', [3]],
    ['spec', PathError],
    ['.spec'.repeat(1000), PathError],
    ['$.spec.size', [3]],
    ['.missing.size', []],
    ['.spec.size.deeper', []],
    ['.spec.nothing', [null]],
    ['.spec.nothing.deeper', []],
    ['.metadata.labels.app\\.kubernetes\\.io/name', ['shop']],
    [".metadata.labels['app\\.kubernetes\\.io/name']", ['shop']],
    [".metadata.labels['plain']", ['x']],
    [".spec['size','on']", [3, false]],
    ['.spec.sizes[0]', [1]],
    ['.spec.sizes[-1]', [4]],
    ['.spec.sizes[0,2]', [1, 3]],
    ['.spec.sizes[1:3]', [2, 3]],
    ['.spec.sizes[:2]', [1, 2]],
    ['.spec.sizes[-2:]', [3, 4]],
    ['.spec.sizes[::2]', [1, 3]],
    ['.spec.sizes[*]', [1, 2, 3, 4]],
    ['.spec.sizes[9]', PathError],
    ['.spec.sizes[1:9]', PathError],
    ['.spec.sizes[::0]', PathError],
    ['.spec.sizes[a]', PathError],
    ['.spec.size[0]', PathError],
    ['.spec.nothing[0]', []],
    ['.spec.nested[*].name', ['p', 'q']],
    ['.spec.nested.*', object.spec.nested],
    ['.metadata.labels.*', ['shop', 'x']],
    ['..name', ['a', 'p', 'q']],
    ['....name', PathError],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    [".status.conditions[?(@.type=='Ready')].status", ['True']],
    ['.status.conditions[?(@.type=="Odd (b) \\"c\\"")].status', ['False']],
    ['.status.conditions[?(@.type!="Ready")].weight', [1.5]],
    ['.status.conditions[?(@.weight>=2)].type', ['Ready']],
    ['.status.conditions[?(@.weight<2)].weight', [1.5]],
    ['.status.conditions[?(@.weight=="2")].type', PathError],
    ['.spec.nested[?(@.on)].name', ['q']],
    ['.spec.nested[?(@.on==true)].name', ['q']],
    ['.spec[?(@.a)]', PathError],
    ['.status.conditions[?(@.type=="Ready")', PathError],
    ['.status.conditions[?(@.type=="Ready"', PathError],
    ['.spec.sizes[0', PathError],
    ['.spec#size', []],
    ['#spec', PathError],
  ];
  for (const [path, want] of rows) {
    it(path, () => {
      const read = (): readonly unknown[] => parseJsonPath(path)(object);
      if (typeof want === 'function') assert.throws(read, want);
      else assert.deepEqual(read(), want);
    });
  }

  it('names of objects are no fields', () => assert.deepEqual(parseJsonPath('.constructor')(object), []));

  it('gives a bounded number of values', () => {
    const wide = Array.from({ length: 200 }, () => Array.from({ length: 200 }, () => 1));
    assert.throws(() => parseJsonPath('[*][*]')(wide), PathError);
  });
});
