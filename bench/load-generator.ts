/**
 * A process of its own that puts load on an API server and measures from the client's side. Told what to do over IPC
 * (jobs.ts); ends when its parent goes.
 */
import { type Access, type Connection, openHTTP1, openHTTP2 } from './connections.ts';
import type { EventsResult, Job, JobMessage, LoadResult, RepeatResult, RequestResult } from './jobs.ts';
import { requestOf } from './objects.ts';
import { WatchCrowd } from './watch-crowd.ts';

const failing = 400;
let access: Access | undefined;
let connections: readonly Connection[] = [];
const crowds = new Map<string, WatchCrowd>();
const now = (): number => performance.now();

async function connect(job: Extract<Job, { type: 'connect' }>): Promise<void> {
  access = job.access;
  const open = job.http === 2 ? openHTTP2 : openHTTP1;
  connections = await Promise.all(Array.from({ length: job.connections }, () => open(job.access)));
}

function disconnect(): void {
  for (const connection of connections) connection.close();
  connections = [];
}

async function load({ workload, place, first, count, atOnce }: Extract<Job, { type: 'load' }>): Promise<LoadResult> {
  const latenciesMs = new Float64Array(count);
  let next = 0;
  let failures = 0;
  let firstFailure: string | undefined;
  const startMs = now();
  await Promise.all(
    Array.from({ length: atOnce }, async (_, n) => {
      const connection = connectionFor(n);
      for (let i = next++; i < count; i = next++) {
        const request = requestOf(workload, place, first + i);
        const sentMs = now();
        const { status, text } = await connection.send(request);
        latenciesMs[i] = now() - sentMs;
        if (status < failing) continue;
        failures++;
        firstFailure ??= `${request.method} ${request.path}: ${status} ${text}`;
      }
    }),
  );
  const endMs = now();
  latenciesMs.sort();
  const at = (part: number): number => latenciesMs[Math.min(count - 1, Math.floor(count * part))] ?? 0;
  return { startMs, endMs, p50Ms: at(0.5), p99Ms: at(0.99), failures, firstFailure };
}

function connectionFor(n: number): Connection {
  const connection = connections[n % connections.length];
  if (!connection) throw new Error('not connected');
  return connection;
}

async function repeat({ request, times }: Extract<Job, { type: 'repeat' }>): Promise<RepeatResult> {
  const timesMs: number[] = [];
  let bytes = 0;
  for (let i = 0; i < times; i++) {
    const startMs = now();
    const answer = await connectionFor(0).send(request);
    if (answer.status >= failing) throw new Error(`${request.path}: ${answer.status} ${answer.text}`);
    timesMs.push(now() - startMs);
    bytes = answer.bytes;
  }
  return { timesMs, bytes };
}

let probe: { longestMs: number; isOver: boolean; next: PromiseWithResolvers<void> } | undefined;

/** Small requests without a pause: whoever holds the server up holds one of them up. */
function startProbe({ request }: Extract<Job, { type: 'probe' }>): void {
  const own = { longestMs: 0, isOver: false, next: Promise.withResolvers<void>() };
  probe = own;
  const run = async (): Promise<void> => {
    while (!own.isOver) {
      const startMs = now();
      await connectionFor(0).send(request);
      own.longestMs = Math.max(own.longestMs, now() - startMs);
      own.next.resolve();
      own.next = Promise.withResolvers();
    }
  };
  run().catch((error: unknown) => own.next.reject(error));
}

/** After the request that is under way, and one more. */
async function lapProbe(): Promise<{ longestMs: number }> {
  if (!probe) throw new Error('no probe');
  await probe.next.promise;
  await probe.next.promise;
  const { longestMs } = probe;
  probe.longestMs = 0;
  return { longestMs };
}

function endProbe(): void {
  if (probe) probe.isOver = true;
}

async function sendOne(job: Extract<Job, { type: 'request' }>): Promise<RequestResult> {
  const startMs = now();
  const { status, text } = await connectionFor(0).send(job.request, true);
  return { startMs, endMs: now(), status, text };
}

async function watch({ name, path, watchers, eventType }: Extract<Job, { type: 'watch' }>): Promise<void> {
  if (!access) throw new Error('not connected');
  crowds.set(name, await WatchCrowd.open({ access, path, watchers, eventType }));
}

function crowd(name: string): WatchCrowd {
  const found = crowds.get(name);
  if (!found) throw new Error(`no watches called ${name}`);
  return found;
}

async function awaitEvents({ name, events, timeoutMs }: Extract<Job, { type: 'await-events' }>): Promise<EventsResult> {
  await crowd(name).each(events, timeoutMs);
  return { atMs: now(), bytes: crowd(name).bytes };
}

function endWatches(name: string): void {
  crowd(name).close();
  crowds.delete(name);
}

async function perform(job: Job): Promise<unknown> {
  switch (job.type) {
    case 'connect':
      return connect(job);
    case 'disconnect':
      return disconnect();
    case 'load':
      return load(job);
    case 'request':
      return sendOne(job);
    case 'repeat':
      return repeat(job);
    case 'probe':
      return startProbe(job);
    case 'probe-lap':
      return lapProbe();
    case 'end-probe':
      return endProbe();
    case 'watch':
      return watch(job);
    case 'await-events':
      return awaitEvents(job);
    case 'end-watches':
      return endWatches(job.name);
  }
}

process.on('message', ({ id, job }: JobMessage) => {
  perform(job).then(
    (result) => process.send?.({ id, result }),
    (error: unknown) => process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.on('disconnect', () => process.exit());
