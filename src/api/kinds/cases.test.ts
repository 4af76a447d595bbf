/**
 * Takes the steps of a write as the API server does (write-steps.ts), but for admission and storage: for the tests of the
 * kinds, so that each is a table of manifests and answers.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kind, WriteContext } from '../meta/kind.ts';
import type { KubeObject } from '../meta/object.ts';
import { describeFieldError } from '../meta/status-error.ts';
import { takeSteps } from '../meta/steps.ts';
import { decode } from '../schema/decode.ts';
import { builtInKinds } from './all.ts';
import { strategyOf } from './update-strategy.ts';
import { type Prepared, prepareChanged, prepareNew, withDefaults } from './write-steps.ts';

export type Manifest = Readonly<Record<string, unknown>>;

export interface Written {
  readonly object: KubeObject;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

const by: WriteContext = { nowMs: Date.UTC(2026, 0, 2, 3, 4, 5), user: { name: 'ann', groups: ['system:authenticated'] } };

export function kindOf({ apiVersion, kind }: Manifest): Kind {
  const found = builtInKinds.find((k) => (k.group ? `${k.group}/${k.version}` : k.version) === apiVersion && k.kind === kind);
  if (!found) throw new Error(`no kind ${String(kind)} in ${String(apiVersion)}`);
  return found;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}

/** Decoded and with defaults, in the namespace `x` and by the name `x` if it says nothing else. */
export function read(kind: Kind, manifest: Manifest): KubeObject {
  const metadata = { name: 'x', ...(kind.namespaced && { namespace: 'x' }), ...(manifest['metadata'] as object | undefined) };
  const decoded = decode(kind.schema, structuredClone({ ...manifest, metadata })).value as object as KubeObject;
  return freeze(takeSteps(withDefaults(kind, freeze(decoded))));
}

const told = ({ object, problems, warnings }: Prepared): Written => ({
  object: freeze(object),
  errors: problems.map(describeFieldError),
  warnings,
});

export function create(manifest: Manifest): Written {
  const kind = kindOf(manifest);
  const given = read(kind, manifest);
  const identified = freeze({ ...given, metadata: { ...given.metadata, uid: '11111111-1111-1111-1111-111111111111' } });
  return told(takeSteps(prepareNew(kind, identified, by)));
}

/** `subresource`: status, or one of the kind's views. */
export function update(manifest: Manifest, old: KubeObject, subresource?: string): Written {
  const kind = kindOf(manifest);
  const strategy = strategyOf(kind, subresource);
  const stored = freeze({ ...old, metadata: { ...old.metadata, resourceVersion: '1' } });
  const given = read(kind, manifest);
  const object = freeze({ ...given, metadata: { ...given.metadata, resourceVersion: '1' } });
  return told(takeSteps(prepareChanged(kind, { object, old: stored, strategy }, by)));
}

/** The value at a path like `spec.ports[0].name`. */
export function at(object: unknown, path: string): unknown {
  const steps = path.replaceAll(/\[(\d+)\]/g, '.$1').split('.');
  return steps.reduce<unknown>((value, step) => (value as Manifest | undefined)?.[step], object);
}

export interface CreateCase {
  readonly name: string;
  readonly given: Manifest;
  /** what the written object has at these paths; undefined: nothing */
  readonly has?: Readonly<Record<string, unknown>>;
  /** all that is wrong, in any order */
  readonly errors?: readonly string[];
  readonly warnings?: readonly string[];
}

export function testCreates(rows: readonly CreateCase[]): void {
  for (const { name, given, has = {}, errors = [], warnings } of rows) {
    test(name, () => {
      const written = create(given);
      assert.deepEqual(written.errors.toSorted(), errors.toSorted());
      for (const [path, value] of Object.entries(has)) assert.deepEqual(at(written.object, path), value, path);
      if (warnings) assert.deepEqual(written.warnings, warnings);
    });
  }
}

export interface UpdateCase {
  readonly name: string;
  /** merged into what was written first; null takes away */
  readonly change: Manifest;
  readonly subresource?: string;
  readonly has?: Readonly<Record<string, unknown>>;
  readonly errors?: readonly string[];
}

export function testUpdates(base: Manifest, rows: readonly UpdateCase[]): void {
  for (const { name, change, subresource, has = {}, errors = [] } of rows) {
    test(name, () => {
      const old = create(base).object;
      const written = update(merge(old, change) as Manifest, old, subresource);
      assert.deepEqual(written.errors.toSorted(), errors.toSorted());
      for (const [path, value] of Object.entries(has)) assert.deepEqual(at(written.object, path), value, path);
    });
  }
}

function merge(value: unknown, change: unknown): unknown {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) return change;
  const result: Record<string, unknown> = typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  for (const [field, inner] of Object.entries(change)) {
    if (inner === null) delete result[field];
    else result[field] = merge(result[field], inner);
  }
  return result;
}

export interface CellsCase {
  readonly name: string;
  readonly object: Manifest;
  readonly cells: readonly unknown[];
}

/** At 2026-01-02T03:04:05Z. */
export function testCells(rows: readonly CellsCase[]): void {
  for (const { name, object, cells } of rows) {
    test(name, () => {
      const kind = kindOf(object);
      const seen = kind.hooks.cells?.(read(kind, object), by);
      assert.deepEqual(seen, cells);
      assert.equal(seen?.length, kind.columns.length);
    });
  }
}
