/** What other servers hold, and the cluster around it: namespaces, owners, quotas, and the audit of who did what. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, before, suite, test } from 'node:test';
import { ConfigMap, Namespace, ResourceQuota } from '../../src/api/generated/kinds.ts';
import { findCondition } from '../../src/api/meta/conditions.ts';
import { realClock, realRandom } from '../../src/client/clock.ts';
import { runControllers } from '../../src/client/controllers/controller-runner.ts';
import { silentLog } from '../../src/client/log.ts';
import type { AuditPolicy } from '../../src/control-plane/api-server/audit/audit-policy.ts';
import { garbageCollector } from '../../src/control-plane/controllers/deletion/garbage-collector.ts';
import { namespaceController } from '../../src/control-plane/controllers/deletion/namespace.ts';
import {
  type AggregatedServer,
  answerJson,
  type BackendAnswer,
  groupVersionPath,
  startAggregatedServer,
  Things,
  thingResource,
} from '../kit/aggregated-server.ts';
import { whenGone, whenSeen } from '../kit/when-seen.ts';

interface Thing {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly ownerReferences?: readonly object[];
  };
}

interface AuditLine {
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly responseStatus: { readonly code: number };
}

/** A backend that keeps things in memory, and tells of them. */
class ThingStore {
  readonly #things = new Map<string, Thing>();
  readonly #watchers = new Set<ServerResponse>();
  /** the revision of each is its place, from 1 */
  readonly #events: string[] = [];
  readonly #waiting = new Map<string, () => void>();
  isUp = true;

  put(name: string, namespace: string, ownerReferences?: readonly object[]): void {
    const thing = { metadata: { name, namespace, uid: `uid-${name}`, resourceVersion: '1', ...(ownerReferences && { ownerReferences }) } };
    this.#things.set(`${namespace}/${name}`, thing);
    this.#tell('ADDED', thing);
  }

  /** Resolves when it is deleted. */
  gone(name: string, namespace: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(`${namespace}/${name}`, resolve));
  }

  readonly answer: BackendAnswer = (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://things');
    const [namespace, name] = /\/namespaces\/([^/]+)\/things\/?(.*)$/.exec(pathname)?.slice(1) ?? [];
    const isIn = ({ metadata }: Thing): boolean => namespace === undefined || metadata.namespace === namespace;
    if (!this.isUp) return void response.writeHead(500).end();
    if (pathname === groupVersionPath) return answerJson(response, 200, { kind: 'APIResourceList', resources: [thingResource] });
    if (!pathname.startsWith(`${groupVersionPath}/`)) return answerJson(response, 404, { kind: 'Status', code: 404 });
    if (searchParams.get('watch') === 'true') {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      for (const line of this.#events.slice(Number(searchParams.get('resourceVersion')))) response.write(line);
      this.#watchers.add(response);
      return;
    }
    if (request.method === 'DELETE') {
      for (const thing of [...this.#things.values()].filter((each) => isIn(each) && (!name || each.metadata.name === name)))
        this.#remove(thing);
      return answerJson(response, 200, { kind: 'Status', apiVersion: 'v1', status: 'Success' });
    }
    const thing = this.#things.get(`${namespace}/${name}`);
    if (name)
      return thing ? answerJson(response, 200, thing) : answerJson(response, 404, { kind: 'Status', code: 404, reason: 'NotFound' });
    answerJson(response, 200, {
      kind: 'ThingList',
      metadata: { resourceVersion: `${this.#events.length}` },
      items: [...this.#things.values()].filter(isIn),
    });
  };

  #remove(thing: Thing): void {
    const key = `${thing.metadata.namespace}/${thing.metadata.name}`;
    this.#things.delete(key);
    this.#tell('DELETED', thing);
    this.#waiting.get(key)?.();
  }

  #tell(type: string, thing: Thing): void {
    const resourceVersion = `${this.#events.length + 1}`;
    const object = { kind: 'Thing', apiVersion: 'things.example.com/v1', metadata: { ...thing.metadata, resourceVersion } };
    const line = `${JSON.stringify({ type, object })}\n`;
    this.#events.push(line);
    for (const watcher of this.#watchers) watcher.write(line);
  }
}

suite('what another server holds', () => {
  const stack = new AsyncDisposableStack();
  const things = new ThingStore();
  const told: string[] = [];
  let aggregated: AggregatedServer;

  before(async () => {
    const policy: AuditPolicy = {
      omitStages: ['RequestReceived'],
      rules: [{ level: 'Metadata', resources: [{ group: Things.group }] }],
    };
    const sink = {
      write(line: string): void {
        const { stage, verb, user, responseStatus, requestURI } = JSON.parse(line) as AuditLine;
        told.push(`${stage} ${user.username} ${verb} ${requestURI} ${responseStatus.code}`);
      },
    };
    aggregated = stack.use(await startAggregatedServer(things.answer, { parts: { audit: { policy, sink } } }));
    await aggregated.addEndpoint();
    await aggregated.register();
    await aggregated.available('Passed');
    const { server } = aggregated.server;
    const clientFor = ({ name }: { readonly name: string }) => server.clientFor({ name, groups: ['system:masters'] });
    const options = { client: server.loopback, clientFor, clock: realClock, random: realRandom, log: silentLog };
    const controllers = stack.use(runControllers([namespaceController, garbageCollector()], options));
    await controllers.started;
  });
  after(() => stack.disposeAsync());

  const makeNamespace = (name: string) => aggregated.server.admin.create(Namespace, { metadata: { name }, spec: {} });

  test('goes with its namespace, and the audit says by whom', async () => {
    await makeNamespace('red');
    things.put('a', 'red');
    const gone = whenGone(aggregated.server.admin, Namespace, { name: 'red' });
    await aggregated.server.admin.delete(Namespace, { name: 'red' });
    await Promise.all([things.gone('a', 'red'), gone]);
    const path = `${groupVersionPath}/namespaces/red/things`;
    const mine = told.filter((line) => line.includes(path));
    assert.deepEqual(mine, [
      `ResponseComplete namespace-controller list ${path} 200`,
      `ResponseComplete namespace-controller deletecollection ${path} 200`,
      `ResponseComplete namespace-controller list ${path} 200`,
    ]);
  });

  test('goes with its owner', async () => {
    const { admin } = aggregated.server;
    const at = { namespace: 'default', name: 'owner' };
    const { metadata } = await admin.create(ConfigMap, { metadata: at });
    things.put('owned', 'default', [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: metadata.uid }]);
    await admin.delete(ConfigMap, at);
    await things.gone('owned', 'default');
    assert.ok(told.includes(`ResponseStarted garbage-collector-controller watch ${groupVersionPath}/things 200`), told.join('\n'));
  });

  test('is counted by quotas, as it comes and goes', async () => {
    const { admin } = aggregated.server;
    await makeNamespace('green');
    const name = `count/things.${Things.group}`;
    const used = (count: string) =>
      whenSeen(admin, ResourceQuota, { namespace: 'green', name: 'few' }, ({ status }) => status.used?.[name] === count);
    things.put('early', 'green');
    await admin.create(ResourceQuota, { metadata: { namespace: 'green', name: 'few' }, spec: { hard: { [name]: '1' } } });
    await used('1');
    things.put('late', 'green');
    await used('2');
    await admin.delete(Things, { namespace: 'green', name: 'early' });
    await used('1');
    await aggregated.unregister();
    await used('0');
    await aggregated.register();
    await used('1');
  });

  test('holds up its own namespaces alone while its server is away', async () => {
    const { admin } = aggregated.server;
    await makeNamespace('blue');
    things.isUp = false;
    await aggregated.touch('away');
    await aggregated.available('FailedDiscoveryCheck');
    const stuck = whenSeen(
      admin,
      Namespace,
      { name: 'blue' },
      ({ status }) => findCondition(status?.conditions, 'NamespaceDeletionDiscoveryFailure')?.status === 'True',
    );
    await admin.delete(Namespace, { name: 'blue' });
    const { status } = await stuck;
    assert.deepEqual(
      [status?.phase, findCondition(status?.conditions, 'NamespaceDeletionDiscoveryFailure')?.message],
      [
        'Terminating',
        'Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: things.example.com/v1: stale GroupVersion discovery: things.example.com/v1',
      ],
    );
    const owner = await admin.create(ConfigMap, { metadata: { namespace: 'default', name: 'owner' } });
    const { uid } = owner.metadata;
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid }];
    const gone = whenGone(admin, ConfigMap, { namespace: 'default', name: 'owned' });
    await admin.create(ConfigMap, { metadata: { namespace: 'default', name: 'owned', ownerReferences } });
    await admin.delete(ConfigMap, { namespace: 'default', name: 'owner' });
    await gone;
  });
});
