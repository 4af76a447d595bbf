/** The implementations of `Client` that the suite runs on, each with a server of its own, and small words for tests. */
import assert from 'node:assert/strict';
import { builtInRegistry } from '../../../src/api/kinds/all.ts';
import type { KubeObject, New } from '../../../src/api/meta/object.ts';
import { isStatusError, type StatusError } from '../../../src/api/meta/status-error.ts';
import type { Client, WatchEvent } from '../../../src/client/client.ts';
import { type Clock, realClock, seededRandom } from '../../../src/client/clock.ts';
import { silentLog } from '../../../src/client/log.ts';
import { createHTTPClient } from '../../../src/client/transport/http-client.ts';
import { type ApiServer, createApiServer, type ServerParts } from '../../../src/control-plane/api-server/api-server.ts';
import { createAuthority } from '../../../src/control-plane/pki/authority.ts';
import { openMemoryStore } from '../../../src/control-plane/store/memory-store.ts';
import type { Storage } from '../../../src/control-plane/store/storage.ts';
import { implementations as stores } from '../storage/stores.ts';

export interface Running extends AsyncDisposable {
  readonly client: Client;
  readonly server: ApiServer;
  readonly storage: Storage;
}

export interface StartOptions {
  /** default: a new one in memory, closed at the end */
  readonly storage?: Storage;
  readonly clock?: Clock;
  readonly parts?: ServerParts;
}

export interface Implementation {
  readonly name: string;
  start(options?: StartOptions): Promise<Running>;
}

const user = { name: 'tester', groups: ['system:masters', 'system:authenticated'] };

export async function startServer({
  storage: given,
  clock = realClock,
  parts = {},
}: StartOptions): Promise<Omit<Running, 'client'> & { stack: AsyncDisposableStack }> {
  const stack = new AsyncDisposableStack();
  const storage = given ?? stack.use(openMemoryStore({ clock }));
  const server = await createApiServer({
    storage,
    registry: builtInRegistry(),
    clock,
    random: seededRandom(1),
    log: silentLog,
    parts: () => ({ authenticators: [{ authenticate: () => user }], ...parts }),
  });
  stack.use(server);
  return { server, storage, stack, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const authority = createAuthority({ commonName: 'kubernetes', clock: realClock });

/** A server certificate for loopback, and the authority behind it. */
export async function servingCertificate() {
  const { issue, certPem } = await authority;
  const leaf = await issue({ commonName: 'kube-apiserver', dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'], usages: ['server'] });
  return { cert: leaf.certPem, key: leaf.keyPem, clientCA: certPem };
}

export const clientCertificate = async (commonName: string, organizations: readonly string[] = []) =>
  (await authority).issue({ commonName, organizations, usages: ['client'] });

/** Writes wait for the disk here, so they overlap: what the store in memory never shows. */
const durable = stores.find((store) => store.name === 'LMDB');

export const implementations: readonly Implementation[] = [
  {
    name: 'in-process, durable',
    async start(options = {}) {
      assert.ok(durable);
      const stack = new AsyncDisposableStack();
      const storage = options.storage ?? stack.use(await durable.open({ clock: options.clock ?? realClock }));
      const running = await startServer({ ...options, storage });
      stack.use(running);
      return { ...running, client: running.server.clientFor(user), [Symbol.asyncDispose]: () => stack.disposeAsync() };
    },
  },
  {
    name: 'in-process',
    async start(options = {}) {
      const running = await startServer(options);
      return { ...running, client: running.server.clientFor(user) };
    },
  },
  {
    name: 'HTTPS',
    async start(options = {}) {
      const running = await startServer(options);
      const tls = await servingCertificate();
      const { port } = await running.server.listen({ host: '127.0.0.1', port: 0, tls });
      const server = `https://127.0.0.1:${port}`;
      const client = createHTTPClient({ server, ca: tls.clientCA, clock: realClock, random: seededRandom(2), log: silentLog });
      running.stack.use(client);
      return { ...running, client };
    },
  },
];

/** The StatusError that this has to end with. */
export async function refusal(promise: Promise<unknown>): Promise<StatusError> {
  const error = await promise.then(
    () => assert.fail('nothing was refused'),
    (reason: unknown) => reason,
  );
  if (!isStatusError(error)) throw error;
  return error;
}

/** `404 NotFound: configmaps "a" not found` */
export async function describeRefusal(promise: Promise<unknown>): Promise<string> {
  const { code, reason, message } = await refusal(promise);
  return `${code} ${reason}: ${message}`;
}

export const configMap = (name: string, more: Partial<KubeObject['metadata']> = {}, data: Record<string, string> = {}) =>
  ({ metadata: { name, namespace: 'default', ...more }, data }) as New<KubeObject> as never;

/** `ADDED a`, `MODIFIED a`, `BOOKMARK` */
export const describeEvent = ({ type, object }: WatchEvent<KubeObject>): string =>
  type === 'BOOKMARK' ? type : `${type} ${object.metadata.name}`;

/** The first `count` events of a watch. */
export async function takeEvents<T extends KubeObject>(events: AsyncIterable<WatchEvent<T>>, count: number): Promise<WatchEvent<T>[]> {
  const taken: WatchEvent<T>[] = [];
  for await (const event of events) {
    taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
}
