/**
 * Runs the admission plugins in their order. Which of them a kind, operation and subresource concern is asked once and
 * kept, so a request that no plugin wants pays one map lookup.
 */
import type { Kind } from '../../../api/meta/kind.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { isStatusError } from '../../../api/meta/status-error.ts';
import type { AdmissionOperation, AdmissionRequest } from '../request/request.ts';
import { yieldTurn } from '../request/yield-turn.ts';
import type { AdmissionPlugin } from './plugin.ts';

interface Concerned {
  readonly mutating: readonly AdmissionPlugin[];
  readonly validating: readonly AdmissionPlugin[];
}

export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[];
  readonly #concerned = new WeakMap<Kind, Map<string, Concerned>>();

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
  }

  mutates(request: AdmissionRequest): boolean {
    return this.#of(request.kind, request.operation, request.subresource).mutating.length > 0;
  }

  /** The object after all mutating plugins: the very same one when none changed it. */
  async admit(request: AdmissionRequest & { readonly object: KubeObject }): Promise<KubeObject> {
    let { object } = request;
    for (const plugin of this.#of(request.kind, request.operation, request.subresource).mutating) {
      try {
        const given = plugin.admit?.(object === request.object ? request : { ...request, object });
        object = (given instanceof Promise ? await given : given) ?? object;
        if (request.isLarge) await yieldTurn();
      } catch (error) {
        throw refusedBy(plugin, error);
      }
    }
    return object;
  }

  /** For operations without a new object: DELETE, CONNECT. */
  async admitOperation(request: AdmissionRequest): Promise<void> {
    const { mutating } = this.#of(request.kind, request.operation, request.subresource);
    await inOrder(request, mutating, (plugin) => plugin.admit?.(request));
  }

  async validate(request: AdmissionRequest): Promise<void> {
    const { validating } = this.#of(request.kind, request.operation, request.subresource);
    await inOrder(request, validating, (plugin) => plugin.validate?.(request));
  }

  #of(kind: Kind, operation: AdmissionOperation, subresource: string | undefined): Concerned {
    let byOperation = this.#concerned.get(kind);
    if (!byOperation) {
      byOperation = new Map();
      this.#concerned.set(kind, byOperation);
    }
    const key = subresource ? `${operation}/${subresource}` : operation;
    let concerned = byOperation.get(key);
    if (!concerned) {
      const handling = this.#plugins.filter((plugin) => plugin.handles(kind, operation, subresource));
      concerned = { mutating: handling.filter((p) => p.admit), validating: handling.filter((p) => p.validate) };
      byOperation.set(key, concerned);
    }
    return concerned;
  }
}

async function inOrder(
  { isLarge = false }: AdmissionRequest,
  plugins: readonly AdmissionPlugin[],
  ask: (plugin: AdmissionPlugin) => unknown,
): Promise<void> {
  for (const plugin of plugins) {
    try {
      await ask(plugin);
      if (isLarge) await yieldTurn();
    } catch (error) {
      throw refusedBy(plugin, error);
    }
  }
}

/** The refusal, which knows whose it is. */
function refusedBy(plugin: AdmissionPlugin, error: unknown): unknown {
  if (isStatusError(error)) error.refusedBy ??= plugin.name;
  return error;
}
