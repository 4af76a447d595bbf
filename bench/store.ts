/**
 * Rates of the store: `node bench/store.ts [memory|lmdb]`. Durable commits of 2 kB objects by many writers at once,
 * updates, reads, a restart, memory. One JSON line per measure.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock } from '../src/client/clock.ts';
import { silentLog } from '../src/client/log.ts';
import { openLmdbStore } from '../src/control-plane/store/lmdb-store.ts';
import { openMemoryStore } from '../src/control-plane/store/memory-store.ts';
import type { Storage } from '../src/control-plane/store/storage.ts';

const valueBytes = 2000;
const prefix = '/registry/configmaps/default/';
const name = (i: number): string => `${prefix}some-configuration-${String(i).padStart(6, '0')}`;
const value = Buffer.alloc(valueBytes, '{"kind":"ConfigMap"}');

interface Cost {
  readonly ms: number;
  readonly cpuMs: number;
}

async function measure(work: () => Promise<unknown>): Promise<Cost> {
  const cpu = process.cpuUsage();
  const startMs = realClock.monotonic();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { ms: realClock.monotonic() - startMs, cpuMs: (user + system) / 1000 };
}

function report(store: string, what: string, figures: object): void {
  console.log(JSON.stringify({ store, what, ...figures }));
}

async function manyWriters(writers: number, total: number, write: (i: number) => Promise<unknown>): Promise<object> {
  const latenciesMs: number[] = [];
  let next = 0;
  const { ms, cpuMs } = await measure(() =>
    Promise.all(
      Array.from({ length: writers }, async () => {
        for (let i = next++; i < total; i = next++) {
          const startMs = realClock.monotonic();
          await write(i);
          latenciesMs.push(realClock.monotonic() - startMs);
        }
      }),
    ),
  );
  latenciesMs.sort((a, b) => a - b);
  const at = (part: number): number => Number(latenciesMs[Math.floor(latenciesMs.length * part)]?.toFixed(2));
  return {
    perSecond: Math.round((total / ms) * 1000),
    cpuMicrosecondsEach: Math.round((cpuMs * 1000) / total),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

async function reads(label: string, store: Storage): Promise<void> {
  const rounds = 20;
  const pages = await measure(async () => {
    for (let i = 0; i < rounds; i++) await store.range({ prefix, limit: 5000 });
  });
  report(label, 'range of 5,000', { ms: round(pages.ms / rounds) });
  const counts = await measure(async () => {
    for (let i = 0; i < rounds; i++) await store.range({ prefix, countOnly: true });
  });
  report(label, 'count of 100,000', { ms: round(counts.ms / rounds) });
  const single = await measure(async () => {
    for (let i = 0; i < 50_000; i++) await store.range({ key: name((i * 7919) % 100_000) });
  });
  report(label, 'get', { microseconds: round(single.ms / 50) });
}

const round = (ms: number): number => Number(ms.toFixed(2));

async function run(label: string, open: () => Promise<Storage>): Promise<void> {
  {
    await using store = await open();
    for (const writers of [1, 32, 256]) {
      const total = writers === 1 ? 2000 : 50_000;
      const offset = writers * 1_000_000;
      report(label, `create, ${writers} writers`, {
        ...(await manyWriters(writers, total, (i) => store.commit([{ key: `${name(offset + i)}-x`, put: value, expect: 'absent' }]))),
      });
    }
    const revisions = new Map<number, number>();
    for (const writers of [32, 256]) {
      const update = async (i: number): Promise<void> => {
        const result = await store.commit([{ key: `u${name(i % 5000)}`, put: value, expect: revisions.get(i % 5000) ?? 'absent' }]);
        if (!result.ok) throw new Error(`lost ${result.key}`);
        revisions.set(i % 5000, result.revision);
      };
      report(label, `update, ${writers} writers, 70 watchers`, await withWatchers(store, () => manyWriters(writers, 50_000, update)));
    }
    await manyWriters(256, 100_000, (i) => store.commit([{ key: name(i), put: value }]));
    await reads(label, store);
    global.gc?.();
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    const mb = (bytes: number): number => Math.round(bytes / 2 ** 20);
    report(label, 'memory with 207,000 objects', {
      rssMB: mb(rss),
      heapMB: mb(heapUsed),
      buffersMB: mb(arrayBuffers),
      fileMB: mb(await store.sizeBytes()),
    });
  }
  if (label === 'memory') return;
  const restart = await measure(async () => {
    await using _store = await open();
  });
  report(label, 'open and close again', { ms: round(restart.ms) });
}

/** As many as there are resources; one of them is concerned. */
async function withWatchers<T>(store: Storage, work: () => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const watchers = Array.from({ length: 70 }, async (_, i) => {
    const from = { prefix: i === 0 ? 'u' : `/registry/kind-${i}/`, revision: await store.latestRevision() };
    for await (const batch of store.watch(from, stop.signal)) void batch;
  });
  const result = await work();
  stop.abort();
  await Promise.all(watchers);
  return result;
}

const which = process.argv[2];
if (which !== 'lmdb') await run('memory', () => Promise.resolve(openMemoryStore({ clock: realClock })));
if (which !== 'memory') {
  const path = await mkdtemp(join(tmpdir(), 'timonier-bench-'));
  await run('lmdb', () => openLmdbStore({ path, clock: realClock, log: silentLog }));
  await rm(path, { recursive: true });
}
