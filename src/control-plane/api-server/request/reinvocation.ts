/**
 * The second round of mutating admission: when a plugin that asks somebody else (a webhook, a policy) has changed the
 * object, all mutating plugins see it once more; those that ask somebody ask only whom the changes of others concern.
 * Upstream: apiserver/pkg/admission/reinvocation.go, plugin/webhook/mutating/reinvocationcontext.go.
 */
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import type { KubeObject } from '../../../api/meta/object.ts';

export class Reinvocation {
  #isSecond = false;
  /** a plugin has asked for the second round */
  isWanted = false;
  readonly #callees = new Map<string, Callees>();

  get isSecondRound(): boolean {
    return this.#isSecond;
  }

  begin(): void {
    this.#isSecond = true;
  }

  /** Whom this plugin asks, at its start in either round. */
  calleesOf(plugin: string, object: KubeObject | undefined): Callees {
    const known = this.#callees.get(plugin);
    if (known) {
      known.sees(object);
      return known;
    }
    const callees = new Callees(this);
    this.#callees.set(plugin, callees);
    return callees;
  }
}

/** Whom one plugin has asked, and whom it has to ask again. */
export class Callees {
  readonly #round: Reinvocation;
  /** asked since the last change, and to be asked again at the next one */
  readonly #asked = new Set<string>();
  readonly #again = new Set<string>();
  #left: KubeObject | undefined;

  constructor(round: Reinvocation) {
    this.#round = round;
  }

  isToAsk(callee: string): boolean {
    return !this.#round.isSecondRound || this.#again.has(callee);
  }

  asked(callee: string, { changed, reinvoke }: { readonly changed: boolean; readonly reinvoke: boolean }): void {
    if (changed) {
      this.#askAllAgain();
      this.#round.isWanted = true;
    }
    if (reinvoke) this.#asked.add(callee);
  }

  /** The object as the plugin leaves it. */
  leaves(object: KubeObject | undefined): void {
    this.#left = object;
  }

  sees(object: KubeObject | undefined): void {
    if (!equalSemantically(this.#left, object)) this.#askAllAgain();
  }

  #askAllAgain(): void {
    for (const callee of this.#asked) this.#again.add(callee);
    this.#asked.clear();
  }
}
