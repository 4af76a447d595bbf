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
  finalize: withHooks('finalize', namespaceFinalizers),
  approval: withHooks('approval', approvalConditions),
  ephemeralcontainers: withHooks('ephemeralcontainers', ephemeralContainers),
  resize: withHooks('resize', containerResources),
};

/** A view of which the kind may say more. */
function withHooks(name: string, own: UpdateStrategy): UpdateStrategy {
  return {
    join(object, old, kind) {
      const joined = own.join(object, old, kind);
      return kind.hooks.views?.[name]?.prepareForUpdate(joined, old) ?? joined;
    },
    validate: (object, old, kind) => kind.hooks.views?.[name]?.validate(object, old) ?? own.validate(object, old, kind),
  };
}

/** Throws NotFound for a subresource that the kind doesn't have. */
export function strategyOf(kind: Kind, subresource: string | undefined): UpdateStrategy {
  if (!subresource) return wholeObject;
  const strategy = kind.subresources[subresource] && strategies[subresource];
  if (!strategy) throw errors.pathNotFound();
  return strategy;
}
