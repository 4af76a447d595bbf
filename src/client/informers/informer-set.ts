/** The informers of one client: one per kind and selection, started on first use, stopped together. */
import type { KindRef, KubeObject } from '../../api/meta/object.ts';
import { errors, type StatusError } from '../../api/meta/status-error.ts';
import type { Client } from '../client.ts';
import { checkKind } from '../transport/check-call.ts';
import type { Informer, InformerOptions } from './informer.ts';
import { createInformer, type InformerEnvironment, type RunningInformer } from './informer-cache.ts';

/** What a client answers once it is disposed. */
export const clientClosed = (): StatusError => errors.serviceUnavailable('the client is closed');

export class InformerSet implements AsyncDisposable {
  readonly #client: Pick<Client, 'list' | 'watch'>;
  readonly #environment: InformerEnvironment;
  /** undefined: disposed */
  #informers: Map<string, RunningInformer<KubeObject>> | undefined = new Map();

  constructor(client: Pick<Client, 'list' | 'watch'>, environment: InformerEnvironment) {
    this.#client = client;
    this.#environment = environment;
  }

  informer<T extends KubeObject>(kind: KindRef<T>, options: InformerOptions = {}): Informer<T> {
    if (!this.#informers) throw clientClosed();
    checkKind(kind);
    const { namespace = '', labelSelector = '', fieldSelector = '' } = options;
    const id = JSON.stringify([kind.group, kind.version, kind.resource, namespace, labelSelector, fieldSelector]);
    let informer = this.#informers.get(id);
    if (!informer) {
      informer = createInformer<KubeObject>(this.#client, kind, options, this.#environment);
      this.#informers.set(id, informer);
    }
    return informer as unknown as Informer<T>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const informers = [...(this.#informers?.values() ?? [])];
    this.#informers = undefined;
    await Promise.all(informers.map((informer) => informer[Symbol.asyncDispose]()));
  }
}
