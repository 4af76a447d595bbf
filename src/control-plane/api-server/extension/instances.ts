/**
 * The objects of a custom resource whose definition is deleted: deleted as by a client, without admission, since nobody
 * is to hold them. They are looked at as they are stored: no webhook has to convert what goes.
 */
import type { CustomResourceDefinition } from '../../../api/generated/kinds.ts';
import { type Random, realRandom } from '../../../client/clock.ts';
import type { ServedKind } from '../cache/served-kinds.ts';
import { ApiRequest, type RequestSource } from '../request/api-request.ts';
import type { UserInfo } from '../request/request.ts';
import { planDeletion } from '../verbs/delete.ts';
import { commitWrite } from '../write/commit-write.ts';
import type { VerbContext } from '../write/verb-context.ts';

type Definition = CustomResourceDefinition;

/** Deletes under way at once: the store joins their commits. */
const concurrencyMax = 16;

export class Instances {
  readonly #server: VerbContext;
  readonly #user: UserInfo;

  constructor(server: VerbContext, user: UserInfo) {
    this.#server = server;
    this.#user = user;
  }

  count(definition: Definition): number {
    return this.#of(definition)?.cache.size ?? 0;
  }

  /** Calls `done` each time that the last of them goes. */
  whenGone(definition: Definition, done: () => void): Disposable {
    const { group, names } = definition.spec;
    const ref = { group, version: '', kind: names.kind, resource: names.plural, namespaced: true };
    return this.#server.kinds.follow(ref, (object, old) => {
      if (old && !object && this.count(definition) === 0) done();
    });
  }

  /** Those that finalizers hold are marked, and stay. */
  async deleteAll(definition: Definition, signal: AbortSignal): Promise<void> {
    const served = this.#of(definition);
    if (!served) return;
    const waiting = [...served.cache.values()];
    const work = async (): Promise<void> => {
      for (let stored = waiting.pop(); stored; stored = waiting.pop()) {
        signal.throwIfAborted();
        const { name = '', namespace } = stored.object.metadata;
        await this.#deleteOne(served, { name, namespace }, signal);
      }
    };
    await Promise.all(Array.from({ length: concurrencyMax }, work));
  }

  async #deleteOne(
    served: ServedKind,
    { name, namespace }: { name: string; namespace: string | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    const server = this.#server;
    const { kind } = served;
    const target = { type: 'resource', kind, namespace, name, subresource: undefined, answeredBy: undefined } as const;
    const request = new ApiRequest({
      source: ownSource(signal),
      startMs: server.clock.monotonic(),
      verb: 'delete',
      target,
      user: this.#user,
    });
    await commitWrite(server, {
      served,
      request,
      namespace,
      name,
      dryRun: false,
      plan: (stored) => stored && planDeletion(kind, stored.object, {}, server.clock.now()),
    });
  }

  #of({ spec }: Definition): ServedKind | undefined {
    return this.#server.kinds.asStored({ group: spec.group, resource: spec.names.plural });
  }
}

const random: Random = realRandom; // names of requests change nothing of a cluster that a seed makes

const ownSource = (signal: AbortSignal): RequestSource => ({
  id: random.uuid(),
  sourceIPs: [],
  userAgent: undefined,
  signal,
  why: () => 'its definition is deleted',
  warn: () => undefined,
});
