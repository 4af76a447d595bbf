/** What a client is warned of who writes a Job. Upstream: pkg/api/job/warnings.go. */
import type { JobSpec } from '../../generated/batch-v1.ts';
import { templateWarnings } from '../core/pod-spec/pod-warnings.ts';

const completionsMany = 100_000;
const parallelismMany = 10_000;

export function jobSpecWarnings(path: string, spec: JobSpec | undefined): readonly string[] {
  if (!spec) return [];
  const { completionMode, completions = 0, parallelism = 0, template } = spec;
  const isMany = completionMode === 'Indexed' && completions > completionsMany && parallelism > parallelismMany;
  const message =
    'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able ' +
    'to track completedIndexes when a big number of indexes fail';
  return [...(isMany ? [`${path}: ${message}`] : []), ...templateWarnings(`${path}.template`, template)];
}
