/**
 * Nothing is made of a custom resource whose definition is being deleted, or is gone: each create expects, in its own
 * commit, that the definition is as it was when that was asked. So nothing is left behind, whichever server it was made on.
 * Upstream refuses creates alone (forbidCreateAdmission), before anything else.
 */
import { CustomResourceDefinition } from '../../../api/generated/kinds.ts';
import { isTerminating } from '../../../api/kinds/apiextensions/custom-kind.ts';
import { isCustom, type Kind } from '../../../api/meta/kind.ts';
import { errors } from '../../../api/meta/status-error.ts';
import type { AdmissionPlugin } from '../admission/plugin.ts';
import type { ServedKinds } from '../cache/served-kinds.ts';
import type { StoredObject } from '../cache/stored-object.ts';
import type { Allocator } from '../write/allocator.ts';

export class LivingDefinition {
  readonly #kinds: ServedKinds;

  constructor(kinds: ServedKinds) {
    this.#kinds = kinds;
  }

  get admission(): AdmissionPlugin {
    return {
      name: 'CustomResourceTerminating',
      handles: (kind, operation, subresource) => isCustom(kind) && operation === 'CREATE' && !subresource,
      admit: ({ kind, name }) => {
        this.#alive(kind, name);
        return undefined;
      },
    };
  }

  get allocator(): Allocator {
    return {
      handles: isCustom,
      allocate: ({ kind, name, object, oldObject }) => {
        const definition = object && !oldObject ? this.#alive(kind, name) : undefined;
        return definition && { ops: [{ key: definition.key, expect: definition.revision, isCheck: true }] };
      },
    };
  }

  /** Undefined: nobody has defined it here. Throws NotFound, Forbidden. */
  #alive(kind: Kind, name: string): StoredObject | undefined {
    const uid = kind.definition?.uid;
    if (!uid) return undefined;
    const definitions = this.#kinds.served.byResource(
      CustomResourceDefinition.group,
      CustomResourceDefinition.version,
      CustomResourceDefinition.resource,
    );
    const stored = definitions && this.#kinds.find(definitions)?.find(undefined, `${kind.resource}.${kind.group}`);
    if (stored?.object.metadata.uid !== uid) throw errors.pathNotFound();
    if (!isTerminating(stored.object as CustomResourceDefinition)) return stored;
    throw errors.forbidden(kind, name, 'create not allowed while custom resource definition is terminating');
  }
}
