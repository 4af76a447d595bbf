/**
 * A real etcd for tests: one member or several, on free ports of the loopback address, with a data directory of its own,
 * ended by its process id. The program is `TIMONIER_ETCD`, else `etcd` of the PATH.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../src/cluster/machine/machine.ts';

export const etcdProgram = process.env['TIMONIER_ETCD'] ?? findProgram('etcd');

/** Why tests on etcd do not run; false: they do. */
export const etcdMissing: string | false = whyNot();

function whyNot(): string | false {
  if (!etcdProgram) return 'no etcd: set TIMONIER_ETCD to the program, 3.4.31, 3.5.13, 3.6 or later';
  const version = /Version: (\d+\.\d+\.\d+)/.exec(spawnSync(etcdProgram, ['--version'], { encoding: 'utf8' }).stdout)?.[1] ?? '';
  const [, minor = 0, patch = 0] = version.split('.').map(Number);
  const isOld = minor < 4 || (minor === 4 && patch < 31) || (minor === 5 && patch < 13);
  return isOld ? `etcd ${version || 'of no version'} is too old` : false;
}

export interface EtcdMember {
  readonly server: string;
  /** with a signal that it can't catch */
  kill(): Promise<void>;
  /** again, with what it has on its disk */
  start(): Promise<void>;
  pause(): void;
  resume(): void;
}

export interface Etcd extends AsyncDisposable {
  readonly servers: readonly string[];
  readonly members: readonly EtcdMember[];
}

export interface EtcdOptions {
  readonly members?: number;
  /** flags of etcd */
  readonly flags?: readonly string[];
  /** of clients: https, with certificates by files */
  readonly scheme?: 'http' | 'https';
}

const host = '127.0.0.1';

/** None outlives the process. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export async function startEtcd({ members: count = 1, flags = [], scheme = 'http' }: EtcdOptions = {}): Promise<Etcd> {
  const directory = await mkdtemp(join(tmpdir(), 'timonier-etcd-'));
  const ports = await freePorts(2 * count);
  const names = Array.from({ length: count }, (_, i) => ({
    name: `m${i}`,
    client: `${scheme}://${host}:${ports[2 * i]}`,
    peer: `http://${host}:${ports[2 * i + 1]}`,
  }));
  const cluster = names.map(({ name, peer }) => `${name}=${peer}`).join();
  const members = names.map(({ name, client, peer }) =>
    memberOf(client, [
      ...['--name', name, '--data-dir', join(directory, name), '--logger', 'zap', '--log-level', 'error', '--unsafe-no-fsync'],
      ...['--listen-client-urls', client, '--advertise-client-urls', client, '--listen-peer-urls', peer],
      ...['--initial-advertise-peer-urls', peer, '--initial-cluster', cluster, ...flags],
    ]),
  );
  await Promise.all(members.map((member) => member.start()));
  return {
    servers: members.map(({ server }) => server),
    members,
    async [Symbol.asyncDispose]() {
      await Promise.all(members.map((member) => member.kill()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function memberOf(server: string, args: readonly string[]): EtcdMember {
  let child: ChildProcess | undefined;
  return {
    server,
    async start() {
      child = spawn(etcdProgram ?? '', args, { stdio: ['ignore', 'ignore', 'inherit'] });
      running.add(child);
    },
    async kill() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      running.delete(child);
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
  };
}

/** Held until all are known, so that no two are the same. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, host);
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}
