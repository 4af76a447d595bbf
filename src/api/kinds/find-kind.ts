/** The built-in kind of a name as kubectl takes it: `pods`, `pod`, `po`, `Pod`, with group or version: `deploy.apps`, `jobs.v1.batch`. */

import type { Kind } from '../meta/kind.ts';
import type { KindRef } from '../meta/object.ts';
import { builtInKinds, builtInRegistry } from './all.ts';

const kinds = builtInRegistry().current;

/** Undefined when there is none. Kinds of the server's own, and custom resources: `discoverResources(client)`. */
export function findKind(name: string): KindRef | undefined {
  const [word = '', ...rest] = name.split('.');
  const place = rest.join('.');
  const isMeant = (kind: Kind): boolean =>
    isNamed(kind, word) && (place === '' || place === kind.group || place === `${kind.version}.${kind.group}`);
  // Versions that have to be turned on come last.
  const found = kinds.list().find(isMeant) ?? builtInKinds.find(isMeant);
  const best = found && kinds.versionsOf(found.group, found.resource).find(isMeant);
  return refOf(best ?? found);
}

function isNamed({ resource, singular, kind, shortNames }: Kind, word: string): boolean {
  const lower = word.toLowerCase();
  return resource === lower || singular === lower || kind.toLowerCase() === lower || shortNames.includes(lower);
}

const refOf = (found: Kind | undefined): KindRef | undefined =>
  found && { group: found.group, version: found.version, kind: found.kind, resource: found.resource, namespaced: found.namespaced };
