/** timonier as a library: a whole cluster inside a program or a test. */
export * as kinds from './api/generated/kinds.ts';
export type { KindRef, KubeObject, ListOf, New, ObjectName } from './api/meta/object.ts';
export { isAlreadyExists, isConflict, isForbidden, isInvalid, isNotFound, StatusError } from './api/meta/status-error.ts';
export type { Act, ActFilter, LostActs } from './client/acts.ts';
export type { Client } from './client/client.ts';
export { type Clock, type Random, realClock, realRandom, seededRandom } from './client/clock.ts';
export { type Controller, defineController, TerminalError, watched } from './client/controller.ts';
export { runControllers } from './client/controller-runner.ts';
export { VirtualClock } from './client/virtual-clock.ts';
export type { Cluster, StartOptions } from './cluster/cluster.ts';
export { startCluster } from './cluster/start-cluster.ts';
