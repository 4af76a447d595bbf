/** CustomResourceDefinitions, as tests want them: `shops.example.com`, and whatever else is said. */

import type {
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
} from '../../src/api/generated/apiextensions-v1.ts';
import { CustomResourceDefinition } from '../../src/api/generated/kinds.ts';
import { isConditionTrue } from '../../src/api/meta/conditions.ts';
import type { KindRef, New, UnknownObject } from '../../src/api/meta/object.ts';
import type { Client, WatchEvent } from '../../src/client/client.ts';
import { whenSeen } from './when-seen.ts';

export const preserving = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

export const version = (name: string, more: Partial<CustomResourceDefinitionVersion> = {}): CustomResourceDefinitionVersion => ({
  name,
  served: true,
  storage: true,
  schema: { openAPIV3Schema: preserving },
  ...more,
});

interface Wanted extends Partial<Omit<CustomResourceDefinitionSpec, 'names'>> {
  readonly names?: Partial<CustomResourceDefinitionNames>;
}

export function definition(kind: string, { names, ...spec }: Wanted = {}): New<CustomResourceDefinition> {
  const plural = names?.plural ?? `${kind.toLowerCase()}s`;
  const group = spec.group ?? 'example.com';
  return {
    metadata: { name: `${plural}.${group}` },
    spec: { group, scope: 'Namespaced', names: { plural, kind, ...names }, versions: [version('v1')], ...spec },
  };
}

/** How its objects are addressed. */
export function kindOf({ spec }: Pick<New<CustomResourceDefinition>, 'spec'>, of = 'v1'): KindRef<UnknownObject> {
  const { group, names, scope } = spec;
  return { group, version: of, kind: names.kind, resource: names.plural, namespaced: scope === 'Namespaced' };
}

/** Resolves with the definition when it is as wanted. */
export const whenDefined = (
  client: Client,
  { metadata }: Pick<New<CustomResourceDefinition>, 'metadata'>,
  wanted: (definition: CustomResourceDefinition, type: WatchEvent<CustomResourceDefinition>['type']) => boolean,
): Promise<CustomResourceDefinition> => whenSeen(client, CustomResourceDefinition, { name: metadata.name ?? '' }, wanted);

/** Creates it, and resolves when its objects are served. */
export async function define(client: Client, given: New<CustomResourceDefinition>): Promise<CustomResourceDefinition> {
  await client.create(CustomResourceDefinition, given);
  return whenDefined(client, given, ({ status }) => isConditionTrue(status.conditions ?? [], 'Established'));
}

/** Deletes it, and resolves when it is gone. */
export async function undefine(client: Client, given: Pick<New<CustomResourceDefinition>, 'metadata'>): Promise<void> {
  const gone = whenDefined(client, given, (_, type) => type === 'DELETED');
  await client.delete(CustomResourceDefinition, { name: given.metadata.name ?? '' });
  await gone;
}
