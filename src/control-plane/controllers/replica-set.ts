/** ReplicaSets: a number of like pods. What they do is in replicas.ts. Upstream: pkg/controller/replicaset. */
import { ReplicaSet } from '../../api/generated/kinds.ts';
import { matcherOf } from './owner.ts';
import { replicasController } from './replicas.ts';

export const replicaSetController = replicasController({
  name: 'replicaset-controller',
  serviceAccount: 'replicaset-controller',
  kind: ReplicaSet,
  matcher: (set) => matcherOf(set.spec.selector),
  countsTerminating: true,
});
