/** A property: whatever is done in whatever groups, the store says what a naive model says. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { realClock } from '../../../src/client/clock.ts';
import { type CommitResult, CompactedError, type Op, type Revision, type Storage } from '../../../src/control-plane/store/storage.ts';
import { bytes, describeEvent, describeItem, type Implementation, itOf, part, takeEvents, temporaryDirectory } from './stores.ts';

interface ModelItem {
  readonly value: string;
  readonly managed: string | undefined;
  readonly revision: Revision;
  readonly createRevision: Revision;
}

/** Keeps every revision as a whole map, and every event as its description. */
class Model {
  readonly states: Map<string, ModelItem>[] = [new Map(), new Map()];
  readonly events: { readonly revision: Revision; readonly key: string; readonly text: string }[] = [];
  compacted = 1;

  get revision(): Revision {
    return this.states.length - 1;
  }

  commit(ops: readonly ModelOp[]): CommitResult {
    const state = new Map(this.states.at(-1));
    for (const op of ops) {
      const actual = state.get(op.key)?.revision ?? 0;
      const expect = this.expectOf(op, actual);
      if (expect !== undefined && (expect === 'absent' ? 0 : expect) !== actual) return { ok: false, key: op.key, actual };
    }
    const revision = this.revision + 1;
    const told = this.events.length;
    for (const { key, value, managed } of ops) {
      const old = state.get(key);
      const was = old ? ` was ${describe(key, old)}` : '';
      if (value === undefined) {
        if (!old) continue;
        state.delete(key);
        this.events.push({ revision, key, text: `delete ${key}@${revision}${was}` });
      } else {
        const item = { value, managed, revision, createRevision: old?.createRevision ?? revision };
        state.set(key, item);
        this.events.push({ revision, key, text: `put ${describe(key, item)}${was}` });
      }
    }
    if (this.events.length === told) return { ok: true, revision: revision - 1 };
    this.states.push(state);
    return { ok: true, revision };
  }

  expectOf(op: ModelOp, actual: Revision): Revision | 'absent' | undefined {
    if (op.expect === 'right') return actual === 0 ? 'absent' : actual;
    if (op.expect === 'wrong') return actual + 1;
    return op.expect === 'absent' ? 'absent' : undefined;
  }
}

interface ModelOp {
  readonly key: string;
  readonly value: string | undefined;
  readonly managed: string | undefined;
  readonly expect: 'right' | 'wrong' | 'absent' | 'any';
}

type Step =
  | { readonly do: 'commit'; readonly together: readonly (readonly ModelOp[])[] }
  | { readonly do: 'compact' | 'read' | 'watch'; readonly at: number; readonly prefix: string; readonly page: number };

const key = fc.constantFrom('a', 'a/b', 'a/c', 'a/b/d', 'b', 'é/x', '日本');
const op = fc.record({
  key,
  value: fc.option(fc.string({ maxLength: 8 }), { nil: undefined }),
  managed: fc.option(fc.constantFrom('', 'm', 'kubelet', 'é'), { nil: undefined }),
  expect: fc.constantFrom('right' as const, 'right' as const, 'any' as const, 'wrong' as const, 'absent' as const),
});
const commit = fc.uniqueArray(op, { selector: (each) => each.key, minLength: 1, maxLength: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('commit' as const), together: fc.array(commit, { minLength: 1, maxLength: 5 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('compact' as const, 'read' as const, 'read' as const, 'watch' as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      prefix: fc.constantFrom('', 'a', 'a/', 'a/b', 'c', 'é'),
      page: fc.integer({ min: 1, max: 4 }),
    }),
  },
);

const describe = (name: string, item: ModelItem): string =>
  `${name}=${item.value}${item.managed === undefined ? '' : `&${item.managed}`}@${item.revision}+${item.createRevision}`;

export function testModel(implementation: Implementation): void {
  const { open, openAt, isRemote = false } = implementation;
  const it = itOf(implementation);
  it('a store says what a naive model says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        await using store = await open({ clock: realClock });
        const model = new Model();
        for (const each of steps) await perform(store, model, inOrder(each, isRemote));
        await checkRead(store, model, { at: model.revision, prefix: '', page: 2 });
        await checkWatch(store, model, { at: model.compacted, prefix: '' });
      }),
      { numRuns: isRemote ? 15 : 60 },
    );
  });

  if (!openAt) return;
  it('a store says what a naive model says, after every restart', async () => {
    const steps = fc.array(fc.array(step, { maxLength: 8 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(steps, async (lives) => {
        await using directory = await temporaryDirectory();
        const model = new Model();
        for (const life of lives) {
          await using store = await openAt(directory.path, { clock: realClock });
          assert.deepEqual([await store.latestRevision(), store.compactedRevision], [model.revision, model.compacted]);
          await checkRead(store, model, { at: model.revision, prefix: '', page: 3 });
          await checkWatch(store, model, { at: model.compacted, prefix: '' });
          for (const each of life) await perform(store, model, inOrder(each, isRemote));
        }
      }),
      { numRuns: isRemote ? 8 : 30 },
    );
  });
}

/** Of commits that come in any order, one at a time. */
const inOrder = (step: Step, isRemote: boolean): Step =>
  isRemote && step.do === 'commit' ? { ...step, together: step.together.slice(0, 1) } : step;

async function perform(store: Storage, model: Model, step: Step): Promise<void> {
  if (step.do === 'commit') {
    const pairs = step.together.map((ops) => {
      const real = ops.map((each) => realOp(model, each));
      return { want: model.commit(ops), got: store.commit(real) };
    });
    for (const { want, got } of pairs) assert.deepEqual(await got, want);
    assert.equal(await store.latestRevision(), model.revision);
    return;
  }
  const at = 1 + Math.round(step.at * (model.revision - 1));
  if (step.do === 'compact') {
    await store.compact(at);
    model.compacted = Math.max(model.compacted, at);
    assert.equal(store.compactedRevision, model.compacted);
  } else if (at < model.compacted) {
    await assert.rejects(store.range({ prefix: step.prefix, atRevision: at }), CompactedError);
  } else if (step.do === 'read') await checkRead(store, model, { ...step, at });
  else await checkWatch(store, model, { ...step, at });
}

function realOp(model: Model, op: ModelOp): Op {
  const expect = model.expectOf(op, model.states.at(-1)?.get(op.key)?.revision ?? 0);
  const managed = op.managed === undefined ? undefined : part(op.managed);
  return { key: op.key, managed, ...(op.value !== undefined && { put: bytes(op.value) }), ...(expect !== undefined && { expect }) };
}

async function checkRead(store: Storage, model: Model, query: { at: Revision; prefix: string; page: number }): Promise<void> {
  const want = [...(model.states[query.at] ?? [])].filter(([name]) => name.startsWith(query.prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
  const got: string[] = [];
  for (let startAfter: string | undefined; ; ) {
    const page = await store.range({
      prefix: query.prefix,
      atRevision: query.at,
      limit: query.page,
      ...(startAfter !== undefined && { startAfter }),
    });
    assert.equal(page.count, want.length - got.length);
    got.push(...page.items.map(describeItem));
    startAfter = page.items.at(-1)?.key;
    if (!page.more) break;
  }
  assert.deepEqual(
    got,
    want.map(([name, item]) => describe(name, item)),
  );
}

async function checkWatch(store: Storage, model: Model, from: { at: Revision; prefix: string }): Promise<void> {
  const want = model.events.filter((event) => event.revision > from.at && event.key.startsWith(from.prefix)).map((event) => event.text);
  const watch = store.watch({ prefix: from.prefix, revision: from.at }, new AbortController().signal);
  assert.deepEqual((await takeEvents(watch, want.length)).map(describeEvent), want);
}
