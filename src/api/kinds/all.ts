/**
 * Every built-in kind. One of which more is known than the tables say has its own file below ./<group> and a line in
 * kind-files.ts; the rest are made from the tables alone.
 */
import type { Kind } from '../meta/kind.ts';
import { defineKind, resourceRows } from './define-kind.ts';
import * as kindFiles from './kind-files.ts';
import { KindRegistry } from './registry.ts';
import type { RuntimeConfig } from './runtime-config.ts';

function makeAll(): readonly Kind[] {
  const byPath = new Map(
    (Object.values(kindFiles) as unknown as readonly Kind[]).map((kind) => [`${kind.group}/${kind.version}/${kind.resource}`, kind]),
  );
  return resourceRows.map((row) => byPath.get(`${row.group}/${row.version}/${row.resource}`) ?? defineKind(row));
}

/** All 95, in the order of the resource table. */
export const builtInKinds: readonly Kind[] = makeAll();

/** A registry of the built-in kinds; what it serves beside the stable versions is the runtime configuration's choice. */
export function builtInRegistry(config: RuntimeConfig = {}): KindRegistry {
  return new KindRegistry(builtInKinds, config);
}
