/**
 * A node in this process's network namespace, and its neighbours in namespaces of their own: its pods, another node's
 * pods, and the world. All are joined to the node alone, by links of their own. For tests that run in own namespaces.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';

const ip = (...args: readonly string[]): void => void execFileSync('ip', args, { stdio: 'pipe' });
const setSysctl = (name: string, value: string): void => writeFileSync(`/proc/sys/net/ipv4/${name}`, value);

export interface Neighbour {
  /** what it can be asked by, and asks from */
  readonly addresses: readonly string[];
  /** the node's address on its link */
  readonly gateway: string;
}

/** Makes the namespaces, named as the keys; the node's own address is on its loopback link. */
export function joinNeighbours(nodeAddress: string, neighbours: Readonly<Record<string, Neighbour>>): void {
  ip('address', 'add', `${nodeAddress}/32`, 'dev', 'lo');
  setSysctl('ip_forward', '1');
  setSysctl('icmp_ratemask', '0'); // a kernel refuses some per second only, else it keeps silent
  for (const [name, { addresses, gateway }] of Object.entries(neighbours)) {
    ip('netns', 'add', name);
    ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    ip('address', 'add', `${gateway}/32`, 'dev', name);
    ip('link', 'set', name, 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
    ip('-n', name, 'link', 'set', 'eth0', 'up');
    for (const address of addresses) {
      ip('-n', name, 'address', 'add', `${address}/32`, 'dev', 'eth0');
      ip('route', 'add', address, 'dev', name, 'src', nodeAddress);
    }
    ip('-n', name, 'route', 'add', gateway, 'dev', 'eth0');
    ip('-n', name, 'route', 'add', 'default', 'via', gateway, 'dev', 'eth0');
  }
  // What no namespace has (addresses of Services) is forwarded, and gets lost in a link that nobody reads.
  ip('link', 'add', 'world', 'type', 'bridge');
  ip('link', 'set', 'world', 'up');
  ip('route', 'add', 'default', 'dev', 'world', 'src', nodeAddress);
}

/** Runs a script of this Node in a neighbour's namespace, or on the node itself. */
function startScript(neighbour: string | undefined, script: string) {
  const enter = neighbour === undefined ? [] : ['nsenter', `--net=/run/netns/${neighbour}`];
  const [program = '', ...words] = [...enter, process.execPath, '--input-type=module', '--eval', script];
  return spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
}

/** Resolves with what it prints. */
export async function runScript(neighbour: string | undefined, script: string): Promise<string> {
  const child = startScript(neighbour, script);
  const chunks: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  child.stdin.end();
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`a script in ${neighbour ?? 'the node'} ended with ${code}`);
  return chunks.join('');
}

interface Served {
  readonly addresses: readonly string[];
  readonly ports: readonly number[];
}

/** A server for TCP and UDP that tells each client which of its addresses was asked, and by whom. */
export async function serveIn(neighbour: string | undefined, served: Served): Promise<Disposable> {
  const child = startScript(
    neighbour,
    `import { createServer } from 'node:net';
     import { createSocket } from 'node:dgram';
     import { once } from 'node:events';
     const { addresses, ports } = ${JSON.stringify(served)};
     for (const own of addresses) for (const port of ports) {
       const tcp = createServer((socket) => {
         socket.on('error', () => {});
         socket.end(own + ' ' + socket.remoteAddress);
       });
       const udp = createSocket('udp4', (_, { address, port }) => udp.send(own + ' ' + address, port, address));
       await Promise.all([once(tcp.listen(port, own), 'listening'), once(udp.bind(port, own), 'listening')]);
     }
     console.log('ready');
     process.stdin.on('end', () => process.exit()).resume();`,
  );
  await once(child.stdout, 'data');
  return { [Symbol.dispose]: () => child.stdin.end() };
}

export interface Ask {
  readonly ip: string;
  readonly port: number;
  /** the client's own address; default: any */
  readonly from?: string | undefined;
  /** default: tcp */
  readonly protocol?: 'tcp' | 'udp';
}

/** Gives up on what answers nothing. */
const silentMs = 2000;

/** Asks all of them at once; gives what each said, or the code of its error, or "silent". */
export async function askAll(neighbour: string | undefined, asks: readonly Ask[]): Promise<readonly string[]> {
  const text = await runScript(
    neighbour,
    `import { connect } from 'node:net';
     import { createSocket } from 'node:dgram';
     const tcp = ({ ip, port, from }, end) => {
       const socket = connect({ host: ip, port, localAddress: from }).setEncoding('utf8');
       let said = '';
       socket.on('data', (text) => { said += text; }).on('end', () => end(said)).on('error', ({ code }) => end(code));
       return () => socket.destroy();
     };
     const udp = ({ ip, port, from }, end) => {
       const socket = createSocket('udp4', (said) => end(String(said))).on('error', ({ code }) => end(code));
       socket.bind(0, from, () => socket.connect(port, ip, () => socket.send('?')));
       return () => socket.close();
     };
     const ask = (of) => new Promise((resolve) => {
       const end = (answer) => { clearTimeout(timer); close(); resolve(answer); };
       const timer = setTimeout(end, ${silentMs}, 'silent');
       const close = (of.protocol === 'udp' ? udp : tcp)(of, end);
     });
     console.log(JSON.stringify(await Promise.all(${JSON.stringify(asks)}.map(ask))));`,
  );
  return JSON.parse(text) as string[];
}

/** Whom the node takes datagrams of a neighbour to be from. They arrive in order, and the last one always does. */
export async function sourcesSeen(nodeAddress: string, neighbour: string, from: readonly string[]): Promise<string[]> {
  const seen: string[] = [];
  const socket = createSocket('udp4').bind(0, nodeAddress);
  await once(socket, 'listening');
  const last = new Promise<void>((resolve) => {
    socket.on('message', (_, { address }) => {
      seen.push(address);
      if (address === from.at(-1)) resolve();
    });
  });
  await runScript(
    neighbour,
    `import { createSocket } from 'node:dgram';
     for (const from of ${JSON.stringify(from)})
       await new Promise((resolve) => {
         const socket = createSocket('udp4').bind(0, from, () => {
           socket.send('x', ${socket.address().port}, '${nodeAddress}', () => socket.close(resolve));
         });
       });`,
  );
  await last;
  socket.close();
  return seen;
}
