/**
 * What the server's health means: all named checks in one list, by upstream's names, in upstream's order.
 *
 * Guarantee: a check that is named looks at what its name says, now; a hook of the start says that it has come to its
 * end. Two are this server's own: event-loop and thread-pool, the two things that everything in it waits for. What this
 * server does not have is not named: flow schemas that are obeyed; nor are custom resources and other servers, which are
 * loaded before it answers anybody.
 * Upstream: apiserver/pkg/server/{healthz,hooks.go}, pkg/controlplane/instance.go, test/e2e/apimachinery/health_handlers.go.
 */
import { realClock } from '../../../client/clock.ts';
import type { Storage } from '../../store/storage.ts';
import type { HealthCheck } from './health.ts';
import type { ThreadPool } from './thread-pool.ts';

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
  readonly storage: Pick<Storage, 'range' | 'checkWritable'>;
  readonly threads: Pick<ThreadPool, 'answers'>;
  /** whether what is read from the watch cache follows the store */
  readonly isCacheCurrent: () => boolean;
  readonly hooksDone: ReadonlySet<BootHook>;
  /** APIServices that the start has not made yet */
  readonly unregistered: () => readonly string[];
  /** aborted when the cluster stops */
  readonly stopping: AbortSignal;
}

/** No such key: how fast it is answered is what counts. */
const probedKey = '/registry/health';
const everywhere = ['livez', 'readyz', 'healthz'] as const;

/** A process that takes longer for these is stuck, as far as its clients can tell. On real time, whatever clock the cluster has. */
const answerMsMax = 2_000;

export function healthChecks({ storage, threads, isCacheCurrent, hooksDone, unregistered, stopping }: HealthSources): HealthCheck[] {
  const readable = async (): Promise<void> => {
    await storage.range({ key: probedKey });
  };
  const writable = (): Promise<void> => within(answerMsMax, () => storage.checkWritable());
  const current = (): void => {
    if (!isCacheCurrent()) throw new Error('the watch cache has lost the store');
  };
  const done = (hook: BootHook) => (): void => {
    if (!hooksDone.has(hook)) throw new Error('not finished');
  };
  const registered = (): void => {
    const missing = unregistered();
    if (missing.length > 0) throw new Error(`missing APIService: [${missing.join(' ')}]`);
  };
  const running = (): void => {
    if (stopping.aborted) throw new Error('process is shutting down');
  };
  return [
    { name: 'event-loop', of: everywhere, check: turnsInTime },
    { name: 'thread-pool', of: everywhere, check: () => threads.answers(answerMsMax) },
    { name: 'etcd', of: everywhere, check: readable },
    { name: 'etcd-readiness', of: ['readyz'], check: writable },
    { name: 'informer-sync', of: ['readyz'], check: current },
    { name: 'poststarthook/generic-apiserver-start-informers', of: everywhere, check: current },
    { name: 'poststarthook/storage-readiness', of: everywhere, check: current },
    ...bootHooks.map((hook) => ({ name: `poststarthook/${hook}`, of: everywhere, check: done(hook) })),
    { name: 'autoregister-completion', of: everywhere, check: registered },
    { name: 'shutdown', of: ['readyz'], check: running },
  ];
}

/** Whether everything that waits for its turn had one. */
async function turnsInTime(): Promise<void> {
  const startMs = realClock.monotonic();
  for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate);
  const tookMs = Math.round(realClock.monotonic() - startMs);
  if (tookMs > answerMsMax) throw new Error(`two turns of the event loop took ${tookMs} ms`);
}

async function within(withinMs: number, work: () => Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  using _timer = realClock.setTimeout(() => late.reject(new Error(`no answer within ${withinMs} ms`)), withinMs);
  await Promise.race([work(), late.promise]);
}
