/** Checks of the counters in a workload's status: none negative, none greater than what it counts part of. */
import { fieldErrors } from '../meta/status-error.ts';
import { checkNonnegative, type Errors } from './checks.ts';

interface Counters {
  readonly replicas: number;
  readonly fullyLabeledReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly observedGeneration?: number;
}

/** Of ReplicaSets and ReplicationControllers. Upstream: ValidateReplicationControllerStatus, ValidateReplicaSetStatus. */
export function checkReplicaStatus(errors: Errors, path: string, status: Counters): void {
  const counters = ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'] as const;
  for (const field of counters) checkNonnegative(errors, `${path}.${field}`, status[field]);
  for (const field of ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    checkNotGreater(errors, path, status, { field, than: 'replicas', called: 'status.replicas' });
  }
  checkNotGreater(errors, path, status, { field: 'availableReplicas', than: 'readyReplicas', called: 'readyReplicas' });
}

interface Bound<K> {
  readonly field: K;
  readonly than: K;
  /** what the message calls the bound */
  readonly called: string;
}

export function checkNotGreater<T extends object>(errors: Errors, path: string, status: T, bound: Bound<keyof T & string>): void {
  const value = (status[bound.field] as number | undefined) ?? 0;
  const limit = (status[bound.than] as number | undefined) ?? 0;
  if (value > limit) errors.push(fieldErrors.invalid(`${path}.${bound.field}`, value, `cannot be greater than ${bound.called}`));
}
