/** The pod network of a node follows the API: the real in-process server, real routes and rules, in a namespace of its own. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Namespace, Node, Pod } from '../../src/api/generated/kinds.ts';
import { builtInRegistry } from '../../src/api/kinds/all.ts';
import type { Client } from '../../src/client/client.ts';
import { realClock, realRandom } from '../../src/client/clock.ts';
import { silentLog } from '../../src/client/log.ts';
import { type ApiServer, createApiServer } from '../../src/control-plane/api-server/api-server.ts';
import { openMemoryStore } from '../../src/control-plane/store/memory-store.ts';
import type { Storage } from '../../src/control-plane/store/storage.ts';
import { networkTools } from '../../src/node/network/network-tools.ts';
import { PodNetwork, removePodNetwork } from '../../src/node/network/pod-network.ts';
import { TableWatch } from '../../src/node/nft/table-watch.ts';
import { machineState } from './machine-state.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const cluster = 'follows';
const clusterCidr = '10.244.0.0/16';

if (inOwnNamespaces(import.meta.url)) {
  describe('PodNetwork', () => {
    const tools = networkTools();
    let dir: string;
    let storage: Storage & AsyncDisposable;
    let server: ApiServer;
    let client: Client;
    let network: PodNetwork;
    let watch: TableWatch;
    let machineBefore: ReturnType<typeof machineState>;
    let awake: NodeJS.Timeout;

    before(async () => {
      awake = setInterval(() => {}, 60_000);
      dir = await mkdtemp(join(tmpdir(), 'network-'));
      await tools.ip('link', 'add', 'uplink', 'type', 'bridge');
      await tools.ip('address', 'add', '192.0.2.1/24', 'dev', 'uplink');
      await tools.ip('link', 'set', 'uplink', 'up');
      machineBefore = machineState([cluster]);
      storage = openMemoryStore({ clock: realClock });
      server = await createApiServer({ storage, registry: builtInRegistry(), clock: realClock, random: realRandom, log: silentLog });
      client = server.loopback;
      await client.create(Namespace, { metadata: { name: 'default' }, spec: {} });
      watch = new TableWatch({ clock: realClock, log: silentLog });
      network = await PodNetwork.start({
        cluster,
        clusterCidr,
        client,
        clock: realClock,
        log: silentLog,
        nodeName: 'self',
        cniConfDir: join(dir, 'cni'),
        ipamDir: join(dir, 'ipam'),
        watch,
      });
    });
    after(async () => {
      await network[Symbol.asyncDispose]();
      await watch[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await storage[Symbol.asyncDispose]();
      await removePodNetwork({ cluster, clusterCidr });
      await rm(dir, { recursive: true });
      clearInterval(awake);
      assert.deepEqual(machineState([cluster]), machineBefore);
    });

    const addNode = async (name: string, podCIDR: string, address: string): Promise<void> => {
      const node = await client.create(Node, { metadata: { name }, spec: { podCIDR, podCIDRs: [podCIDR] } });
      const status = { addresses: [{ type: 'InternalIP' as const, address }] };
      await client.update(Node, { ...node, status }, { subresource: 'status' });
    };
    /** Asks until the answer fits: each question is a program that runs to its end. */
    const eventually = async (ask: () => Promise<string>, pattern: RegExp): Promise<void> => {
      while (!pattern.test(await ask()));
    };
    const routes = (): Promise<string> => tools.ip('route', 'show', 'protocol', '116');
    const rules = async (): Promise<string> =>
      JSON.stringify(await tools.nftList('table', 'ip', `timonier-${cluster}-net`).catch(() => 'there is no such table'));

    it('masquerades and forwards before it knows its range', async () => {
      assert.match(await rules(), /masquerade/);
      assert.equal((await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8')).trim(), '1');
    });

    it('gives pods a network when its node has a range', async () => {
      await addNode('self', '10.244.3.0/24', '192.0.2.3');
      const config = (): Promise<string> => readFile(join(dir, 'cni', '10-timonier.conflist'), 'utf8').catch(() => tools.ip('link'));
      await eventually(config, /"subnet": "10\.244\.3\.0\/24"/);
    });

    it('knows the way to other nodes’ pods as long as there are such nodes', async () => {
      await addNode('other', '10.244.4.0/24', '192.0.2.4');
      await eventually(routes, /10\.244\.4\.0\/24 via 192\.0\.2\.4/);
      await client.delete(Node, { name: 'other' });
      await eventually(routes, /^$/);
    });

    it('leads a hostPort to its pod as long as it runs, whoever flushes all rules meanwhile', async () => {
      const ports = [{ containerPort: 80, hostPort: 8088 }];
      const pod = await client.create(Pod, {
        metadata: { name: 'web', namespace: 'default' },
        spec: { nodeName: 'self', containers: [{ name: 'main', image: 'web', ports }] },
      });
      await client.update(
        Pod,
        { ...pod, status: { phase: 'Running', podIP: '10.244.3.7', podIPs: [{ ip: '10.244.3.7' }] } },
        { subresource: 'status' },
      );
      await eventually(rules, /8088.*10\.244\.3\.7/);
      // Another program loads its own rules: `systemctl reload nftables` begins so.
      await tools.nft('flush ruleset\n');
      await eventually(rules, /masquerade/);
      await eventually(rules, /8088.*10\.244\.3\.7/);
      await client.delete(Pod, { namespace: 'default', name: 'web' }, { gracePeriodSeconds: 0 });
      await eventually(rules, /^(?!.*8088)/);
    });
  });
}
