/**
 * CVE-2025-64329: who attaches to a container and leaves, again and again, leaves something behind each time. Here, of
 * hundreds who leave in every way, nothing stays: no connection in the server, the kubelet or the runtime, and no memory.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { WebSocket } from 'ws';
import { Pod } from '../../src/api/generated/kinds.ts';
import { accessOf, parseKubeconfig } from '../../src/client/files/kubeconfig.ts';
import { type Cluster, startCluster } from '../../src/index.ts';

const rounds = 20;
const together = 10;
const heapBytesMax = 4 * 2 ** 20;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const usedHeap = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};
const connections = (): number => process.getActiveResourcesInfo().filter((name) => /^(TCPSocketWrap|TLSWrap|PipeWrap)$/.test(name)).length;

describe('attaching and leaving', () => {
  let cluster: Cluster;
  let access: Awaited<ReturnType<typeof accessOf>>;
  before(async () => {
    cluster = await startCluster({ simulated: 1 });
    access = await accessOf(await parseKubeconfig(cluster.kubeconfig));
    const containers = [{ name: 'main', image: 'busybox', stdin: true, command: ['sh', '-c', 'echo one; sleep 1h'] }];
    await cluster.client.create(Pod, { metadata: { name: 'p', namespace: 'default' }, spec: { containers } });
    for await (const { object } of cluster.client.watch(Pod, { namespace: 'default' }))
      if ((object as Pod).status.phase === 'Running') break;
  });
  after(() => cluster[Symbol.asyncDispose]());

  const attach = async (): Promise<WebSocket> => {
    const { server, ca, cert, key } = access;
    const url = `${server.replace('https', 'wss')}/api/v1/namespaces/default/pods/p/attach?stdin=1&stdout=1`;
    const socket = new WebSocket(url, 'v5.channel.k8s.io', { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) });
    await new Promise((resolve, reject) => socket.once('message', resolve).once('error', reject));
    return socket;
  };
  const round = async (leave: (socket: WebSocket) => void): Promise<void> => {
    const sockets = await Promise.all(Array.from({ length: together }, attach));
    for (const socket of sockets) leave(socket);
    await Promise.all(
      sockets.map((socket) => socket.readyState === WebSocket.CLOSED || new Promise((resolve) => socket.once('close', resolve))),
    );
  };

  for (const [how, leave] of [
    ['closing', (socket) => socket.close()],
    ['breaking off', (socket) => socket.terminate()],
    ['sending and breaking off', (socket) => socket.send(Buffer.alloc(64 * 1024), () => socket.terminate())],
  ] as const satisfies readonly (readonly [string, (socket: WebSocket) => void])[]) {
    it(`by ${how} leaves nothing`, { timeout: 120_000 }, async () => {
      const before = connections();
      await round(leave);
      const heap = usedHeap();
      for (let i = 0; i < rounds; i++) await round(leave);
      while (connections() > before) await turn();
      const grown = usedHeap() - heap;
      assert.ok(grown < heapBytesMax, `${Math.round(grown / 1024)} KiB more`);
    });
  }
});
