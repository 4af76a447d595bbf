/** Starts and stops clusters in this process (run with --expose-gc), and prints what that leaves in it, as JSON. */
import { setImmediate } from 'node:timers/promises';
import { kinds, startCluster, VirtualClock } from '../../src/index.ts';

const starts = Number(process.argv[2]);
/** What the process learns once, it has learned by then. */
const warmUp = starts / 4;

/** What is still used once all that was closed has been let go, which takes the event loop some turns. */
async function heapBytes(): Promise<number> {
  for (let i = 0; i < 2; i++) {
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    (globalThis as { gc?: () => void }).gc?.();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function startOnce(): Promise<number> {
  const clock = new VirtualClock();
  {
    await using cluster = await startCluster({ simulated: 1, clock });
    const { client } = cluster;
    const informer = client.informer(kinds.ConfigMap);
    await client.create(kinds.ConfigMap, { metadata: { name: 'menu', namespace: 'default' }, data: { bread: 'x'.repeat(10_000) } });
    await informer.synced;
    await (await fetchOnce(cluster.server)).closed;
    await clock.advance(5_000);
  }
  return clock.pending;
}

/** A client of HTTPS that is turned away. */
async function fetchOnce(server: string): Promise<{ closed: Promise<void> }> {
  const { connect } = await import('node:tls');
  const { port } = new URL(server);
  const socket = connect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.once('secureConnect', () => socket.end());
  socket.resume();
  return { closed };
}

const before = process.getActiveResourcesInfo().sort();
let timersLeft = 0;
let warm = 0;
for (let i = 0; i < starts; i++) {
  if (i === warmUp) warm = await heapBytes();
  timersLeft += await startOnce();
}
const grownBytes = (await heapBytes()) - warm;
const left = process.getActiveResourcesInfo().sort();
process.stdout.write(JSON.stringify({ before, left, timersLeft, grownBytesPerStart: Math.round(grownBytes / (starts - warmUp)) }));
