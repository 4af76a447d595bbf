/**
 * Defaults of a container that depend on its other fields, in pods and in templates alike; constant ones are in the
 * tables. Stop signals are dropped, as the feature is off upstream. Upstream: pkg/apis/core/v1/defaults.go.
 */
import type { Container, EphemeralContainer } from '../../../generated/core-v1.ts';
import { isEmptyObject } from '../../lists.ts';
import { omit } from '../../set-defaults.ts';
import { pullPolicyOf } from './image.ts';

export function defaultContainer<C extends Container | EphemeralContainer>(container: C): C {
  const { lifecycle } = container;
  const hasSignal = lifecycle?.stopSignal !== undefined;
  if (container.imagePullPolicy && !hasSignal) return container;
  const imagePullPolicy = container.imagePullPolicy || pullPolicyOf(container.image);
  if (!hasSignal) return { ...container, imagePullPolicy };
  const rest = omit(lifecycle, 'stopSignal');
  return { ...omit(container, 'lifecycle'), imagePullPolicy, ...(!isEmptyObject(rest) && { lifecycle: rest }) } as C;
}
