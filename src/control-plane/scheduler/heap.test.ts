import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Heap } from './heap.ts';

test('what comes out is in order, whatever went in between', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 20 }))), (steps) => {
      const heap = new Heap<number>((a, b) => a < b);
      const model: number[] = [];
      for (const step of steps) {
        if (step === null) assert.equal(heap.pop(), model.sort((a, b) => a - b).shift());
        else {
          heap.push(step);
          model.push(step);
        }
        assert.equal(heap.peek(), model.length ? Math.min(...model) : undefined);
        assert.equal(heap.size, model.length);
      }
    }),
  );
});
