/**
 * The entry of a node's own process: one real node against the cluster's API over HTTPS, in the network namespace that
 * it was started in. Told to stop, it ends its pods; when its parent just disappears, it ends and leaves them running.
 */
import type { ClientCredentials } from '../client/transport/credentials.ts';
import type { NodeConfig, NodeReply, NodeRequest } from './nodes/node-config.ts';

const { realClock: clock, realRandom: random } = await import('../client/clock.ts');
const { createHTTPClient } = await import('../client/transport/http-client.ts');
const { describeError } = await import('./operation-error.ts');
const { createLog, surviveLostOutput } = await import('./log/logging.ts');
const { endProcess, watchProcess } = await import('./machine/process-faults.ts');
const { startRealNode } = await import('./nodes/real-node.ts');
const { startNodeProxy } = await import('./nodes/service-proxy.ts');

surviveLostOutput();
const stack = new AsyncDisposableStack();
const stop = new AbortController();
const reply = (message: NodeReply): void => {
  if (process.connected) process.send?.(message);
};

async function start(config: NodeConfig): Promise<void> {
  const log = await createLog({ level: config.logLevel, format: 'json', clock, write: (line) => process.stdout.write(line) });
  watchProcess(log);
  const clientOf = (credentials: ClientCredentials) =>
    stack.use(createHTTPClient({ server: config.server, ca: config.ca, ...credentials, clock, random, log }));
  const { node, proxy, network, policy } = config.credentials;
  await startRealNode({
    ...config,
    clients: { node: clientOf(node), network: clientOf(network), policy: clientOf(policy) },
    clock,
    random,
    log,
    giveUp: stop.signal,
    signal: stop.signal,
    stack,
  });
  if (proxy) stack.use(await startNodeProxy({ ...config, client: clientOf(proxy), clock, log, stack }));
}

process.on('message', (request: NodeRequest) => {
  if (request.type === 'start') {
    start(request.config).then(
      () => reply({ type: 'started' }),
      (error) => reply({ type: 'failed', message: describeError(error) }),
    );
    return;
  }
  stack.disposeAsync().then(
    () => endProcess(0),
    (error) => {
      process.stderr.write(`${describeError(error)}\n`);
      endProcess(1);
    },
  );
});
process.on('disconnect', () => endProcess(1));
// The terminal's Ctrl-C reaches the whole group: the parent decides how to stop.
process.on('SIGINT', () => undefined);
