/**
 * The cluster's Ingresses as routing for the data plane: compiled when they are next asked for after a change, with backends
 * that follow their Services and endpoints at once.
 */
import { EndpointSlice, Ingress, IngressClass, Secret, Service } from '../../api/generated/kinds.ts';
import { equalSemantically } from '../../api/meta/deep-equal.ts';
import { type KubeObject, keyOf, type ObjectKey } from '../../api/meta/object.ts';
import { serviceNameLabel } from '../../api/meta/well-known.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../client/clock.ts';
import type { Informer } from '../../client/informers/informer.ts';
import { Backend, type OpenUpstream } from './backends.ts';
import { contextOf, makeSelfSigned, type SelfMade, secretProblem } from './certificates.ts';
import {
  type BackendRef,
  type Compiled,
  type CompiledIngress,
  compileIngress,
  compileIngresses,
  isOurs,
  type Route,
} from './compile-ingress.ts';
import type { Certificates, Routing } from './data-plane.ts';
import { resolveBackend } from './endpoints.ts';

/** Certificates are in Secrets of this type. */
export const tlsSecrets = { fieldSelector: 'type=kubernetes.io/tls' } as const;

export interface IngressRoutingOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly open: OpenUpstream;
  readonly isAllowed: (address: string) => boolean;
}

interface Kept {
  readonly ref: BackendRef;
  readonly backend: Backend;
}

export class IngressRouting implements Routing<Route>, Certificates, Disposable {
  readonly synced: Promise<void>;
  readonly #options: IngressRoutingOptions;
  readonly #ingresses: Informer<Ingress>;
  readonly #classes: Informer<IngressClass>;
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #secrets: Informer<Secret>;
  readonly #slicesOf: (service: ObjectKey) => readonly EndpointSlice[];
  readonly #handlers = new DisposableStack();
  readonly #compiledOf = new WeakMap<Ingress, CompiledIngress>();
  /** by what they are, and by the key of their Service */
  readonly #backends = new Map<string, Kept>();
  readonly #ofService = new Map<ObjectKey, Set<Kept>>();
  #compiled: Compiled | undefined;
  #selfMade: Promise<SelfMade> | undefined;

  constructor(options: IngressRoutingOptions) {
    this.#options = options;
    const { client } = options;
    this.#ingresses = client.informer(Ingress);
    this.#classes = client.informer(IngressClass);
    this.#services = client.informer(Service);
    this.#slices = client.informer(EndpointSlice);
    this.#secrets = client.informer(Secret, tlsSecrets);
    this.#slicesOf = this.#slices.index('service', (slice) => serviceOf(slice));
    const changed = (): void => {
      this.#compiled = undefined;
    };
    const follow = (keys: readonly ObjectKey[]): void => {
      for (const kept of keys.flatMap((key) => [...(this.#ofService.get(key) ?? [])])) this.#update(kept);
    };
    const followService = (service: Service): void => follow([keyOf(service)]);
    const followSlice = (slice: EndpointSlice): void => follow(serviceOf(slice));
    const says = ({ metadata, spec }: Ingress): unknown => [metadata.annotations, spec];
    this.#handlers.use(
      this.#ingresses.on({
        added: changed,
        deleted: changed,
        updated: (now, old) => !equalSemantically(says(now), says(old)) && changed(),
      }),
    );
    this.#handlers.use(this.#classes.on({ added: changed, updated: changed, deleted: changed }));
    this.#handlers.use(this.#services.on({ added: followService, updated: followService, deleted: followService }));
    this.#handlers.use(
      this.#slices.on({
        added: followSlice,
        deleted: followSlice,
        updated: (now, old) => {
          followSlice(now);
          if (now.metadata.labels?.[serviceNameLabel] !== old.metadata.labels?.[serviceNameLabel]) followSlice(old);
        },
      }),
    );
    const informers: readonly Informer<KubeObject>[] = [this.#ingresses, this.#classes, this.#services, this.#slices, this.#secrets];
    this.synced = Promise.all(informers.map((informer) => informer.synced)).then(() => undefined);
  }

  find(host: string, path: string): ReturnType<Compiled['table']['find']> {
    return this.#current.table.find(host, path);
  }

  backendOf({ backend: ref }: Route): Backend | undefined {
    if (!ref) return undefined;
    const id = idOf(ref);
    const kept = this.#backends.get(id);
    if (kept) return kept.backend;
    const made: Kept = {
      ref,
      backend: new Backend((endpoint, protocol) => this.#options.open(endpoint, protocol, ref.connectMs), this.#options.clock),
    };
    this.#backends.set(id, made);
    const service = serviceKeyOf(ref);
    this.#ofService.set(service, (this.#ofService.get(service) ?? new Set()).add(made));
    this.#update(made);
    return made.backend;
  }

  contextOf(name: string): ReturnType<Certificates['contextOf']> {
    const { certificates } = this.#current;
    return contextOf(name, (host) => this.#secrets.get(certificates.get(host)?.secret ?? ''));
  }

  selfMade(): Promise<SelfMade> {
    this.#selfMade ??= makeSelfSigned(this.#options.clock.now());
    return this.#selfMade;
  }

  isOurs(ingress: Ingress): boolean {
    return isOurs(ingress, (name) => this.#classes.get(name));
  }

  /** What is to be told of it. */
  problemsOf(ingress: Ingress): readonly { readonly reason: string; readonly message: string }[] {
    const bad = this.#compile(ingress).certificates.flatMap(({ host, secret: key }) => {
      const secret = key === undefined ? undefined : this.#secrets.get(key);
      const problem = key === undefined ? undefined : secret ? secretProblem(secret) : 'is not there, or not of type kubernetes.io/tls';
      return problem === undefined
        ? []
        : [{ reason: 'CertificateMissing', message: `Secret ${key} for ${host} ${problem}: a self-made certificate is shown` }];
    });
    return [...this.#current.problemsOf(keyOf(ingress)), ...bad];
  }

  get #current(): Compiled {
    if (!this.#compiled) {
      const ours = this.#ingresses.list().filter((ingress) => this.isOurs(ingress));
      this.#compiled = compileIngresses(ours, (ingress) => this.#compile(ingress));
      this.#forgetBackends(ours.flatMap((ingress) => this.#compile(ingress).routes));
    }
    return this.#compiled;
  }

  #compile(ingress: Ingress): CompiledIngress {
    let compiled = this.#compiledOf.get(ingress);
    if (!compiled) {
      compiled = compileIngress(ingress);
      this.#compiledOf.set(ingress, compiled);
    }
    return compiled;
  }

  #update({ ref, backend }: Kept): void {
    const key = serviceKeyOf(ref);
    backend.update(
      resolveBackend(ref, { service: this.#services.get(key), slices: this.#slicesOf(key), isAllowed: this.#options.isAllowed }),
    );
  }

  #forgetBackends(routes: readonly Route[]): void {
    if (this.#backends.size === 0) return;
    const wanted = new Set(routes.flatMap(({ backend }) => (backend ? [idOf(backend)] : [])));
    for (const [id, kept] of this.#backends) {
      if (wanted.has(id)) continue;
      this.#backends.delete(id);
      const service = serviceKeyOf(kept.ref);
      const others = this.#ofService.get(service);
      others?.delete(kept);
      if (others?.size === 0) this.#ofService.delete(service);
      kept.backend.close();
    }
  }

  [Symbol.dispose](): void {
    this.#handlers.dispose();
    for (const { backend } of this.#backends.values()) backend.destroy();
  }
}

const idOf = ({ namespace, service, port, protocol, connectMs }: BackendRef): string =>
  JSON.stringify([namespace, service, port, protocol, connectMs]);
const serviceKeyOf = ({ namespace, service }: BackendRef): ObjectKey => `${namespace}/${service}`;

function serviceOf({ metadata }: EndpointSlice): ObjectKey[] {
  const name = metadata.labels?.[serviceNameLabel];
  return name === undefined ? [] : [`${metadata.namespace}/${name}`];
}
