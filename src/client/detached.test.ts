import assert from 'node:assert/strict';
import { it } from 'node:test';
import { detach } from './detached.ts';

const failure = new Error('boom');
const rows: readonly { readonly name: string; readonly work: () => Promise<unknown>; readonly want: unknown }[] = [
  { name: 'work that fails later', work: () => Promise.reject(failure), want: failure },
  {
    name: 'work that throws before there is a promise',
    work: () => {
      throw failure;
    },
    want: failure,
  },
  { name: 'work that ends well', work: () => Promise.resolve(), want: undefined },
];

for (const { name, work, want } of rows) {
  it(`tells of ${name}`, async () => {
    let told: unknown;
    detach(work, (error) => {
      told = error;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(told, want);
  });
}
