/** ReplicationControllers: ReplicaSets under their old name, with a plain map as selector. Upstream: pkg/controller/replication. */
import { ReplicationController } from '../../../api/generated/kinds.ts';
import { LabelMatcher, labelMatcherOfMap } from '../../../api/meta/selectors.ts';
import { replicasController } from './replica-set.ts';

export const replicationManager = replicasController({
  name: 'replication-controller',
  serviceAccount: 'replication-controller',
  kind: ReplicationController,
  matcher: ({ spec }) => (spec.selector ? labelMatcherOfMap(spec.selector) : LabelMatcher.nothing),
  countsTerminating: false,
});
