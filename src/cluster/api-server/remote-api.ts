/**
 * An API server elsewhere, of whatever make: all components go there over HTTPS as the kubeconfig's own user, which must
 * be allowed what they do, and say by their user agent who they are: `timonier/system:kube-scheduler`.
 */

import type { Client } from '../../client/client.ts';
import type { Clock, Random } from '../../client/clock.ts';
import { readActs } from '../../client/events/act-stream.ts';
import type { Access } from '../../client/files/kubeconfig.ts';
import type { Log } from '../../client/log.ts';
import { createHTTPClient } from '../../client/transport/http-client.ts';
import type { API } from '../component.ts';
import { OperationError } from '../operation-error.ts';
import type { PhaseRunner } from '../phase-runner.ts';

export interface RemoteAPIOptions {
  readonly access: Access;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly phase: PhaseRunner;
  readonly stack: AsyncDisposableStack;
}

/** Resolves when it has answered. */
export async function connectRemoteAPI({ access, clock, random, log, phase, stack }: RemoteAPIOptions): Promise<API> {
  const { server, ca, cert, key, token, tokenFile } = access;
  const client = stack.use(createHTTPClient({ ...access, clock, random, log }));
  const clients = new Map<string, Client>();
  const askVersion = async (): Promise<string> => {
    try {
      return (await client.raw<{ gitVersion: string }>('/version')).gitVersion;
    } catch (cause) {
      const fix = 'is it running, and does the kubeconfig lead there? try: kubectl --kubeconfig FILE version';
      throw new OperationError({ code: 'no-api-server', message: `${server} does not answer`, fix, cause });
    }
  };
  await phase('api-server', askVersion, (version) => `${server}, Kubernetes ${version}`);
  return {
    server,
    ca,
    clientFor({ name }) {
      const known = clients.get(name) ?? client.as(`timonier/${name}`);
      clients.set(name, known);
      return known;
    },
    acts: (filter) => readActs(client, filter),
    credentialsFor: async () => ({ cert, key, token, tokenFile }),
  };
}
