/**
 * What the server's health means: all named checks in one list, by upstream's names, in upstream's order.
 *
 * Guarantee: a check that is named looks at what its name says, now; a hook of the start says that it has come to its
 * end. What this server does not have is not named: an aggregator, custom resources, flow schemas that are obeyed.
 * Upstream: apiserver/pkg/server/{healthz,hooks.go}, pkg/controlplane/instance.go, test/e2e/apimachinery/health_handlers.go.
 */
import type { Storage } from '../../store/storage.ts';
import type { HealthCheck } from './health.ts';

/** What the bootstrap makes. */
export const bootHooks = [
  'start-system-namespaces-controller',
  'start-cluster-authentication-info-controller',
  'rbac/bootstrap-roles',
  'scheduling/bootstrap-system-priority-classes',
  'priority-and-fairness-config-producer',
  'bootstrap-controller',
  'start-kubernetes-service-cidr-controller',
] as const;
export type BootHook = (typeof bootHooks)[number];

/** Told when a hook has come to its end. */
export type HookDone = (hook: BootHook) => void;

export interface HealthSources {
  readonly storage: Pick<Storage, 'range'>;
  /** whether what is read from the watch cache follows the store */
  readonly isCacheCurrent: () => boolean;
  readonly hooksDone: ReadonlySet<BootHook>;
  /** aborted when the cluster stops */
  readonly stopping: AbortSignal;
}

/** No such key: how fast it is answered is what counts. */
const probedKey = '/registry/health';
const everywhere = ['livez', 'readyz', 'healthz'] as const;

export function healthChecks({ storage, isCacheCurrent, hooksDone, stopping }: HealthSources): HealthCheck[] {
  const readable = async (): Promise<void> => {
    await storage.range({ key: probedKey });
  };
  const current = (): void => {
    if (!isCacheCurrent()) throw new Error('the watch cache has lost the store');
  };
  const done = (hook: BootHook) => (): void => {
    if (!hooksDone.has(hook)) throw new Error('not finished');
  };
  const running = (): void => {
    if (stopping.aborted) throw new Error('process is shutting down');
  };
  return [
    { name: 'etcd', of: everywhere, check: readable },
    { name: 'informer-sync', of: ['readyz'], check: current },
    { name: 'poststarthook/generic-apiserver-start-informers', of: everywhere, check: current },
    { name: 'poststarthook/storage-readiness', of: everywhere, check: current },
    ...bootHooks.map((hook) => ({ name: `poststarthook/${hook}`, of: everywhere, check: done(hook) })),
    { name: 'shutdown', of: ['readyz'], check: running },
  ];
}
