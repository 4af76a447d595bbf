/**
 * Who owns the replicas of an object, seen as owners of its Scale, and back: the `scale` subresource is an object of a
 * type of its own, and what is written through it is one field of the object behind it. Whoever took the field there has
 * taken it here.
 * Upstream: apimachinery/pkg/util/managedfields/scalehandler.go.
 */
import { differenceOf, fieldSetOf, hasField, isEmpty } from './field-set.ts';
import { type Manager, type Managers, managersByKey } from './managers.ts';
import type { FieldPath } from './path-element.ts';

export const scaleVersion = 'autoscaling/v1';
const replicasOfScale: FieldPath = ['f:spec', 'f:replicas'];

export interface Scaled {
  readonly managers: Managers;
  /** where the object has its replicas */
  readonly replicas: FieldPath;
  /** that of the request, for the object */
  readonly version: string;
  /** Whether the object still has this version. */
  isServed(version: string): boolean;
}

export function managersOfScale({ managers, replicas, isServed }: Scaled): Managers {
  const owners = [...managers.values()].filter(({ version, fields }) => isServed(version) && hasField(fields, replicas));
  const fields = fieldSetOf(replicasOfScale);
  return managersByKey(owners.map((owner) => ({ ...owner, apiVersion: scaleVersion, version: scaleVersion, fields })));
}

/** The object's managers, once its Scale has these. */
export function managersOfScaled({ managers, replicas, version, isServed }: Scaled, ofScale: Managers): Managers {
  const taking = new Map(ofScale);
  const rest = new Map<string, Manager>();
  for (const [key, manager] of managers) {
    if (!isServed(manager.version)) continue;
    if (!hasField(manager.fields, replicas) || taking.delete(key)) {
      rest.set(key, manager);
      continue;
    }
    const fields = differenceOf(manager.fields, fieldSetOf(replicas));
    if (!isEmpty(fields)) rest.set(key, { ...manager, fields });
  }
  for (const [key, manager] of taking) {
    if (!hasField(manager.fields, replicasOfScale)) continue;
    rest.set(key, { ...manager, version, fields: fieldSetOf(replicas), time: managers.get(key)?.time });
  }
  return rest;
}
