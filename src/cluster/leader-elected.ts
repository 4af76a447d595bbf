/**
 * Runs what must work only once in a whole cluster, however many processes offer it: it works while this process holds
 * the Lease of its name. Where the lease is lost it stops, and waits for its turn again.
 *
 * Leases and timings are upstream's, so that its programs and ours take turns. In the API server's own process a lease
 * is renewed seldom, since nobody can take over when that process dies; started again, it leads again at once.
 */
import { hostname } from 'node:os';
import { LeadershipLostError, runAsLeader } from '../client/controllers/leader-election.ts';
import type { ComponentContext } from './component.ts';
import type { Identity } from './identities.ts';

/** What one process of the cluster does at a time. */
export interface LeaderElected {
  /** of the Lease in kube-system */
  readonly name: string;
  readonly identity: Identity;
  readonly start: (stack: AsyncDisposableStack, signal: AbortSignal) => Promise<void>;
}

const namespace = 'kube-system';
const seldom = { leaseDurationMs: 60_000, renewDeadlineMs: 40_000, renewPeriodMs: 20_000 };
const againMs = 2_000;

/** Resolves when `start` has resolved, or when another process leads. What `start` puts on its stack ends with the lead. */
export async function startLeaderElected(
  context: ComponentContext,
  stack: AsyncDisposableStack,
  { name, identity, start }: LeaderElected,
): Promise<void> {
  const { api, clock, random, log } = context;
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, context.signal]);
  const settled = Promise.withResolvers<void>();
  let leader: string | undefined;
  const options = {
    namespace,
    name,
    identity: api.local ? `timonier_${context.cluster}` : `${hostname()}_${random.uuid()}`,
    clock,
    random,
    log,
    signal,
    ...(api.local && seldom),
    onWaiting: (holder: string) => {
      if (holder !== leader) log.info({ lease: name, holder }, 'another process leads: waiting');
      leader = holder;
      settled.resolve();
    },
  };
  const work = async (leading: AbortSignal): Promise<void> => {
    await using running = new AsyncDisposableStack();
    const ended = new Promise<void>((resolve) => leading.addEventListener('abort', () => resolve(), { once: true }));
    await Promise.race([start(running, leading), ended]);
    leader = undefined;
    settled.resolve();
    if (!leading.aborted) await ended;
  };
  const candidacy = (async () => {
    while (!signal.aborted) {
      try {
        await runAsLeader(api.clientFor(identity), options, work);
      } catch (error) {
        settled.reject(error);
        log.warn({ lease: name, error }, error instanceof LeadershipLostError ? 'does not lead any more' : 'failed while it led');
        await clock.sleep(againMs, signal).catch(() => undefined);
      }
    }
  })();
  stack.defer(async () => {
    stop.abort();
    await candidacy;
  });
  await settled.promise;
}
