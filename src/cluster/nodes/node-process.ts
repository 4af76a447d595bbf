/**
 * Starts a further node of this machine as a process of its own, in the network namespace of that node, with the node's
 * name as its hostname: pods on the node's network see it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { realClock } from '../../client/clock.ts';
import { endLeftover } from '../../node/runtime/kept-process.ts';
import { ownProcess } from '../machine/own-process.ts';
import type { NodeConfig, NodeReply, NodeRequest } from './node-config.ts';

export interface NodeProcess extends AsyncDisposable {
  /** Resolves when the node works. */
  readonly started: Promise<void>;
}

/** With its directory, which tells it from those of other nodes. */
const wordsOf = (dataDir: string): readonly [string, ...string[]] => [...ownProcess('cluster/node-main'), dataDir];

/** Disposing stops the node and its pods, also one that has not started yet. */
export function startNodeProcess(config: NodeConfig, netns: string): NodeProcess {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const logFd = openSync(join(config.dataDir, 'node.log'), 'a', 0o600);
  const named = ['unshare', '--uts', 'sh', '-c', 'echo "$0" > /proc/sys/kernel/hostname; exec "$@"', config.nodeName];
  const child = spawn('nsenter', [`--net=${netns}`, ...named, ...wordsOf(config.dataDir)], {
    stdio: ['ignore', logFd, logFd, 'ipc'],
    cwd: '/',
  });
  closeSync(logFd);
  const ended = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  answer.promise.catch(() => undefined); // who waits hears of it
  child.on('message', (message: NodeReply) => {
    if (message.type === 'started') answer.resolve();
    else answer.reject(new Error(`${config.nodeName}: ${message.message}`));
  });
  child.once('exit', (code) => {
    answer.reject(new Error(`${config.nodeName}: its process ended (exit ${code}); see ${join(config.dataDir, 'node.log')}`));
    ended.resolve();
  });
  child.once('error', (error) => {
    answer.reject(error);
    if (child.pid === undefined) ended.resolve();
  });
  send(child, { type: 'start', config });
  return {
    started: answer.promise,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.connected) send(child, { type: 'stop' });
      await ended.promise;
    },
  };
}

/** Ends the node's process that a cluster left when it was killed, if it has not ended by itself. */
export async function endLeftNode(dataDir: string): Promise<void> {
  await endLeftover({ mark: wordsOf(dataDir).slice(-2), clock: realClock, graceMs: 0 });
}

function send(child: ChildProcess, request: NodeRequest): void {
  child.send(request);
}
