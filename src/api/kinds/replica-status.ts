/** Rules of the counters in a workload's status: none negative, none greater than what it counts part of. */
import { all, fields, nonNegative } from '../schema/rules/rules.ts';
import type { Rule } from '../schema/rules/walk.ts';

/** Numbers that are not negative. */
export const counters = <T extends object>(...names: readonly (keyof T & string)[]): Rule<T> =>
  fields(Object.fromEntries(names.map((name) => [name, nonNegative])) as never);

/** `called`: what the message calls the bound */
export const notGreater =
  <T extends object>(field: keyof T & string, than: keyof T & string, called: string): Rule<T> =>
  (status, walk) => {
    const value = (status[field] as number | undefined) ?? 0;
    if (value > ((status[than] as number | undefined) ?? 0)) walk.invalid(field, value, `cannot be greater than ${called}`);
  };

interface Counters {
  readonly replicas: number;
  readonly fullyLabeledReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly observedGeneration?: number;
}

/** Of ReplicaSets and ReplicationControllers. Upstream: ValidateReplicationControllerStatus, ValidateReplicaSetStatus. */
export const replicaStatus = all<Counters>(
  counters('replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'),
  notGreater('fullyLabeledReplicas', 'replicas', 'status.replicas'),
  notGreater('readyReplicas', 'replicas', 'status.replicas'),
  notGreater('availableReplicas', 'replicas', 'status.replicas'),
  notGreater('availableReplicas', 'readyReplicas', 'readyReplicas'),
);
