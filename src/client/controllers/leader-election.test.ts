import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lease } from '../../api/generated/kinds.ts';
import { errors } from '../../api/meta/status-error.ts';
import type { Client } from '../client.ts';
import { seededRandom } from '../clock.ts';
import { silentLog } from '../log.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { LeadershipLostError, runAsLeader } from './leader-election.ts';

/** One Lease, and a switch per candidate that cuts it off. */
class LeaseHolder {
  lease: Lease | undefined;
  readonly cut = new Set<string>();
  #revision = 0;

  clientOf(candidate: string): Pick<Client, 'get' | 'create' | 'update'> {
    const reach = (): void => {
      if (this.cut.has(candidate)) throw new Error('connection refused');
    };
    return {
      get: async () => {
        reach();
        if (!this.lease) throw errors.notFound(Lease, 'l');
        return this.lease;
      },
      create: async (_: unknown, object: Lease) => {
        reach();
        if (this.lease) throw errors.alreadyExists(Lease, 'l');
        return this.#store(object);
      },
      update: async (_: unknown, object: Lease) => {
        reach();
        if (object.metadata.resourceVersion !== this.lease?.metadata.resourceVersion) throw errors.conflict(Lease, 'l');
        return this.#store(object);
      },
    } as unknown as Pick<Client, 'get' | 'create' | 'update'>;
  }

  #store(object: Lease): Lease {
    this.lease = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#revision) } };
    return this.lease;
  }
}

function candidate(holder: LeaseHolder, clock: VirtualClock, identity: string, log: string[]) {
  const stop = new AbortController();
  const waitedFor = new Set<string>();
  const onWaiting = (other: string): void => void waitedFor.add(other);
  const options = {
    namespace: 'kube-system',
    name: 'l',
    identity,
    clock,
    random: seededRandom(1),
    log: silentLog,
    signal: stop.signal,
    onWaiting,
  };
  const at = () => `${(clock.now() - Date.UTC(2026, 0, 1)) / 1000}s`;
  const done = runAsLeader(holder.clientOf(identity), options, async (signal) => {
    log.push(`${at()} ${identity} leads`);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    log.push(`${at()} ${identity} ends`);
  });
  done.catch(() => undefined);
  return { stop, done, waitedFor };
}

test('a leader that stops hands over at once', async () => {
  const holder = new LeaseHolder();
  const clock = new VirtualClock();
  const log: string[] = [];
  const a = candidate(holder, clock, 'a', log);
  await clock.advance(100);
  const b = candidate(holder, clock, 'b', log);
  await clock.advance(60_000);
  assert.deepEqual(log, ['0s a leads']);
  a.stop.abort();
  await a.done;
  assert.equal(holder.lease?.spec?.holderIdentity, '');
  await clock.advance(5_000);
  assert.equal(holder.lease.spec.holderIdentity, 'b');
  assert.equal(holder.lease.spec.leaseTransitions, 1);
  b.stop.abort();
  await b.done;
  assert.equal(clock.pending, 0);
});

test('a leader that is cut off ends before another begins', async () => {
  const holder = new LeaseHolder();
  const clock = new VirtualClock();
  const log: string[] = [];
  const a = candidate(holder, clock, 'a', log);
  await clock.advance(0);
  const b = candidate(holder, clock, 'b', log);
  await clock.advance(9_000);
  holder.cut.add('a');
  await clock.advance(40_000);
  await assert.rejects(a.done, LeadershipLostError);
  assert.deepEqual(
    log.map((line) => line.split(' ').slice(1).join(' ')),
    ['a leads', 'a ends', 'b leads'],
  );
  const [, ends, leads] = log.map((line) => Number.parseFloat(line));
  assert.ok(ends === 18 && (leads ?? 0) > 22, log.join());
  b.stop.abort();
  await b.done;
});

test('a candidate waits as long as the holder has asked for, and says for whom', async () => {
  const holder = new LeaseHolder();
  const clock = new VirtualClock();
  const spec = { holderIdentity: 'other', leaseDurationSeconds: 60 };
  holder.lease = { ...(await holder.clientOf('other').create(Lease, { metadata: { namespace: 'kube-system', name: 'l' }, spec })) };
  const log: string[] = [];
  const a = candidate(holder, clock, 'a', log);
  await clock.advance(59_000);
  assert.deepEqual({ log, waitedFor: [...a.waitedFor] }, { log: [], waitedFor: ['other'] });
  await clock.advance(6_000);
  assert.match(log.at(-1) ?? '', /^6\d.* a leads$/);
  a.stop.abort();
  await a.done;
});
