/** That whatever is made of a large object is made in steps, so that who does it can let others have their turn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { widget } from '../../../test/kit/apply-objects.ts';
import { type Steps, takeSteps } from '../meta/steps.ts';
import { applyObject } from './apply-object.ts';
import { managersAfterUpdate, managersOfNew, type TypeVersions } from './change-managers.ts';
import { compareInSteps, compareObjects } from './compare.ts';
import { differenceInSteps, equalInSteps, intersectionInSteps, noFields, sorted, unionInSteps } from './field-set.ts';
import { fieldsInSteps, fieldsOf, namedInSteps } from './fields-of.ts';
import { mergeObjects } from './merge.ts';
import { reconcileFields } from './reconcile.ts';
import { removeItems } from './remove-items.ts';
import type { Json } from './structure.ts';

const keys = 12_000;
const stepsMin = 10;

const labels = (value: string): Json => Object.fromEntries(Array.from({ length: keys }, (_, i) => [`k${(i * 7919) % keys}`, value]));
const objectOf = (value: string): Json => ({
  labels: labels(value),
  parts: Array.from({ length: keys }, (_, i) => ({ name: `n${(i * 7919) % keys}`, value })),
});
const [a, b] = [objectOf('a'), objectOf('b')];
const [fields, others] = [fieldsOf(widget, a), fieldsOf(widget, b)];

const rows: readonly { name: string; make: () => Steps<unknown> }[] = [
  { name: 'to compare with nothing', make: () => compareInSteps(widget, {}, a) },
  { name: 'to compare values', make: () => compareInSteps(widget, a, b) },
  { name: 'to compare with an empty one', make: () => compareInSteps(widget, a, {}) },
  { name: 'to say what fields there are', make: () => fieldsInSteps(widget, a) },
  { name: 'to name them', make: () => namedInSteps(widget, fields) },
  { name: 'to merge', make: () => mergeObjects(widget, a, b) },
  { name: 'to remove', make: () => removeItems(widget, a, fields) },
  { name: 'to reconcile', make: () => reconcileFields(widget, fields) },
  { name: 'a union', make: () => unionInSteps(fields, others) },
  { name: 'what is in both', make: () => intersectionInSteps(fields, others) },
  { name: 'a difference', make: () => differenceInSteps(fields, others) },
  { name: 'whether they are equal', make: () => equalInSteps(fields, others) },
  { name: 'to bring them into order', make: () => sorted(fields) },
];
for (const { name, make } of rows)
  test(`in steps: ${name}`, () => {
    const steps = make();
    let count = 0;
    while (!steps.next().done) count++;
    assert.ok(count >= stepsMin, `${count} steps`);
  });

const types: TypeVersions = {
  version: 'v1',
  typeIn: (version) => (version === 'v1' ? { schema: widget, reset: noFields } : undefined),
  convert: (object) => object,
};
const by = { manager: 'a', operation: 'Update', apiVersion: 'v1', subresource: '' } as const;

test('in steps: an update, and an apply that takes all away', async () => {
  const managers = takeSteps(managersOfNew({ by, time: 't', comparison: compareObjects(widget, {}, a) }));
  let count = 0;
  const take = <T>(steps: Steps<T>): T => {
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      count++;
    }
  };
  const comparison = compareObjects(widget, a, b);
  take(managersAfterUpdate({ by: { ...by, manager: 'b' }, time: 't', types, change: { before: a, after: b }, managers, comparison }));
  assert.ok(count >= stepsMin, `${count} steps`);
  const applied = { types, live: a, applied: {}, managers, by: { ...by, operation: 'Apply' } as const, time: 't', force: true };
  const mine = await applyObject({ ...applied, applied: a }, take);
  count = 0;
  const gone = await applyObject({ ...applied, managers: new Map([...mine.managers].slice(1)) }, take);
  assert.deepEqual(gone.object, {});
  assert.ok(count >= stepsMin, `${count} steps`);
});
