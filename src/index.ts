/**
 * timonier as a library: a whole cluster inside a program or a test, and what an operator is written with, for this
 * cluster or any other. docs/library.md says how it is used.
 */

export * as kinds from './api/generated/kinds.ts';
export { findKind } from './api/kinds/find-kind.ts';
export { findCondition, isConditionTrue, withCondition, withoutCondition } from './api/meta/conditions.ts';
export {
  apiVersionOf,
  type KindRef,
  type KubeObject,
  keyOf,
  type ListOf,
  type New,
  type ObjectKey,
  type ObjectName,
  parseKey,
  type UnknownObject,
} from './api/meta/object.ts';
export {
  isAlreadyExists,
  isConflict,
  isExpired,
  isForbidden,
  isInvalid,
  isNotFound,
  isStatusError,
  StatusError,
} from './api/meta/status-error.ts';
export type * from './client/client.ts';
export { type Clock, type Random, realClock, realRandom, seededRandom, type Timer } from './client/clock.ts';
export {
  type Controller,
  type ControllerIO,
  defineController,
  type Outcome,
  TerminalError,
  type Watched,
  watched,
} from './client/controllers/controller.ts';
export {
  type ControllerMetrics,
  type ReconcileResult,
  type RunningControllers,
  type RunOptions,
  runControllers,
} from './client/controllers/controller-runner.ts';
export { type LeaderElectionOptions, LeadershipLostError, runAsLeader } from './client/controllers/leader-election.ts';
export type { Act, ActFilter, LostActs } from './client/events/acts.ts';
export type { EventRecorder } from './client/events/event-recorder.ts';
export { type Access, accessOf, type Kubeconfig, parseKubeconfig, readKubeconfig } from './client/files/kubeconfig.ts';
export type { Informer, InformerHandler, InformerOptions } from './client/informers/informer.ts';
export { type Log, silentLog } from './client/log.ts';
export { type DiscoveredResource, type Discovery, discoverResources } from './client/transport/discovery.ts';
export { createHTTPClient, type HTTPClientOptions } from './client/transport/http-client.ts';
export { VirtualClock } from './client/virtual-clock.ts';
export type { Cluster, Phase, PhaseReport, StartOptions } from './cluster/cluster.ts';
export type { ComponentName } from './cluster/component-names.ts';
export { createLog, type LogLevel } from './cluster/log/logging.ts';
export { OperationError } from './cluster/operation-error.ts';
export { startCluster } from './cluster/start-cluster.ts';
