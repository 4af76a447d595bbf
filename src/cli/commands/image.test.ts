import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeLoaded, imageRows } from './image.ts';

const rows: readonly { readonly there: readonly number[]; readonly layers: number; readonly want: string }[] = [
  { there: [0], layers: 5, want: 'loaded bakery:1.0  4.2 MB  0.4 s' },
  { there: [3], layers: 5, want: 'loaded bakery:1.0  4.2 MB (3 of 5 layers were there)  0.4 s' },
  { there: [1], layers: 5, want: 'loaded bakery:1.0  4.2 MB (1 of 5 layers was there)  0.4 s' },
  { there: [5], layers: 5, want: 'loaded bakery:1.0  4.2 MB (all 5 layers were there)  0.4 s' },
  { there: [1], layers: 1, want: 'loaded bakery:1.0  4.2 MB (its layer was there)  0.4 s' },
  { there: [0, 0], layers: 0, want: 'loaded bakery:1.0 on 2 nodes  4.2 MB  0.4 s' },
  { there: [3, 0, 5], layers: 5, want: 'loaded bakery:1.0 on 3 nodes  4.2 MB (0 to 5 of 5 layers were there)  0.4 s' },
];
for (const { there, layers, want } of rows)
  test(`told of a loaded image: ${want}`, () => {
    const nodes = there.map((layersThere, i) => ({ node: `n-${i + 1}`, layersThere }));
    assert.equal(describeLoaded({ image: 'docker.io/library/bakery:1.0', sizeBytes: 4_210_000, layers, durationMs: 391, nodes }), want);
  });

test('an image has one row, with the nodes that have it', () => {
  const rows = imageRows([
    { node: 'n-1', name: 'docker.io/library/a:1', sizeBytes: 1_000_000 },
    { node: 'n-1', name: 'docker.io/corner/shop:2', sizeBytes: 2_060_000 },
    { node: 'n-2', name: 'docker.io/library/a:1', sizeBytes: 1_000_000 },
    { node: 'n-2', name: 'localhost/a:1', sizeBytes: 0 },
  ]);
  assert.deepEqual(rows, [
    ['a:1', '1.0 MB', 'n-1,n-2'],
    ['corner/shop:2', '2.1 MB', 'n-1'],
    ['localhost/a:1', '0.0 MB', 'n-2'],
  ]);
});
