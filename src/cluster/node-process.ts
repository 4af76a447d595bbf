/** Starts a further node of this machine as a process of its own, in the network namespace of that node. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { NodeConfig, NodeReply, NodeRequest } from './node-config.ts';

/** The node's process, when it works. Disposing stops the node and its pods. */
export async function startNodeProcess(config: NodeConfig, netns: string): Promise<AsyncDisposable> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const logFd = openSync(join(config.dataDir, 'node.log'), 'a', 0o600);
  const entry = join(import.meta.dirname, `node-main${extname(import.meta.filename)}`);
  const child = spawn('nsenter', [`--net=${netns}`, process.execPath, ...process.execArgv, entry], {
    stdio: ['ignore', logFd, logFd, 'ipc'],
    cwd: '/',
  });
  closeSync(logFd);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.on('error', () => undefined); // told by the exit, or by the reply that never comes
  const answer = Promise.withResolvers<void>();
  child.on('message', (message: NodeReply) => {
    if (message.type === 'started') answer.resolve();
    else answer.reject(new Error(`${config.nodeName}: ${message.message}`));
  });
  const gone = ended.then((code) =>
    Promise.reject<void>(new Error(`${config.nodeName}: its process ended (exit ${code}); see ${join(config.dataDir, 'node.log')}`)),
  );
  send(child, { type: 'start', config });
  try {
    await Promise.race([answer.promise, gone]);
  } catch (error) {
    child.kill('SIGKILL');
    await ended;
    throw error;
  }
  gone.catch(() => undefined);
  return {
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.connected) send(child, { type: 'stop' });
      await ended;
    },
  };
}

function send(child: ChildProcess, request: NodeRequest): void {
  child.send(request);
}
