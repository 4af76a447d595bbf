/**
 * The pod network of two nodes on one machine: namespaces joined by links, routes, masquerading and hostPorts, with
 * real containers. The "machine" is itself a namespace of the test's own, without uplink.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { realClock } from '../../src/client/clock.ts';
import { silentLog } from '../../src/client/log.ts';
import { findCniPlugins, writeCniConfig } from '../../src/node/network/cni.ts';
import { allowForwarding, forgetForwarding } from '../../src/node/network/forward-policy.ts';
import { isFree, usedRanges } from '../../src/node/network/free-range.ts';
import { networkTools } from '../../src/node/network/network-tools.ts';
import { createNodeNamespaces, type NodeNamespace, type NodeNamespaces } from '../../src/node/network/node-network.ts';
import { type HostPortRule, nodeTable, planNodeRules } from '../../src/node/network/node-rules.ts';
import { letLoopbackThrough, removePodNetwork } from '../../src/node/network/pod-network.ts';
import { applyRoutes, planRoutes, type RoutedNode } from '../../src/node/network/routes.ts';
import { renderWhole } from '../../src/node/nft/ruleset.ts';
import { Containerd } from '../../src/node/runtime/containerd.ts';
import { removeContainerd } from '../../src/node/runtime/remove-containerd.ts';
import { busyboxImage } from './busybox-image.ts';
import { machineState } from './machine-state.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const cluster = `net-${process.pid}`;
const subnet = '172.30.77.0/24';
const clusterCidr = '10.244.0.0/16';
const image = 'network-test:1';

interface TestNode extends NodeNamespace {
  readonly podCidr: string;
  readonly dataDir: string;
  readonly cgroup: string;
  readonly containerd: Containerd;
}
interface TestPod {
  readonly ip: string;
  /** runs a command in it; gives what it prints */
  sh(script: string): Promise<string>;
}

if (inOwnNamespaces(import.meta.url)) {
  describe('two nodes in namespaces', () => {
    let machineBefore: ReturnType<typeof machineState>;
    let namespaces: NodeNamespaces;
    let nodes: readonly TestNode[];
    let awake: NodeJS.Timeout;
    let pods = 0;

    const startNode = async (namespace: NodeNamespace, index: number): Promise<TestNode> => {
      const dataDir = await mkdtemp(join(tmpdir(), 'net-'));
      const podCidr = `10.244.${index}.0/24`;
      const containerd = await Containerd.start({
        dataDir,
        netns: namespace.netns,
        cniPluginDir: findCniPlugins() ?? '',
        clock: realClock,
        log: silentLog,
      });
      await writeCniConfig(containerd.paths.cniConfDir, { network: namespace.name, podCidr, ipamDir: join(dataDir, 'ipam') });
      await containerd.loadImage(busyboxImage(image));
      return { ...namespace, podCidr, dataDir, cgroup: `timonier-${cluster}-${index}`, containerd };
    };
    const rules = (hostPorts: readonly HostPortRule[] = []): string =>
      renderWhole(nodeTable({ name: `timonier-${cluster}-net`, clusterCidr, keepSource: [subnet] }), planNodeRules(hostPorts));
    const apiNodes = (): readonly RoutedNode[] =>
      nodes.map(({ name, podCidr, address }) => ({
        metadata: { name },
        spec: { podCIDR: podCidr },
        status: { addresses: [{ type: 'InternalIP', address }] },
      }));

    before(async () => {
      awake = setInterval(() => {}, 60_000);
      machineBefore = machineState([cluster]);
      namespaces = await createNodeNamespaces({ cluster, nodes: 2, subnet });
      nodes = await Promise.all(namespaces.nodes.map(startNode));
      for (const { name, netns } of nodes) {
        const tools = networkTools(netns);
        await applyRoutes(tools, { routes: planRoutes(apiNodes(), { self: name, clusterCidr }), clusterCidr });
        await tools.nft(rules());
      }
      await applyRoutes(networkTools(), { routes: planRoutes(apiNodes(), { self: 'the machine', clusterCidr }), clusterCidr });
    });
    after(async () => {
      for (const { containerd, dataDir, cgroup } of nodes) {
        await containerd.removePods();
        await containerd.stop();
        await removeContainerd({ dataDir, clock: realClock, cgroup });
      }
      await namespaces[Symbol.asyncDispose]();
      await removePodNetwork({ cluster, clusterCidr });
      clearInterval(awake);
      assert.deepEqual(machineState([cluster]), machineBefore);
    });

    const runPod = async (node: TestNode, command: readonly string[]): Promise<TestPod> => {
      const { runtime } = node.containerd;
      const uid = `uid-${pods++}`;
      const sandboxConfig = {
        metadata: { name: uid, namespace: 'default', uid },
        hostname: uid,
        linux: { cgroupParent: `/${node.cgroup}/${uid}` },
      };
      const podSandboxId = await runtime.runPodSandbox(sandboxConfig);
      const config = { metadata: { name: 'main' }, image: { image }, command };
      const containerId = await runtime.createContainer({ podSandboxId, sandboxConfig, config });
      await runtime.startContainer(containerId);
      const { network } = await runtime.podSandboxStatus(podSandboxId);
      return {
        ip: network?.ip ?? '',
        async sh(script) {
          const { stdout, stderr } = await runtime.execSync({ containerId, cmd: ['sh', '-c', script], timeoutSeconds: 10 });
          return stdout.toString() + stderr.toString();
        },
      };
    };
    const nodeAt = (index: number): TestNode => {
      const node = nodes[index];
      assert.ok(node);
      return node;
    };
    const webServer = ['sh', '-c', 'echo page of $(hostname) > /tmp/index.html; exec httpd -f -v -p 8080 -h /tmp 2>/tmp/log'];
    const get = (address: string, port: number): string =>
      `printf 'GET /index.html HTTP/1.0\\r\\n\\r\\n' | nc -w 3 ${address} ${port} | tail -n1`;
    const onNode = (node: TestNode, script: string): string =>
      execFileSync('nsenter', [`--net=${node.netns}`, '/bin/busybox', 'sh', '-c', script], { encoding: 'utf8', timeout: 10_000 });

    it('gives each pod an address of its node’s range, and loopback', async () => {
      const pod = await runPod(nodeAt(0), ['sleep', '1000']);
      assert.match(pod.ip, /^10\.244\.0\./);
      assert.match(await pod.sh('ip address show lo'), /127\.0\.0\.1/);
    });

    it('lets pods reach pods of their own and of the other node, with their own address', async () => {
      const server = await runPod(nodeAt(1), webServer);
      const near = await runPod(nodeAt(1), ['sleep', '1000']);
      const far = await runPod(nodeAt(0), ['sleep', '1000']);
      for (const client of [near, far]) assert.match(await client.sh(get(server.ip, 8080)), /^page of uid-/);
      const seen = await server.sh('cat /tmp/log');
      for (const { ip } of [near, far]) assert.ok(seen.includes(ip), `${ip} is not in ${seen}`);
    });

    it('lets nodes and the machine reach pods', async () => {
      const server = await runPod(nodeAt(0), webServer);
      for (const node of nodes) assert.match(onNode(node, get(server.ip, 8080)), /^page of/);
      const page = execFileSync('/bin/busybox', ['sh', '-c', get(server.ip, 8080)], { encoding: 'utf8', timeout: 10_000 });
      assert.match(page, /^page of/);
    });

    it('shows the world the node’s address, and the nodes the pod’s', async () => {
      await networkTools().ip('address', 'add', '192.0.2.1/32', 'dev', 'lo');
      const seen: string[] = [];
      const server: Server = createServer((request, response) => {
        seen.push(request.socket.remoteAddress ?? '');
        response.end('page of the world');
      }).listen(0, '0.0.0.0');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const pod = await runPod(nodeAt(0), ['sleep', '1000']);
      for (const address of ['192.0.2.1', namespaces.hostAddress]) assert.match(await pod.sh(get(address, port)), /page of the world/);
      server.close();
      assert.deepEqual(seen, [nodeAt(0).address, pod.ip]);
    });

    it('leads hostPorts to their pods from everywhere', async () => {
      const [node, other] = [nodeAt(0), nodeAt(1)];
      const pod = await runPod(node, webServer);
      const neighbour = await runPod(node, ['sleep', '1000']);
      const port = { protocol: 'tcp', podIP: pod.ip, containerPort: 8080 } as const;
      await letLoopbackThrough(networkTools(node.netns), new Set([pod.ip, '10.244.0.250']));
      await networkTools(node.netns).nft(
        rules([
          { ...port, hostPort: 7000 },
          { ...port, hostPort: 7001, hostIP: '127.0.0.1' },
        ]),
      );
      assert.match(onNode(other, get(node.address, 7000)), /^page of/);
      assert.match(onNode(node, get(node.address, 7000)), /^page of/);
      assert.match(onNode(node, get('127.0.0.1', 7000)), /^page of/);
      assert.match(onNode(node, get('127.0.0.1', 7001)), /^page of/);
      assert.match(await neighbour.sh(get(node.address, 7000)), /^page of/);
      assert.match(await pod.sh(get(node.address, 7000)), /^page of/);
      assert.throws(() => onNode(other, `set -o pipefail; ${get(node.address, 7001)}`));
    });

    it('leads a pod to itself through a port of the machine', async () => {
      const pod = await runPod(nodeAt(0), webServer);
      await networkTools().nft(rules([{ protocol: 'tcp', hostPort: 7100, podIP: pod.ip, containerPort: 8080 }]));
      assert.match(await pod.sh(get(namespaces.hostAddress, 7100)), /^page of/);
    });

    it('gets through a firewall that forwards nothing', async () => {
      const [node, other] = [nodeAt(0), nodeAt(1)];
      const server = await runPod(node, webServer);
      const client = await runPod(other, ['sleep', '1000']);
      const tools = networkTools(node.netns);
      const chain = 'chain ip filter FORWARD';
      await tools.nft('table ip filter { \n chain FORWARD { \n type filter hook forward priority filter; policy drop; \n } \n }\n');
      const refused = await client.sh(get(server.ip, 8080));
      assert.doesNotMatch(refused, /^page of/);
      const policy = { owner: `timonier-${cluster}-net`, ranges: [clusterCidr] };
      for (let times = 0; times < 2; times++) await allowForwarding(tools, policy);
      assert.match(await client.sh(get(server.ip, 8080)), /^page of/);
      assert.equal((await tools.nftList(...chain.split(' '))).filter((item) => 'rule' in item).length, 2);
      await forgetForwarding(tools, policy.owner);
      assert.equal((await tools.nftList(...chain.split(' '))).filter((item) => 'rule' in item).length, 0);
      await tools.nft('delete table ip filter\n');
    });

    it('knows which ranges are used here', async () => {
      const used = await usedRanges();
      const table = [subnet, '10.244.0.0/20', '172.30.78.0/24'].map((range) => isFree(range, used));
      assert.deepEqual(table, [false, false, true]);
    });

    it('changes nothing when it is made again', async () => {
      const again = await createNodeNamespaces({ cluster, nodes: 2, subnet });
      assert.deepEqual(again.nodes, namespaces.nodes);
      const server = await runPod(nodeAt(1), webServer);
      const client = await runPod(nodeAt(0), ['sleep', '1000']);
      assert.match(await client.sh(get(server.ip, 8080)), /^page of/);
    });

    it('follows nodes that come and go', async () => {
      const tools = networkTools(nodeAt(0).netns);
      const before = planRoutes(apiNodes(), { self: nodeAt(0).name, clusterCidr });
      const more = new Map([...before, ['10.244.9.0/24', nodeAt(1).address]]);
      await applyRoutes(tools, { routes: more, clusterCidr });
      assert.match(await tools.ip('route', 'show', 'protocol', '116'), /10\.244\.9\.0\/24/);
      await applyRoutes(tools, { routes: before, clusterCidr });
      assert.doesNotMatch(await tools.ip('route', 'show', 'protocol', '116'), /10\.244\.9\.0\/24/);
    });
  });
}
