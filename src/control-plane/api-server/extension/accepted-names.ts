/**
 * A name that a CustomResourceDefinition's status accepts is that definition's alone in its group: the commit that
 * accepts it takes a claim, and the one in which it is given up, or in which the definition goes, lets go of it. So two
 * servers that judge two definitions at once can't accept one name twice, whatever each has seen of the other.
 */
import { CustomResourceDefinition } from '../../../api/generated/kinds.ts';
import { listOf } from '../../../api/kinds/lists.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import { ClaimAllocator } from '../allocation/claim-allocator.ts';
import type { Claims } from '../allocation/claims.ts';
import type { ObjectReader } from '../cache/reader.ts';

export const acceptedNames = (reader: ObjectReader, claims: Claims): ClaimAllocator =>
  new ClaimAllocator(reader, claims, {
    kind: CustomResourceDefinition,
    thing: 'resourcenames',
    namesOf,
    refuse(name, { name: definition }) {
      throw errors.conflict(CustomResourceDefinition, definition, `the name ${name} is another definition's`);
    },
  });

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
