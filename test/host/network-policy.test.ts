/**
 * NetworkPolicies as the API has them, enforced by a real kernel on real packets: policies and pods in an in-process API server, the
 * engine of one node, and who asks and is asked in namespaces of the test's own. Each row has a pod of its own, so that all are
 * asked at once. What upstream's suite judges on two nodes (test/conformance) is asked here in a minute.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { EndpointSlice, Namespace, NetworkPolicy, Pod } from '../../src/api/generated/kinds.ts';
import type { NetworkPolicySpec } from '../../src/api/generated/networking-v1.ts';
import { builtInRegistry } from '../../src/api/kinds/all.ts';
import type { Client } from '../../src/client/client.ts';
import { realClock, realRandom } from '../../src/client/clock.ts';
import { silentLog } from '../../src/client/log.ts';
import { type ApiServer, createApiServer } from '../../src/control-plane/api-server/api-server.ts';
import { openMemoryStore } from '../../src/control-plane/store/memory-store.ts';
import { networkTools } from '../../src/node/network/network-tools.ts';
import { renderRemoval, renderWhole } from '../../src/node/nft/ruleset.ts';
import { PolicyEngine } from '../../src/node/policy/policy-engine.ts';
import { planRuleset, servicesTable } from '../../src/node/proxy/ruleset.ts';
import { type Ask, askAll, joinNeighbours, serveIn } from './node-and-neighbours.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const node = '172.31.0.1';
const otherNode = '172.31.0.2';
const outside = '198.51.100.9';
const remotePod = '10.244.1.9';
/** with the namespace and the label `app` of their pods; the node and the world are none */
const clients = {
  a: { ip: '10.244.0.100', home: 'clients', namespace: 'shop', app: 'a' },
  b: { ip: '10.244.0.101', home: 'clients', namespace: 'shop', app: 'b' },
  c: { ip: '10.244.0.102', home: 'clients', namespace: 'partner', app: 'a' },
  remote: { ip: remotePod, home: 'there', namespace: 'partner', app: 'remote' },
  world: { ip: outside, home: 'outside' },
  node: { ip: node, home: undefined },
} as const;
const servers = {
  s: { ip: '10.244.0.50', namespace: 'shop', app: 'db' },
  t: { ip: '10.244.0.51', namespace: 'partner', app: 'db' },
  remote: { ip: remotePod },
  world: { ip: outside },
  node: { ip: node },
  'other node': { ip: otherNode },
} as const;
const ports = [80, 81] as const;
const protocols = ['tcp', 'udp'] as const;
/** the first is named `http` in TCP, `probe` in UDP */
const named = [
  { name: 'http', containerPort: 80, protocol: 'TCP' as const },
  { name: 'probe', containerPort: 80, protocol: 'UDP' as const },
];

interface Row {
  readonly name: string;
  readonly given: readonly Omit<NetworkPolicySpec, 'podSelector'>[];
  /** the other end, protocol and port */
  readonly open: readonly RegExp[];
}
const [all, none] = [[/./], [] as RegExp[]] as const;
const app = (name: string) => ({ podSelector: { matchLabels: { app: name } } });
const partners = { namespaceSelector: { matchLabels: { trust: 'some' } } };

const ingressRows: readonly Row[] = [
  { name: 'no policy', given: [], open: all },
  { name: 'nobody', given: [{ policyTypes: ['Ingress'] }], open: none },
  { name: 'nobody, by an empty list', given: [{ ingress: [] }], open: none },
  { name: 'isolated without types', given: [{}], open: none },
  { name: 'egress alone', given: [{ policyTypes: ['Egress'] }], open: all },
  { name: 'everybody', given: [{ ingress: [{}] }], open: all },
  { name: 'all pods of its namespace', given: [{ ingress: [{ from: [{ podSelector: {} }] }] }], open: [/^[ab] /] },
  { name: 'all pods of all namespaces', given: [{ ingress: [{ from: [{ namespaceSelector: {} }] }] }], open: [/^(a|b|c|remote) /] },
  { name: 'a pod', given: [{ ingress: [{ from: [app('a')] }] }], open: [/^a /] },
  { name: 'a namespace', given: [{ ingress: [{ from: [partners] }] }], open: [/^(c|remote) /] },
  {
    name: 'a namespace by its name',
    given: [{ ingress: [{ from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'partner' } } }] }] }],
    open: [/^(c|remote) /],
  },
  { name: 'pods of a namespace', given: [{ ingress: [{ from: [{ ...partners, ...app('a') }] }] }], open: [/^c /] },
  { name: 'a namespace or pods', given: [{ ingress: [{ from: [partners, app('a')] }] }], open: [/^(a|c|remote) /] },
  {
    name: 'expressions',
    given: [{ ingress: [{ from: [{ podSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['a'] }] } }] }] }],
    open: [/^b /],
  },
  { name: 'nobody by a selector that nothing meets', given: [{ ingress: [{ from: [app('none')] }] }], open: none },
  { name: 'a block', given: [{ ingress: [{ from: [{ ipBlock: { cidr: '198.51.100.0/24' } }] }] }], open: [/^world /] },
  {
    name: 'a block but for some',
    given: [{ ingress: [{ from: [{ ipBlock: { cidr: '10.244.0.0/16', except: ['10.244.0.100/31', '10.244.0.101/32'] } }] }] }],
    open: [/^(c|remote) /],
  },
  { name: 'a number', given: [{ ingress: [{ ports: [{ port: 80 }] }] }], open: [/tcp 80/] },
  { name: 'a number of UDP', given: [{ ingress: [{ ports: [{ protocol: 'UDP', port: 81 }] }] }], open: [/udp 81/] },
  { name: 'a protocol', given: [{ ingress: [{ ports: [{ protocol: 'UDP' }] }] }], open: [/udp/] },
  { name: 'a protocol that nobody speaks', given: [{ ingress: [{ ports: [{ protocol: 'SCTP', port: 80 }] }] }], open: none },
  { name: 'a name', given: [{ ingress: [{ ports: [{ port: 'http' }] }] }], open: [/tcp 80/] },
  { name: 'a name of UDP', given: [{ ingress: [{ ports: [{ protocol: 'UDP', port: 'probe' }] }] }], open: [/udp 80/] },
  { name: 'a name of another protocol', given: [{ ingress: [{ ports: [{ port: 'probe' }] }] }], open: none },
  { name: 'a range', given: [{ ingress: [{ ports: [{ port: 81, endPort: 90 }] }] }], open: [/tcp 81/] },
  {
    name: 'overlapping ranges',
    given: [{ ingress: [{ ports: [{ port: 70, endPort: 80 }, { port: 75, endPort: 79 }, { port: 80 }] }] }],
    open: [/tcp 80/],
  },
  { name: 'a peer at a port', given: [{ ingress: [{ from: [app('a')], ports: [{ port: 80 }] }] }], open: [/^a tcp 80/] },
  {
    name: 'rules add up',
    given: [{ ingress: [{ from: [app('a')], ports: [{ port: 80 }] }, { from: [app('b')] }] }],
    open: [/^a tcp 80/, /^b /],
  },
  {
    name: 'policies add up',
    given: [{ ingress: [{ from: [app('a')] }] }, { policyTypes: ['Ingress'] }, { ingress: [{ ports: [{ port: 81 }] }] }],
    open: [/^a /, /tcp 81/],
  },
];

const egressRows: readonly Row[] = [
  { name: 'ingress alone', given: [{ policyTypes: ['Ingress'] }], open: all },
  { name: 'nobody', given: [{ policyTypes: ['Egress'] }], open: none },
  { name: 'egress without types', given: [{ egress: [{ to: [app('db')] }] }], open: [/^s /] },
  { name: 'everybody', given: [{ policyTypes: ['Egress'], egress: [{}] }], open: all },
  {
    name: 'pods of all namespaces',
    given: [{ policyTypes: ['Egress'], egress: [{ to: [{ namespaceSelector: {}, ...app('db') }] }] }],
    open: [/^[st] /],
  },
  {
    name: 'a remote pod',
    given: [{ policyTypes: ['Egress'], egress: [{ to: [{ namespaceSelector: {}, ...app('remote') }] }] }],
    open: [/^remote /],
  },
  {
    name: 'the world',
    given: [{ policyTypes: ['Egress'], egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8', '172.16.0.0/12'] } }] }] }],
    open: [/^world /],
  },
  { name: 'a number', given: [{ policyTypes: ['Egress'], egress: [{ ports: [{ port: 81 }] }] }], open: [/tcp 81/] },
  { name: 'a name', given: [{ policyTypes: ['Egress'], egress: [{ ports: [{ port: 'http' }] }] }], open: [/^(s|t|remote) tcp 80/] },
];

/** Where node answer in place of DNS's pods; policies say 53. */
const dnsPort = 5353;
const dnsPeer = {
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
  podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
};
const dnsRows: readonly Row[] = [
  { name: 'no policy', given: [], open: all },
  { name: 'nobody', given: [{ policyTypes: ['Egress'] }], open: none },
  {
    name: 'its pods',
    given: [{ policyTypes: ['Egress'], egress: [{ to: [dnsPeer], ports: [{ protocol: 'UDP', port: 53 }] }] }],
    open: [/udp/],
  },
  {
    name: 'its port, wherever',
    given: [{ policyTypes: ['Egress'], egress: [{ ports: [{ protocol: 'UDP', port: 53 }, { port: 53 }] }] }],
    open: all,
  },
  {
    name: 'its port by name',
    given: [{ policyTypes: ['Egress'], egress: [{ to: [{ namespaceSelector: {} }], ports: [{ port: 'dns-tcp' }] }] }],
    open: [/tcp/],
  },
  { name: 'everybody', given: [{ policyTypes: ['Egress'], egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }] }], open: all },
  { name: 'another port', given: [{ policyTypes: ['Egress'], egress: [{ to: [dnsPeer], ports: [{ port: 80 }] }] }], open: none },
  { name: 'another namespace', given: [{ policyTypes: ['Egress'], egress: [{ to: [{ podSelector: dnsPeer.podSelector }] }] }], open: none },
];

const service = { clusterIP: '10.96.0.7', port: 8000 };
const addressOf = (base: number, i: number): string => `10.244.0.${base + i}`;
const [ingressBase, egressBase, dnsBase] = [10, 120, 150];
if (inOwnNamespaces(import.meta.url)) {
  describe('NetworkPolicies in a kernel', () => {
    const stack = new AsyncDisposableStack();
    const tools = networkTools();
    let client: Client;
    let engine: PolicyEngine;

    const addPod = async (name: string, { namespace, app, ip }: { namespace: string; app: string; ip: string }): Promise<Pod> => {
      const pod = await client.create(Pod, {
        metadata: { name, namespace, labels: { app } },
        spec: { nodeName: ip === remotePod ? 'there' : 'here', containers: [{ name: 'main', image: 'web', ports: named }] },
      });
      return await client.update(Pod, { ...pod, status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] } }, { subresource: 'status' });
    };
    const addRow = async (app: string, ip: string, { given }: Row): Promise<void> => {
      await addPod(app, { namespace: 'shop', app, ip });
      for (const [i, spec] of given.entries())
        await client.create(NetworkPolicy, {
          metadata: { name: `${app}-${i}`, namespace: 'shop' },
          spec: { podSelector: { matchLabels: { app } }, ...spec },
        });
    };
    /** Each look at the kernel is a program that runs to its end. */
    const eventually = async (isSo: () => boolean): Promise<void> => {
      while (!isSo()) await tools.nftList('tables');
    };
    const holds = (policy: string): Promise<void> => eventually(() => engine.ruleset.chains.has(policy));

    before(async () => {
      const addresses = {
        clients: [
          clients.a.ip,
          clients.b.ip,
          clients.c.ip,
          ...egressRows.map((_, i) => addressOf(egressBase, i)),
          ...dnsRows.map((_, i) => addressOf(dnsBase, i)),
        ],
        servers: [servers.s.ip, servers.t.ip, ...ingressRows.map((_, i) => addressOf(ingressBase, i))],
        there: [remotePod],
        outside: [outside],
        'other-node': [otherNode],
      };
      const gateways: Readonly<Record<string, string>> = {
        clients: '10.244.0.1',
        servers: '10.244.0.1',
        there: '172.31.0.3',
        outside: '198.51.100.1',
        'other-node': '172.31.0.4',
      };
      joinNeighbours(
        node,
        Object.fromEntries(Object.entries(addresses).map(([name, all]) => [name, { addresses: all, gateway: gateways[name] ?? '' }])),
      );
      for (const [home, own] of [...Object.entries(addresses), [undefined, [node]] as const])
        if (home !== 'clients') stack.use(await serveIn(home, { addresses: own, ports: [...ports, dnsPort] }));

      const storage = stack.use(openMemoryStore({ clock: realClock }));
      const server: ApiServer = stack.use(
        await createApiServer({ storage, registry: builtInRegistry(), clock: realClock, random: realRandom, log: silentLog }),
      );
      client = server.loopback;
      for (const [name, labels] of Object.entries({ shop: {}, partner: { trust: 'some' }, 'kube-system': {} }))
        await client.create(Namespace, { metadata: { name, labels }, spec: {} });
      await client.create(EndpointSlice, {
        metadata: { name: 'kube-dns', namespace: 'kube-system', labels: { 'kubernetes.io/service-name': 'kube-dns' } },
        addressType: 'IPv4',
        endpoints: [{ addresses: [node, otherNode] }],
        ports: [
          { name: 'dns', port: dnsPort, protocol: 'UDP' },
          { name: 'dns-tcp', port: dnsPort, protocol: 'TCP' },
        ],
      });
      for (const [name, peer] of [...Object.entries(clients), ...Object.entries(servers)])
        if ('app' in peer) await addPod(`peer-${name}`, peer);
      engine = stack.use(
        await PolicyEngine.start({ client, clock: realClock, log: silentLog, nodeName: 'here', table: 'timonier-policy-test', tools }),
      );
      for (const [i, row] of ingressRows.entries()) await addRow(`in-${i}`, addressOf(ingressBase, i), row);
      for (const [i, row] of egressRows.entries()) await addRow(`out-${i}`, addressOf(egressBase, i), row);
      for (const [i, row] of dnsRows.entries()) await addRow(`dns-${i}`, addressOf(dnsBase, i), row);
      await holds(`out.shop.dns-${dnsRows.length - 1}-0`);
    });
    after(() => stack.disposeAsync());

    const wrong = async (
      home: string | undefined,
      asks: readonly (Ask & { readonly what: string; readonly isOpen: boolean })[],
    ): Promise<readonly string[]> => {
      const answers = await askAll(home, asks);
      return asks.flatMap(({ what, ip, isOpen }, i) => {
        const answer = answers[i] ?? '';
        return (isOpen ? answer.startsWith(`${ip} `) : answer === 'silent')
          ? []
          : [`${what} should be ${isOpen ? 'open' : 'closed'}: ${answer}`];
      });
    };
    const ways = protocols.flatMap((protocol) => ports.map((port) => ({ protocol, port })));
    const fits = ({ open }: Row, words: string): boolean => open.some((pattern) => pattern.test(words));

    for (const [name, { home, ip }] of Object.entries(clients))
      it(`holds for what ${name} sends`, async () => {
        const asks = ingressRows.flatMap((row, i) =>
          ways.map((way) => ({
            ...way,
            ip: addressOf(ingressBase, i),
            from: ip,
            what: `${row.name}: ${way.protocol} ${way.port}`,
            isOpen: name === 'node' || fits(row, `${name} ${way.protocol} ${way.port}`),
          })),
        );
        assert.deepEqual(await wrong(home, asks), []);
      });

    for (const [name, { ip }] of Object.entries(servers))
      it(`holds for what is sent to ${name}`, async () => {
        const asks = egressRows.flatMap((row, i) =>
          ways.map((way) => ({
            ...way,
            ip,
            from: addressOf(egressBase, i),
            what: `${row.name}: ${way.protocol} ${way.port}`,
            isOpen: name === 'node' || fits(row, `${name} ${way.protocol} ${way.port}`),
          })),
        );
        assert.deepEqual(await wrong('clients', asks), []);
      });

    for (const [name, ip] of [
      ['this node', node],
      ['another node', otherNode],
    ] as const)
      it(`lets DNS on ${name} be allowed as if pods served it`, async () => {
        const asks = dnsRows.flatMap((row, i) =>
          protocols.map((protocol) => ({
            ip,
            protocol,
            port: dnsPort,
            from: addressOf(dnsBase, i),
            what: `${row.name}: ${protocol}`,
            isOpen: fits(row, protocol),
          })),
        );
        assert.deepEqual(await wrong('clients', asks), []);
      });

    it('judges what goes through a Service by the pod and port behind it, and its answers', async () => {
      const table = servicesTable({ name: 'timonier-services-test', podCidr: '10.244.0.0/16' });
      const endpoint = { ip: servers.s.ip, port: 80 };
      await tools.nft(
        renderWhole(
          table,
          planRuleset([
            {
              ...service,
              id: 'shop/db:/TCP',
              protocol: 'tcp',
              nodePort: 0,
              externalIPs: [],
              affinitySeconds: 0,
              internalPolicy: 'Cluster',
              externalPolicy: 'Cluster',
              clusterEndpoints: [endpoint],
              localEndpoints: [endpoint],
            },
          ]),
        ),
      );
      const asks = egressRows.map((_, i) => ({ ip: service.clusterIP, port: service.port, from: addressOf(egressBase, i) }));
      const answers = await askAll('clients', asks);
      await tools.nft(renderRemoval(table));
      const got = egressRows.flatMap(({ name }, i) => (answers[i]?.startsWith(`${servers.s.ip} `) ? [name] : []));
      assert.deepEqual(got, ['ingress alone', 'egress without types', 'everybody', 'pods of all namespaces', 'a name']);
    });

    it('lets a connection go on that stays allowed, ends it when it is not, and lets it go on when the policy goes', async () => {
      const asked = servers.s.ip;
      const echo = spawn(
        'nsenter',
        [
          '--net=/run/netns/servers',
          process.execPath,
          '--eval',
          `require('node:net').createServer((s) => s.pipe(s).on('error', () => {})).listen(7, '${asked}', () => console.log('ready'))`,
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      stack.defer(() => void echo.kill());
      await once(echo.stdout, 'data');
      const talk = spawn(
        'nsenter',
        [
          '--net=/run/netns/clients',
          process.execPath,
          '--eval',
          `const s = require('node:net').connect({ port: 7, host: '${asked}', localAddress: '${clients.a.ip}' }); process.stdin.pipe(s).pipe(process.stdout)`,
        ],
        { stdio: ['pipe', 'pipe', 'inherit'] },
      );
      stack.defer(() => void talk.kill());
      const heard: string[] = [];
      let wake = Promise.withResolvers<void>();
      createInterface({ input: talk.stdout }).on('line', (line) => {
        heard.push(line);
        wake.resolve();
      });
      const hears = async (word: string): Promise<void> => {
        for (; !heard.includes(word); wake = Promise.withResolvers()) await wake.promise;
      };
      const say = (word: string): void => void talk.stdin.write(`${word}\n`);
      say('first');
      await hears('first');
      const spec = { podSelector: { matchLabels: { app: 'db' } }, ingress: [{ from: [app('a')] }] };
      const allowed = await client.create(NetworkPolicy, { metadata: { name: 'later', namespace: 'shop' }, spec });
      await holds('in.shop.later');
      say('allowed');
      await hears('allowed');
      await client.update(NetworkPolicy, { ...allowed, spec: { ...spec, ingress: [] } });
      await eventually(() => engine.ruleset.chains.get('in.shop.later')?.length === 0);
      say('denied');
      assert.deepEqual(await askAll('clients', [{ ip: asked, port: 80, from: clients.a.ip }]), ['silent']); // two seconds
      assert.ok(!heard.includes('denied'));
      await client.delete(NetworkPolicy, { name: 'later', namespace: 'shop' });
      await eventually(() => !engine.ruleset.chains.has('in.shop.later'));
      await hears('denied'); // it was sent again and again
    });

    it('judges a pod by what the kubelet tells of it, before the API knows its address, and no older pod of that address', async () => {
      const ip = servers.t.ip;
      const old = await client.get(Pod, { name: 'peer-t', namespace: 'partner' });
      const pod = await client.create(Pod, {
        metadata: { name: 'new', namespace: 'shop', labels: { app: 'in-1' } },
        spec: { nodeName: 'here', containers: [{ name: 'main', image: 'web' }] },
      });
      await engine.admit(pod, [ip]);
      const ask = { ip, port: 80, from: clients.a.ip };
      assert.deepEqual(await askAll('clients', [ask]), ['silent']);
      await client.update(Pod, { ...old, metadata: { ...old.metadata, labels: { app: 'touched' } } });
      await client.delete(Pod, { name: 'new', namespace: 'shop' }, { gracePeriodSeconds: 0 });
      engine.release(pod.metadata.uid);
      await eventually(() => !engine.ruleset.elements.get('in-4')?.has(ip));
      await engine.admit(pod, [ip]); // a kubelet that does not know yet
      assert.match((await askAll('clients', [ask]))[0] ?? '', /^10\.244\.0\.51 /);
    });
  });
}
