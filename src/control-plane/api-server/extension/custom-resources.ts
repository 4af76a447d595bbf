/**
 * Serves what the CustomResourceDefinitions in the store ask for, whichever server they were written on: each server
 * follows them in its own cache. What they say of themselves is definition-controller.ts's.
 *
 * Guarantees: loaded, it serves all that the store defines; of one definition changes are taken in their order, and the
 * newest counts; a resource that is built in is never replaced. What a definition says beside its spec and its names
 * ends no watch.
 * Upstream: apiextensions-apiserver/pkg/apiserver/customresource_handler.go.
 */

import { CustomResourceDefinition } from '../../../api/generated/kinds.ts';
import { type Converter, customResource, isTerminating } from '../../../api/kinds/apiextensions/custom-kind.ts';
import type { ServedResource } from '../../../api/kinds/kind-snapshot.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import { isCustom } from '../../../api/meta/kind.ts';
import { detach } from '../../../client/detached.ts';
import type { Log } from '../../../client/log.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { ServedKinds } from '../cache/served-kinds.ts';
import { yieldTurn } from '../request/yield-turn.ts';

type Definition = CustomResourceDefinition;

export interface CustomResourceParts {
  readonly kinds: Pick<ServedKinds, 'served' | 'put' | 'putAll' | 'remove'>;
  readonly reader: ObjectReader;
  readonly converter: Converter;
  readonly log: Log;
}

/** Each is parsed now, but for its schemas. */
const definitionsPerTurn = 2;

export class CustomResources implements Disposable {
  readonly #parts: CustomResourceParts;
  /** the definitions by which it serves, by name */
  readonly #served = new Map<string, Definition>();
  readonly #changing = new Map<string, Promise<void>>();
  /** changed since they were last looked at */
  readonly #changed = new Set<string>();
  #following: Disposable | undefined;

  constructor(parts: CustomResourceParts) {
    this.#parts = parts;
  }

  /** Serves all that is defined now, and follows from then on. */
  async load(): Promise<void> {
    const { kinds, reader } = this.#parts;
    const resources: ServedResource[] = [];
    for (const definition of reader.list(CustomResourceDefinition)) {
      if (resources.length % definitionsPerTurn === 0) await yieldTurn();
      const resource = this.#resourceOf(definition);
      if (!resource) continue;
      resources.push(resource);
      this.#served.set(definition.metadata.name, definition);
    }
    if (resources.length > 0) await kinds.putAll(resources);
    this.#following = reader.follow(CustomResourceDefinition, (definition, old) => this.#follow((definition ?? old)?.metadata.name ?? ''));
  }

  isChanging(name: string): boolean {
    return this.#changing.has(name);
  }

  /** Resolves when all is served that the definition of this name asks for now. */
  async settled(name: string): Promise<void> {
    for (let changing = this.#changing.get(name); changing; changing = this.#changing.get(name)) await changing;
  }

  /** Whether its objects would lie where those of a built-in kind do. */
  overlaps({ spec }: Definition): boolean {
    const there = this.#parts.kinds.served.resource(spec.group, spec.names.plural);
    return there !== undefined && !isCustom(there.stored);
  }

  [Symbol.dispose](): void {
    this.#following?.[Symbol.dispose]();
  }

  #resourceOf(definition: Definition): ServedResource | undefined {
    return this.overlaps(definition) ? undefined : customResource(definition, this.#parts.converter);
  }

  #follow(name: string): void {
    this.#changed.add(name);
    if (this.#changing.has(name)) return;
    const changing = Promise.resolve().then(() => this.#takeAll(name));
    this.#changing.set(name, changing);
    detach(
      () => changing,
      (error) => this.#parts.log.error({ error, definition: name }, 'a custom resource is not served'),
    );
  }

  /** Until what it serves is what is defined. */
  async #takeAll(name: string): Promise<void> {
    try {
      while (this.#changed.delete(name)) await this.#take(name, this.#parts.reader.get(CustomResourceDefinition, { name }));
    } finally {
      this.#changing.delete(name);
    }
  }

  async #take(name: string, definition: Definition | undefined): Promise<void> {
    const { kinds } = this.#parts;
    const before = this.#served.get(name);
    const isOther = before !== undefined && definition?.metadata.uid !== before.metadata.uid;
    const resource = definition && this.#resourceOf(definition);
    if (before && (isOther || !resource)) {
      this.#served.delete(name);
      await kinds.remove({ group: before.spec.group, resource: before.spec.names.plural });
    }
    if (!definition || !resource) return;
    const last = isOther ? undefined : before;
    const isSame = last !== undefined && definesSame(definition, last);
    this.#served.set(name, definition);
    if (isSame && isTerminating(definition) === isTerminating(last)) return;
    await kinds.put(resource, { keepsWatches: isSame });
  }
}

/** The generation counts changes of the spec. */
const definesSame = (a: Definition, b: Definition): boolean =>
  a.metadata.generation === b.metadata.generation && equalSemantically(a.status.acceptedNames, b.status.acceptedNames);
