/**
 * Clients of the servers that answer for other group-versions, for components of this process: garbage collection,
 * namespaces and quotas reach what is served there as they reach everything else. A connection is opened by the server's
 * `Dialer`, as the front proxy, and says as whom each request is made; the other server asks this one what he may.
 */
import { APIService } from '../../../api/generated/kinds.ts';
import type { Backend } from '../../../api/kinds/kind-snapshot.ts';
import { isConditionTrue } from '../../../api/meta/conditions.ts';
import { errors } from '../../../api/meta/status-error.ts';
import type { Client } from '../../../client/client.ts';
import type { Clock } from '../../../client/clock.ts';
import type { Log } from '../../../client/log.ts';
import { createHTTPClient } from '../../../client/transport/http-client.ts';
import { remoteHeaders } from '../authentication/request-header.ts';
import { serviceUnavailable } from '../request/refusals.ts';
import type { UserInfo } from '../request/request.ts';
import { type BackendTools, backendTarget } from './backend.ts';

/** what a component may be told at once: a list, mostly */
const answerBytesMax = 32 * 1024 * 1024;

interface Environment {
  readonly clock: Clock;
  readonly log: Log;
}

export class BackendClients implements AsyncDisposable {
  readonly #tools: BackendTools;
  readonly #environment: Environment;
  /** by APIService and user: components, which are few */
  readonly #clients = new Map<string, Client>();

  constructor(tools: BackendTools, environment: Environment) {
    this.#tools = tools;
    this.#environment = environment;
  }

  /** Throws ServiceUnavailable while the other server is away. */
  of({ group, version }: Backend, user: UserInfo): Client {
    const name = `${version}.${group}`;
    const service = this.#tools.reader.get(APIService, { name });
    if (!service || !isConditionTrue(service.status.conditions, 'Available')) throw errors.serviceUnavailable(serviceUnavailable);
    const { namespace = '', name: host = '', port = 443 } = service.spec.service ?? {};
    const key = JSON.stringify([service.metadata.uid, user]);
    let client = this.#clients.get(key);
    if (!client) {
      client = createHTTPClient({
        ...this.#environment,
        random: this.#tools.random,
        server: `https://${host}.${namespace}.svc:${port}`,
        headers: remoteHeaders(user),
        answerBytesMax,
        connect: async () => this.#tools.dialer.connect(await backendTarget(this.#current(service), this.#tools)),
      });
      this.#clients.set(key, client);
    }
    return client;
  }

  /** Where it leads may have changed since. */
  #current(service: APIService): APIService {
    return this.#tools.reader.get(APIService, { name: service.metadata.name }) ?? service;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client[Symbol.asyncDispose]()));
  }
}
