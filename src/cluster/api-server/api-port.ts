/**
 * The port of a cluster's API server: the one that was asked for, or else the usual one, or the next that is free. What
 * other clusters of this machine have kept is not free, though they may be stopped.
 */
import { createServer } from 'node:net';
import { type Instance, listInstances } from '../instance/instance.ts';
import { type ClusterConfig, configDefaults } from '../settings/config.ts';

/** Any one, from the system. */
const anyPort = 0;
/** How many of the usual ones are tried. */
const usualMax = 100;

/** In the order in which they are tried. A cluster that keeps nothing has no usual one. */
export function apiPorts({ port }: ClusterConfig, dataDir: string | undefined): readonly number[] {
  if (port !== undefined) return [port];
  if (dataDir === undefined) return [anyPort];
  return usualPorts(new Set(listInstances().flatMap((instance) => (instance.dir === dataDir ? [] : keptPort(instance)))));
}

export const usualPorts = (taken: ReadonlySet<number>): readonly number[] => [
  ...Array.from({ length: usualMax }, (_, i) => configDefaults.port + i).filter((each) => !taken.has(each)),
  anyPort,
];

/** Of another cluster, whose damaged files are not this one's matter. */
function keptPort(instance: Instance): readonly number[] {
  try {
    const { kept, next } = instance.readSettings() ?? {};
    return [kept?.config.port, next?.config.port].filter((port) => port !== undefined);
  } catch {
    return [];
  }
}

/** Now: who asks for any port keeps the one it has, while nobody else has it. */
export const isPortFree = async (host: string, port: number): Promise<boolean> => (await listenError(host, port)) === undefined;

/** What listening there fails with now. */
export async function listenError(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<NodeJS.ErrnoException | undefined>();
  server.once('error', resolve).listen({ host, port }, () => server.close(() => resolve(undefined)));
  return promise;
}

/** The first one on which listening succeeds. */
export async function onFreePort<T>(ports: readonly number[], listen: (port: number) => Promise<T>): Promise<T> {
  for (const [i, port] of ports.entries()) {
    try {
      return await listen(port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || i === ports.length - 1) throw error;
    }
  }
  throw new Error('no port to listen on');
}
