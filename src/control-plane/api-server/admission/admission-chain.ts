/**
 * Runs the admission plugins in their order. Which of them a kind, operation and subresource concern is asked once and
 * kept, until the configuration of one changes, so a request that no plugin wants pays little more than a map lookup.
 * Mutating plugins see the object a second time when one of them asks for it (request/reinvocation.ts).
 */
import type { KubeObject } from '../../../api/meta/object.ts';
import { isStatusError } from '../../../api/meta/status-error.ts';
import { Reinvocation } from '../request/reinvocation.ts';
import type { AdmissionRequest } from '../request/request.ts';
import { yieldTurn } from '../request/yield-turn.ts';
import { type OperationSubject, PerOperation } from './per-operation.ts';
import type { AdmissionPlugin } from './plugin.ts';

interface Concerned {
  readonly mutating: readonly AdmissionPlugin[];
  readonly validating: readonly AdmissionPlugin[];
}

export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[];
  readonly #configured: readonly AdmissionPlugin[];
  #revision = 0;
  readonly #concerned = new PerOperation((subject) => this.#find(subject));

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
    this.#configured = plugins.filter(({ revision }) => revision);
  }

  mutates(request: AdmissionRequest): boolean {
    return this.#of(request).mutating.length > 0;
  }

  /** The object after all mutating plugins: the very same one when none changed it. */
  async admit(request: ObjectRequest): Promise<KubeObject> {
    const { mutating } = this.#of(request);
    if (!mutating.some(({ revision }) => revision)) return await admitBy(mutating, request);
    const reinvocation = new Reinvocation();
    const object = await admitBy(mutating, { ...request, reinvocation });
    if (!reinvocation.isWanted) return object;
    reinvocation.begin();
    return await admitBy(mutating, { ...request, object, reinvocation });
  }

  /** For operations without a new object: DELETE, CONNECT. */
  async admitOperation(request: AdmissionRequest): Promise<void> {
    const { mutating } = this.#of(request);
    await inOrder(request, mutating, (plugin) => plugin.admit?.(request));
  }

  async validate(request: AdmissionRequest): Promise<void> {
    const { validating } = this.#of(request);
    await inOrder(request, validating, (plugin) => plugin.validate?.(request));
  }

  #of(request: OperationSubject): Concerned {
    this.#forgetChanged();
    return this.#concerned.of(request);
  }

  #find({ kind, operation, subresource }: OperationSubject): Concerned {
    const handling = this.#plugins.filter((plugin) => plugin.handles(kind, operation, subresource));
    return { mutating: handling.filter((p) => p.admit), validating: handling.filter((p) => p.validate) };
  }

  #forgetChanged(): void {
    let revision = 0;
    for (const plugin of this.#configured) revision += plugin.revision?.() ?? 0;
    if (revision === this.#revision) return;
    this.#revision = revision;
    this.#concerned.clear();
  }
}

type ObjectRequest = AdmissionRequest & { readonly object: KubeObject };

async function admitBy(plugins: readonly AdmissionPlugin[], request: ObjectRequest): Promise<KubeObject> {
  let { object } = request;
  for (const plugin of plugins) {
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
