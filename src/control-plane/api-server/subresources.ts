/** Which part of an object a subresource is. */
import type { Kind } from '../../api/meta/kind.ts';
import { errors } from '../../api/meta/status-error.ts';
import {
  approvalConditions,
  containerResources,
  ephemeralContainers,
  namespaceFinalizers,
  statusOnly,
  type UpdateStrategy,
  wholeObject,
} from './update-strategy.ts';

const strategies: Readonly<Record<string, UpdateStrategy>> = {
  status: statusOnly,
  finalize: namespaceFinalizers,
  approval: approvalConditions,
  ephemeralcontainers: ephemeralContainers,
  resize: containerResources,
};

/** Throws NotFound for a subresource that the kind doesn't have. */
export function strategyOf(kind: Kind, subresource: string | undefined): UpdateStrategy {
  if (!subresource) return wholeObject;
  const strategy = kind.subresources[subresource] && strategies[subresource];
  if (!strategy) throw errors.pathNotFound();
  return strategy;
}
