/**
 * What somebody meets first: how long a start takes, and what an idle cluster costs; of timonier, and of others that are
 * started by a command. In turn, each several times; the median counts.
 *
 *   node bench/peers.ts [--rounds 3] [--idle 30] 'NAME=DIR COMMAND…' …
 *
 * COMMAND starts the other one and ends; DIR then holds admin.kubeconfig, and *.pid for each of its processes. A NAME that
 * ends with `*` has controllers: it counts as started when the default service account is there, as ours does; others
 * when /readyz says so.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openHTTP1 } from './connections.ts';
import { accessFrom } from './kubeconfig-access.ts';
import { OwnServer } from './own-server.ts';
import { cpuMsOf, memoryOf } from './process-usage.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' }, idle: { type: 'string', default: '30' } },
});
const idleMs = Number(values.idle) * 1000;
const startMsMax = 120_000;
const pollMs = 20;
const percent = 100;

interface Started {
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

interface Contestant {
  readonly name: string;
  start(): Promise<Started>;
}

interface Round {
  readonly startMs: number;
  readonly memoryMB: number;
  /** of one core */
  readonly idlePercent: number;
}

const own = (dir: string): Contestant => ({
  name: 'timonier, one simulated node',
  start: async () => {
    const server = await OwnServer.start({ dir, name: 'peers', simulated: 1, probe: false });
    return { pids: [server.pid], stop: () => server[Symbol.asyncDispose]() };
  },
});

function other(text: string): Contestant {
  const [, label = '', dir = '', command = ''] = /^([^=]+)=(\S+) (.+)$/s.exec(text) ?? [];
  const hasControllers = label.endsWith('*');
  return {
    name: label.replace(/\*$/, ''),
    start: async () => {
      const child = spawn('bash', ['-c', command], { stdio: ['ignore', 'ignore', 'inherit'] });
      const ended = once(child, 'exit');
      await untilReady(join(dir, 'admin.kubeconfig'), hasControllers ? '/api/v1/namespaces/default/serviceaccounts/default' : '/readyz');
      await ended;
      const pids = globSync(join(dir, '*.pid')).map((file) => Number(readFileSync(file, 'utf8')));
      return { pids, stop: () => end(pids, dir) };
    },
  };
}

async function untilReady(kubeconfig: string, path: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < startMsMax; waitedMs += pollMs) {
    if (existsSync(kubeconfig) && (await answers(kubeconfig, path))) return;
    await sleep(pollMs);
  }
  throw new Error(`${kubeconfig}: not ready after ${startMsMax / 1000} s`);
}

async function answers(kubeconfig: string, path: string): Promise<boolean> {
  try {
    const connection = await openHTTP1(await accessFrom(kubeconfig));
    const { status } = await connection.send({ method: 'GET', path });
    connection.close();
    return status === 200;
  } catch {
    return false; // not there yet
  }
}

async function end(pids: readonly number[], dir: string): Promise<void> {
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  while (pids.some((pid) => existsSync(`/proc/${pid}/exe`))) await sleep(pollMs);
  for (const file of globSync(join(dir, '*.pid'))) rmSync(file);
  rmSync(join(dir, 'admin.kubeconfig'));
}

async function measure(contestant: Contestant): Promise<Round> {
  const begun = performance.now();
  const { pids, stop } = await contestant.start();
  const startMs = performance.now() - begun;
  await sleep(idleMs); // what every start leaves to do is no idleness
  const cpuMs = cpuMsOf(pids);
  await sleep(idleMs);
  const idlePercent = ((cpuMsOf(pids) - cpuMs) / idleMs) * percent;
  const memoryMB = memoryOf(pids).rssMB;
  await stop();
  return { startMs, memoryMB, idlePercent };
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

const dir = mkdtempSync(join(tmpdir(), 'timonier-peers-'));
try {
  const contestants = [own(dir), ...positionals.map(other)];
  const rounds = new Map<Contestant, Round[]>(contestants.map((contestant) => [contestant, []]));
  for (let i = 0; i < Number(values.rounds); i++)
    for (const contestant of contestants) rounds.get(contestant)?.push(await measure(contestant));
  process.stdout.write('| | start | memory, idle | idle |\n|---|---:|---:|---:|\n');
  for (const [{ name }, all] of rounds) {
    const of = (pick: (round: Round) => number): number => median(all.map(pick));
    const cells = [
      `${(of((r) => r.startMs) / 1000).toFixed(1)} s`,
      `${of((r) => r.memoryMB)} MB`,
      `${of((r) => r.idlePercent).toFixed(2)} %`,
    ];
    process.stdout.write(`| ${name} | ${cells.join(' | ')} |\n`);
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
