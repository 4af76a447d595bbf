import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pluginScores, type TestPod, testFacts } from '../../../../test/kit/scheduler-objects.ts';
import { imageLocality } from './image-locality.ts';

const mib = 1024 * 1024;
const of = (...images: readonly string[]): TestPod => ({ containers: images.map((image, i) => ({ name: `c${i}`, image })) });
const nodes = {
  a: { images: { 'r/big:v1': 700 * mib, 'r/plain:latest': 120 * mib } },
  b: { images: { 'r/big:v1': 700 * mib } },
  c: {},
  d: { images: { 'r/huge:v1': 9000 * mib, 'r/small:v1': 10 * mib } },
};

const rows: readonly { readonly name: string; readonly pod: TestPod; readonly want: readonly [number, number, number, number] }[] = [
  { name: 'nobody has it', pod: of('other'), want: [0, 0, 0, 0] },
  { name: 'the part of the nodes that have it counts', pod: of('r/big:v1'), want: [33, 33, 0, 0] },
  { name: 'latest is meant where no tag is named', pod: of('r/plain'), want: [0, 0, 0, 0] },
  { name: 'as good as can be', pod: of('r/huge:v1'), want: [0, 0, 0, 100] },
  { name: 'too small to matter', pod: of('r/small:v1'), want: [0, 0, 0, 0] },
  { name: 'all containers count, and share', pod: of('r/big:v1', 'r/plain'), want: [18, 16, 0, 0] },
  {
    name: 'volumes of images count',
    pod: { ...of('other'), volumes: [{ name: 'v', image: { reference: 'r/big:v1' } }] },
    want: [33, 33, 0, 0],
  },
];

for (const { name, pod, want } of rows) {
  test(`ImageLocality: ${name}`, () => {
    const [a, b, c, d] = want;
    assert.deepEqual(pluginScores(imageLocality, { nodes }, testFacts('p', pod)), { a, b, c, d });
  });
}
