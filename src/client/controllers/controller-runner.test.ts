import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../../api/generated/kinds.ts';
import type { KindRef, KubeObject } from '../../api/meta/object.ts';
import { errors } from '../../api/meta/status-error.ts';
import type { Client, WatchEvent } from '../client.ts';
import { seededRandom } from '../clock.ts';
import { InformerSet } from '../informers/informer-set.ts';
import { type Log, silentLog } from '../log.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { type Controller, defineController, TerminalError, watched } from './controller.ts';
import { type ReconcileResult, type RunOptions, runControllers } from './controller-runner.ts';

/** A server of ConfigMaps whose watch tells what was written only when the test says so. */
class SlowWatch {
  readonly clock = new VirtualClock();
  readonly created: ConfigMap[] = [];
  readonly informers: InformerSet;
  readonly #untold: WatchEvent<ConfigMap>[] = [];
  #told: WatchEvent<ConfigMap>[] = [];
  #wake = Promise.withResolvers<void>();

  constructor() {
    const source = {
      list: async () => ({ apiVersion: 'v1', kind: 'ConfigMapList', metadata: { resourceVersion: '1' }, items: [] }),
      watch: (_kind: KindRef, options: { signal?: AbortSignal } = {}) => this.#watch(options.signal),
    };
    this.informers = new InformerSet(source as unknown as Client, { clock: this.clock, log: silentLog, random: seededRandom(1) });
  }

  get client(): Client {
    return {
      informer: (kind: KindRef) => this.informers.informer(kind),
      create: async (_kind: KindRef, object: ConfigMap) => this.write(object.metadata.name),
    } as unknown as Client;
  }

  write(name: string): ConfigMap {
    const revision = String(this.created.length + 2);
    const metadata = { name, namespace: 'n', uid: `uid-${revision}`, resourceVersion: revision, creationTimestamp: '2026-01-01T00:00:00Z' };
    const object: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
    this.created.push(object);
    this.#untold.push({ type: 'ADDED', object });
    return object;
  }

  async tell(): Promise<void> {
    this.#told.push(...this.#untold.splice(0));
    this.#wake.resolve();
    await this.clock.advance(0);
  }

  async *#watch(signal?: AbortSignal): AsyncIterable<WatchEvent<KubeObject>> {
    const aborted = new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
    while (!signal?.aborted) {
      yield* this.#told.splice(0);
      this.#wake = Promise.withResolvers();
      await Promise.race([this.#wake.promise, aborted]);
    }
  }
}

function run(server: SlowWatch, controllers: Controller[], results: string[] = [], more: Partial<RunOptions> = {}) {
  return runControllers(controllers, {
    client: server.client,
    clock: server.clock,
    random: seededRandom(1),
    log: silentLog,
    metrics: {
      queueDepth: () => undefined,
      reconciled: (name: string, result: ReconcileResult) => results.push(`${name} ${result}`),
    },
    ...more,
  });
}

test('a reconcile sees what the one before wrote, however slow the watch', async () => {
  const server = new SlowWatch();
  await using _ = server.informers;
  const reconciled: number[] = [];
  const controller = defineController({
    name: 'doubler',
    watches: [watched(ConfigMap, () => ['all'])],
    async reconcile(_key, io) {
      const count = io.client.informer(ConfigMap).list().length;
      reconciled.push(count);
      if (count === 1) await io.client.create(ConfigMap, { metadata: { name: 'second', namespace: 'n' } });
      return { requeueAfterMs: 1000 };
    },
  });
  await using running = run(server, [controller]);
  await running.started;
  server.write('first');
  await server.tell();
  assert.deepEqual(reconciled, [1]);
  await server.clock.advance(10_000);
  assert.deepEqual(reconciled, [1]);
  await server.tell();
  await server.clock.advance(1000);
  assert.deepEqual(reconciled.slice(0, 2), [1, 2]);
  assert.equal(server.created.length, 2);
});

test('an error is retried with back-off, a terminal one is not', async () => {
  const server = new SlowWatch();
  await using _ = server.informers;
  const results: string[] = [];
  let failures = 0;
  const controllers = [
    defineController({
      name: 'thrice',
      watches: [watched(ConfigMap)],
      async reconcile() {
        if (++failures < 3) throw errors.internal('not yet');
      },
    }),
    defineController({
      name: 'broken',
      watches: [watched(ConfigMap)],
      async reconcile() {
        throw new TerminalError('never');
      },
    }),
  ];
  await using running = run(server, controllers, results);
  await running.started;
  server.write('first');
  await server.tell();
  await server.clock.advance(60_000);
  assert.deepEqual(results.toSorted(), ['broken terminal_error', 'thrice error', 'thrice error', 'thrice success']);
});

test('nothing is left after a stop, even of a reconcile that waits', async () => {
  const server = new SlowWatch();
  const controller = defineController({
    name: 'waiter',
    watches: [watched(ConfigMap)],
    reconcile: (_key, io) => io.clock.sleep(1e9, io.signal),
  });
  const running = run(server, [controller]);
  await running.started;
  server.write('first');
  await server.tell();
  assert.equal(server.clock.pending, 1);
  await running[Symbol.asyncDispose]();
  await server.informers[Symbol.asyncDispose]();
  assert.equal(server.clock.pending, 0);
});

test('stopped before it was synced, a run says so', async () => {
  const server = new SlowWatch();
  const running = run(server, [defineController({ name: 'idle', watches: [watched(ConfigMap)], reconcile: async () => undefined })]);
  await running[Symbol.asyncDispose]();
  await assert.rejects(running.started);
  await server.informers[Symbol.asyncDispose]();
});

for (const requeueAfterMs of [0, -1, Number.NaN, Number.NEGATIVE_INFINITY]) {
  test(`again after ${requeueAfterMs} ms is done`, async () => {
    const server = new SlowWatch();
    await using _ = server.informers;
    const results: string[] = [];
    const reconcile = async () => ({ requeueAfterMs });
    await using running = run(server, [defineController({ name: 'eager', watches: [watched(ConfigMap)], reconcile })], results);
    await running.started;
    server.write('first');
    await server.tell();
    await server.clock.advance(60_000);
    assert.deepEqual(results, ['eager success']);
  });
}

test('a reconcile that never ends does not keep the stop from ending; it is logged', { timeout: 10_000 }, async () => {
  const server = new SlowWatch();
  await using _ = server.informers;
  const logged: unknown[] = [];
  const log: Log = { ...silentLog, child: () => log, error: (fields) => logged.push(fields) };
  const reconcile = () => new Promise<never>(() => undefined);
  const running = run(server, [defineController({ name: 'deaf', watches: [watched(ConfigMap)], reconcile })], [], {
    log,
    stopTimeoutMs: 5,
  });
  await running.started;
  server.write('first');
  await server.tell();
  await running[Symbol.asyncDispose]();
  assert.deepEqual(logged, [{ keys: ['n/first'], timeoutMs: 5 }]);
});
