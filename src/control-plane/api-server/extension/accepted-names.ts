/**
 * A name that a CustomResourceDefinition's status accepts is that definition's alone in its group: the commit that
 * accepts it takes a claim, and the one in which it is given up, or in which the definition goes, lets go of it. So two
 * servers that judge two definitions at once can't accept one name twice, whatever each has seen of the other.
 */
import { CustomResourceDefinition } from '../../../api/generated/kinds.ts';
import { listOf } from '../../../api/kinds/lists.ts';
import { isKind, type KubeObject } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import type { Op } from '../../store/storage.ts';
import type { Claims } from '../allocation/claims.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { Allocation, AllocationRequest, Allocator } from '../write/allocator.ts';

export class AcceptedNames implements Allocator {
  readonly #reader: ObjectReader;
  readonly #claims: Claims;

  constructor(reader: ObjectReader, claims: Claims) {
    this.#reader = reader;
    this.#claims = claims;
  }

  handles(kind: { readonly group: string; readonly resource: string }): boolean {
    return isKind(kind, CustomResourceDefinition);
  }

  allocate(change: AllocationRequest): Allocation | undefined {
    const ops = [...this.#claims.change('resourcenames', change, namesOf, (name) => this.#takes(name, change))];
    return ops.length > 0 ? { ops } : undefined;
  }

  repair(): Iterable<Op> {
    return this.#claims.repair('resourcenames', this.#reader.list(CustomResourceDefinition), namesOf);
  }

  #takes(name: string, { name: definition, lost }: AllocationRequest): boolean {
    if (!this.#claims.isTaken('resourcenames', name, lost)) return true;
    throw errors.conflict(CustomResourceDefinition, definition, `the name ${name} is another definition's`);
  }
}

/** `resource.shops.example.com`, `kind.Shop.example.com`, each once: a short name may be the singular. */
function namesOf(object: KubeObject): readonly string[] {
  const { spec, status } = object as CustomResourceDefinition;
  const accepted = status?.acceptedNames;
  if (!accepted) return [];
  const { plural, singular, shortNames, kind, listKind } = accepted;
  const resources = [plural, singular, ...listOf(shortNames)].filter(Boolean).map((name) => `resource.${name}.${spec.group}`);
  const kinds = [kind, listKind].filter(Boolean).map((name) => `kind.${name}.${spec.group}`);
  return [...new Set([...resources, ...kinds])];
}
