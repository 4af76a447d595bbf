import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { widget, widgets } from '../../../test/kit/apply-objects.ts';
import { equalJson } from '../meta/deep-equal.ts';
import { takeSteps } from '../meta/steps.ts';
import { objectSchema, type Schema } from '../schema/types.ts';
import { type Applied, ApplyConflict, applyObject } from './apply-object.ts';
import { compareOwnable, managersAfterUpdate, type TypeVersions } from './change-managers.ts';
import { compareObjects, isSame } from './compare.ts';
import { differenceOf, equalSets, fieldSetOf, isEmpty, noFields, pathsOf, unionOf } from './field-set.ts';
import { fieldsOf, withNamedFields } from './fields-of.ts';
import { type Managers, nobody } from './managers.ts';
import { describePath, fieldElement } from './path-element.ts';
import type { Json } from './structure.ts';

const oneVersion = (schema: Schema): TypeVersions => ({
  version: 'v1',
  typeIn: (version) => (version === 'v1' ? { schema, reset: noFields } : undefined),
  convert: (object) => object,
});
const types = oneVersion(widget);
const name = (manager: string, operation: 'Apply' | 'Update') => ({ manager, operation, apiVersion: 'v1', subresource: '' });

interface State {
  readonly live: Json;
  readonly managers: Managers;
}
const nothing: State = { live: {}, managers: nobody };

async function applied({ live, managers }: State, manager: string, object: Json, force = false): Promise<State & Pick<Applied, 'object'>> {
  const result = await applyObject({ types, live, applied: object, managers, by: name(manager, 'Apply'), time: 't', force });
  return { live: result.object ?? live, managers: result.managers, object: result.object };
}

async function updated({ live, managers }: State, manager: string, object: Json): Promise<State> {
  const change = { before: live, after: object };
  const comparison = takeSteps(compareOwnable({ schema: widget, reset: noFields }, change));
  const by = name(manager, 'Update');
  return { live: object, managers: await takeSteps(managersAfterUpdate({ types, change, managers, comparison, by, time: 't' })) };
}

const owned = ({ managers }: State): Record<string, string> =>
  Object.fromEntries([...managers.values()].map(({ manager, fields }) => [manager, [...pathsOf(fields)].map(describePath).join(' ')]));

test('who applies the very object that is there changes nothing', async () => {
  const { object } = await applied({ live: { labels: { x: '1' } }, managers: nobody }, 'a', { labels: { x: '1' } });
  const live = { labels: { x: '1' } };
  assert.deepEqual([object, (await applied({ live, managers: nobody }, 'a', live)).object], [undefined, undefined]);
});

test('who changes values only owns the very set that he owned', async () => {
  const state = await updated(await updated(nothing, 'a', { a: 'x', labels: { x: '1', y: '1' } }), 'b', {
    a: 'x',
    labels: { x: '1', y: '2' },
  });
  const after = await updated(state, 'a', { a: 'y', labels: { x: '1', y: '2' } });
  for (const [key, { fields }] of state.managers) assert.equal(after.managers.get(key)?.fields, fields);
});

test('who applies other values owns the very set that he owned', async () => {
  const state = await applied(nothing, 'a', { a: 'x', labels: { x: '1' } });
  const after = await applied(state, 'a', { labels: { x: '2' }, a: 'y' });
  for (const [key, { fields }] of state.managers) assert.equal(after.managers.get(key)?.fields, fields);
});

type Step = readonly [kind: 'apply' | 'force' | 'update', manager: string, object: Json];

/** What upstream's library makes of the same steps. */
const rows: readonly {
  name: string;
  steps: readonly Step[];
  live?: Json;
  owned?: Record<string, string>;
  conflicts?: readonly string[];
}[] = [
  {
    name: 'two who apply the same own it both, and it stays until the second leaves it',
    steps: [
      ['apply', 'a', { labels: { x: '1', y: '2' } }],
      ['apply', 'b', { labels: { x: '1' } }],
      ['apply', 'a', { a: 's' }],
    ],
    live: { a: 's', labels: { x: '1' } },
    owned: { a: '.a', b: '.labels.x' },
  },
  {
    name: 'what another has applied with another value is a conflict',
    steps: [
      ['apply', 'a', { a: '1', b: 80 }],
      ['apply', 'b', { a: '2', b: 81 }],
    ],
    conflicts: ['a .a', 'a .b'],
  },
  {
    name: 'force takes it',
    steps: [
      ['apply', 'a', { a: '1', b: 80 }],
      ['force', 'b', { a: '2' }],
    ],
    live: { a: '2', b: 80 },
    owned: { a: '.b', b: '.a' },
  },
  {
    name: 'what an update has changed is not removed when who applied it leaves it',
    steps: [
      ['apply', 'a', { labels: { x: '1' } }],
      ['update', 'b', { labels: { x: '2' } }],
      ['apply', 'a', {}],
    ],
    live: { labels: { x: '2' } },
    owned: { b: '.labels.x' },
  },
  {
    name: 'what two own, and one of them changes by an update, is his alone',
    steps: [
      ['update', 'a', { a: '1', b: 80 }],
      ['apply', 'b', { a: '1' }],
      ['update', 'a', { a: '2', b: 80 }],
    ],
    live: { a: '2', b: 80 },
    owned: { a: '.a .b' },
  },
  {
    name: 'items of a list with keys are owned one by one, defaults of keys counted',
    steps: [
      ['apply', 'a', { ports: [{ port: 80, name: 'a' }] }],
      ['apply', 'b', { ports: [{ port: 80, protocol: 'UDP' }] }],
      ['apply', 'a', { ports: [{ port: 443 }] }],
    ],
    live: { ports: [{ port: 80, protocol: 'UDP' }, { port: 443 }] },
    owned: {
      a: '.ports[port=443,protocol="TCP"] .ports[port=443,protocol="TCP"].port',
      b: '.ports[port=80,protocol="UDP"] .ports[port=80,protocol="UDP"].port .ports[port=80,protocol="UDP"].protocol',
    },
  },
  {
    name: 'items that both have are in the order of who applies',
    steps: [
      ['update', 'b', { finalizers: ['1', 'a', '2', 'b', '3'] }],
      ['apply', 'a', { finalizers: ['b', 'new', 'a'] }],
    ],
    live: { finalizers: ['1', '2', 'b', '3', 'new', 'a'] },
  },
  {
    name: 'what is atomic changes hands as a whole',
    steps: [
      ['apply', 'a', { whole: { a: '1', b: '2' }, selector: { x: 'y' }, args: ['1'] }],
      ['apply', 'b', { whole: { a: '1' }, selector: { x: 'y', z: '1' }, args: ['1', '2'] }],
    ],
    conflicts: ['a .args', 'a .selector', 'a .whole'],
  },
  {
    name: 'of what the type leaves open, maps are owned by their fields and lists as a whole',
    steps: [['apply', 'a', { free: { x: { y: 1, l: [{ z: 1 }] }, empty: {} } }]],
    owned: { a: '.free.empty .free.x .free.x.l .free.x.y' },
  },
  {
    name: 'items that are there twice are one',
    steps: [
      [
        'update',
        'a',
        {
          parts: [
            { name: 'x', value: '1' },
            { name: 'x', value: '2' },
          ],
        },
      ],
      ['update', 'b', { parts: [{ name: 'x', value: '2' }] }],
    ],
    owned: { a: '.parts', b: '.parts[name="x"] .parts[name="x"].name .parts[name="x"].value' },
  },
];
for (const row of rows) {
  test(`apply: ${row.name}`, async () => {
    let state = nothing;
    let conflicts: readonly string[] | undefined;
    for (const [kind, manager, object] of row.steps) {
      try {
        state = kind === 'update' ? await updated(state, manager, object) : await applied(state, manager, object, kind === 'force');
      } catch (error) {
        if (!(error instanceof ApplyConflict)) throw error;
        conflicts = error.conflicts
          .flatMap((c) => [...pathsOf(c.fields)].map((path) => `${c.manager.manager} ${describePath(path)}`))
          .toSorted();
      }
    }
    assert.deepEqual(conflicts, row.conflicts);
    if (row.live) assert.deepEqual(state.live, row.live);
    if (row.owned) assert.deepEqual(owned(state), row.owned);
  });
}

const managers = fc.constantFrom('a', 'b', 'c');
const steps = fc.array(fc.tuple(fc.constantFrom('force' as const, 'update' as const), managers, widgets), { minLength: 1, maxLength: 5 });

async function run(given: readonly Step[]): Promise<State> {
  let state = nothing;
  for (const [kind, manager, object] of given) {
    state = kind === 'update' ? await updated(state, manager, object) : await applied(state, manager, object, true);
  }
  return state;
}

const law = (text: string, property: fc.IAsyncProperty<never> | fc.IAsyncPropertyWithHooks<never>): Promise<void> =>
  test(`laws of apply: ${text}`, () => fc.assert(property, { numRuns: 150 }));
const lawOf = <T extends [unknown, ...unknown[]]>(
  text: string,
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  holds: (...given: T) => Promise<void>,
): void => void law(text, fc.asyncProperty(...arbitraries, holds) as unknown as fc.IAsyncProperty<never>);

lawOf<[Step[], Json]>(
  'applied twice, nothing changes the second time',
  [steps as fc.Arbitrary<Step[]>, widgets],
  async (before, object) => {
    const once = await applied(await run(before), 'me', object, true);
    const twice = await applied(once, 'me', object);
    assert.equal(twice.object, undefined);
    assert.deepEqual(owned(twice), owned(once));
  },
);

lawOf<[Step[], Json]>('what is applied is there, and is owned', [steps as fc.Arbitrary<Step[]>, widgets], async (before, object) => {
  const { live, managers: after } = await applied(await run(before), 'me', object, true);
  assert.ok(isEmpty(compareObjects(widget, object, live).modified) && isEmpty(compareObjects(widget, object, live).removed));
  const mine = [...after.values()].find(({ manager }) => manager === 'me');
  assert.ok(equalSets(mine?.fields ?? noFields, fieldsOf(widget, object)));
});

lawOf<[Step[], Json]>('what nobody else owns goes with who leaves it', [steps as fc.Arbitrary<Step[]>, widgets], async (before, object) => {
  const state = await run(before);
  const left = await applied(await applied(state, 'me', object, true), 'me', {}, true);
  const others = [...left.managers.values()].reduce((all, { fields }) => unionOf(all, fields), noFields);
  const named = withNamedFields(widget, fieldsOf(widget, left.live));
  const unowned = differenceOf(named, withNamedFields(widget, unionOf(others, fieldsOf(widget, state.live))));
  assert.deepEqual([...pathsOf(unowned)].map(describePath), []);
  assert.ok(![...left.managers.values()].some(({ manager }) => manager === 'me'));
});

lawOf<[Step[]]>('nobody owns what is not there', [steps as fc.Arbitrary<Step[]>], async (given) => {
  const { live, managers: after } = await run(given);
  const all = compareObjects(widget, {}, live).added;
  for (const { fields } of after.values()) assert.ok(isEmpty(differenceOf(withNamedFields(widget, fields), withNamedFields(widget, all))));
});

lawOf<[Json, Json]>('of two who apply different fields, the order does not matter', [widgets, widgets], async (one, two) => {
  const first = Object.fromEntries(Object.entries(one).filter((_, i) => i % 2 === 0));
  const second = Object.fromEntries(Object.entries(two).filter(([field]) => !Object.hasOwn(first, field)));
  const ab = await applied(await applied(nothing, 'a', first), 'b', second);
  const ba = await applied(await applied(nothing, 'b', second), 'a', first);
  assert.ok(equalJson(ab.live, ba.live));
  assert.deepEqual(owned(ab), owned(ba));
});

/** Another value in the place of every text and number. */
const otherValues = (object: Json): Json =>
  JSON.parse(JSON.stringify(object), (key, value) =>
    key === 'protocol' || key === 'port' || key === 'name' ? value : typeof value === 'string' ? `${value}!` : value,
  ) as Json;
/** Sets that nobody has looked at. */
const copied = (managers: Managers): Managers =>
  new Map([...managers].map(([key, manager]) => [key, { ...manager, fields: JSON.parse(JSON.stringify(manager.fields)) }]));

lawOf<[Step[], Json]>(
  'of sets that are known, an update says what it says of others',
  [steps as fc.Arbitrary<Step[]>, widgets],
  async (before, other) => {
    const made = await run(before);
    const state = await applied(made, 'c', made.live, true);
    await updated(state, 'who looks at all sets', other);
    for (const manager of ['a', 'b'])
      for (const object of [otherValues(state.live), other, { ...other, ...state.live }, {}]) {
        const known = await updated(state, manager, object);
        const unknown = await updated({ ...state, managers: copied(state.managers) }, manager, object);
        assert.deepEqual(owned(known), owned(unknown));
      }
  },
);

lawOf<[Json, Json]>('what changed there and back is the same, turned round', [widgets, widgets], async (a, b) => {
  const there = compareObjects(widget, a, b);
  const back = compareObjects(widget, b, a);
  assert.ok(equalSets(there.added, back.removed) && equalSets(there.removed, back.added) && equalSets(there.modified, back.modified));
  assert.equal(isSame(there), equalJson(a, b));
  await Promise.resolve();
});

test('a time that upstream writes as null is owned when it is absent, and changes when it comes', () => {
  const pod = objectSchema('io.k8s.api.core.v1.Pod');
  const of = (condition: object): Json => ({ status: { conditions: [{ type: 'Ready', ...condition }] } });
  const at = ['f:status', 'f:conditions', 'k:{"type":"Ready"}'] as const;
  const { added } = compareObjects(pod, { status: {} }, of({ status: 'True' }));
  const fields = ['lastProbeTime', 'lastTransitionTime', 'status', 'type'].map((field) => [...at, fieldElement(field)]);
  assert.ok(equalSets(added, fieldSetOf(['f:status', 'f:conditions'], at, ...fields)));
  const { modified } = compareObjects(pod, of({}), of({ lastProbeTime: '2026-01-01T00:00:00Z' }));
  assert.deepEqual([...pathsOf(modified)], [[...at, 'f:lastProbeTime']]);
});
