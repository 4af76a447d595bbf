/**
 * What makes the API larger while the server runs: custom resources, and the APIs of other servers. Loaded before the
 * server answers, so that a restart serves what was defined before; their definitions are looked after once it does, and
 * what depends on all types that are served (policy-types.ts), and the list of who answers for which group-version.
 */
import { APIService } from '../../../api/generated/kinds.ts';
import type { Backend } from '../../../api/kinds/kind-snapshot.ts';
import type { Kind } from '../../../api/meta/kind.ts';
import { errors } from '../../../api/meta/status-error.ts';
import type { Client } from '../../../client/client.ts';
import { type Clock, type Random, realRandom } from '../../../client/clock.ts';
import { type RunningControllers, runControllers } from '../../../client/controllers/controller-runner.ts';
import { detach } from '../../../client/detached.ts';
import type { Log } from '../../../client/log.ts';
import type { AdmissionPlugin } from '../admission/plugin.ts';
import type { Claims } from '../allocation/claims.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { ServedKinds } from '../cache/served-kinds.ts';
import type { Answer } from '../request/answer.ts';
import type { ApiRequest, BackendTarget } from '../request/api-request.ts';
import { serviceUnavailable } from '../request/refusals.ts';
import type { UserInfo } from '../request/request.ts';
import type { WebhookClient } from '../streaming/webhook-client.ts';
import type { Allocator } from '../write/allocator.ts';
import type { VerbContext } from '../write/verb-context.ts';
import { acceptedNames } from './accepted-names.ts';
import { apiServiceController, register } from './api-services.ts';
import { autoregister, builtInAPIServices, type Wanted } from './autoregister.ts';
import type { BackendTools } from './backend.ts';
import { BackendClients } from './backend-clients.ts';
import { backendProxy } from './backend-proxy.ts';
import type { ConversionMetrics } from './conversion-metrics.ts';
import { webhookConverter } from './conversion-webhook.ts';
import { CustomResources } from './custom-resources.ts';
import { definitionController } from './definition-controller.ts';
import { Instances } from './instances.ts';
import { LivingDefinition } from './living-definition.ts';
import { policyTypesController } from './policy-types.ts';

export interface ExtensionParts {
  readonly kinds: ServedKinds;
  readonly reader: ObjectReader;
  readonly claims: Claims;
  /** the server's own */
  readonly client: Client;
  readonly user: UserInfo;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** absent: no other server is reached */
  readonly aggregation?: Aggregation | undefined;
}

export type Aggregation = Pick<BackendTools, 'dialer' | 'frontProxy'>;

interface AssembledParts {
  readonly server: VerbContext;
  /** absent: webhooks are not called */
  readonly webhooks: Pick<WebhookClient, 'post'> | undefined;
  readonly conversionMetrics: ConversionMetrics | undefined;
}

export class Extension implements AsyncDisposable {
  readonly admission: readonly AdmissionPlugin[];
  readonly allocators: readonly Allocator[];
  /** answers for the group-versions of other servers */
  readonly backends: ((request: ApiRequest<BackendTarget>) => Promise<Answer>) | undefined;
  readonly #tools: BackendTools | undefined;
  readonly #clients: BackendClients | undefined;
  readonly #parts: ExtensionParts;
  readonly #resources: CustomResources;
  /** the APIServices of what it serves before anything is loaded */
  readonly #builtIn: ReadonlyMap<string, Wanted>;
  /** of these, those that had none yet */
  readonly #unregistered: Set<string>;
  #assembled: AssembledParts | undefined;
  #controllers: RunningControllers | undefined;
  #followed: Disposable | undefined;

  constructor(parts: ExtensionParts) {
    this.#parts = parts;
    this.#builtIn = builtInAPIServices(parts.kinds.served);
    this.#unregistered = new Set(parts.aggregation && this.#builtIn.keys());
    this.#tools = parts.aggregation && { ...parts.aggregation, reader: parts.reader, random: parts.random };
    this.backends = this.#tools && backendProxy(this.#tools);
    this.#clients = this.#tools && new BackendClients(this.#tools, parts);
    const living = new LivingDefinition(parts.kinds);
    this.admission = [living.admission];
    this.allocators = [living.allocator, acceptedNames(parts.reader, parts.claims)];
    const converter = webhookConverter({
      client: () => this.#assembled?.webhooks,
      metrics: () => this.#assembled?.conversionMetrics,
      random: realRandom,
    });
    this.#resources = new CustomResources({ ...parts, converter });
  }

  /** Throws ServiceUnavailable while the other server is away. */
  clientOf(backend: Backend, user: UserInfo): Client {
    if (!this.#clients) throw errors.serviceUnavailable(serviceUnavailable);
    return this.#clients.of(backend, user);
  }

  async load(): Promise<void> {
    await this.#resources.load();
    if (!this.#tools) return;
    const { reader, kinds } = this.#parts;
    for (const service of reader.list(APIService)) await register(kinds, service.metadata.name, service);
    this.#followed = reader.follow(APIService, (service, old) => {
      const name = (service ?? old)?.metadata.name ?? '';
      if (service) this.#unregistered.delete(name);
      detach(
        () => register(kinds, name, service),
        (error) => this.#parts.log.error({ error, name }, 'an APIService could not be registered'),
      );
    });
  }

  /** Group-versions of the server's own that have had no APIService since the start. */
  unregistered(): readonly string[] {
    return [...this.#unregistered];
  }

  /** When the server is put together. */
  start(assembled: AssembledParts): void {
    this.#assembled = assembled;
    const instances = new Instances(assembled.server, this.#parts.user);
    const definitions = definitionController({ reader: this.#parts.reader, resources: this.#resources, instances });
    const policyTypes = policyTypesController(() => this.#parts.kinds.served);
    const own = autoregister({ reader: this.#parts.reader, builtIn: this.#builtIn });
    const apiServices = this.#tools ? [own, apiServiceController(this.#tools, this.#parts.kinds)] : [];
    this.#controllers = runControllers([definitions, policyTypes, ...apiServices], this.#parts);
  }

  /** Of a resource that is not served here: resolves when it is, where it has been defined. Undefined: it has not. */
  coming({ group, resource }: Pick<Kind, 'group' | 'resource'>): Promise<void> | undefined {
    const name = `${resource}.${group}`;
    const fresh = this.#assembled?.server.cache.fresh();
    if (!fresh) return this.#resources.isChanging(name) ? this.#resources.settled(name) : undefined;
    return fresh.then(() => this.#resources.settled(name)).catch(() => undefined); // then it is not there, for all that is known
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#followed?.[Symbol.dispose]();
    this.#resources[Symbol.dispose]();
    await this.#controllers?.[Symbol.asyncDispose]();
    await this.#clients?.[Symbol.asyncDispose]();
  }
}
