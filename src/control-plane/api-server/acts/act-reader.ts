/** One reader of acts: those that its filter lets through wait here until they are taken; what does not fit is counted. */
import { type Act, type ActFilter, type ActStart, idOf, type LostActs } from '../../../client/events/acts.ts';

const waitingMax = 2000;

export class ActReader implements AsyncIterableIterator<Act | LostActs | ActStart>, Disposable {
  readonly #filter: ActFilter;
  readonly #onEnd: () => void;
  #waiting: (Act | LostActs | ActStart)[] = [];
  #lost = 0;
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(filter: ActFilter, onEnd: () => void) {
    this.#filter = filter;
    this.#onEnd = onEnd;
  }

  take(act: Act): void {
    if (this.#ended || !isWanted(act, this.#filter)) return;
    if (this.#waiting.length >= waitingMax) {
      this.#lost++;
      return;
    }
    if (this.#lost > 0) this.#waiting.push({ lost: this.#lost });
    this.#lost = 0;
    this.#waiting.push(act);
    this.#wake?.();
  }

  /** Before all acts. */
  begin(start: ActStart): void {
    this.#waiting.push(start);
  }

  async next(): Promise<IteratorResult<Act | LostActs | ActStart>> {
    for (;;) {
      const value = this.#waiting.shift() ?? this.#takeLost();
      if (value) return { value, done: false };
      if (this.#ended) return { value: undefined, done: true };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  /** The loop over it was left. */
  async return(): Promise<IteratorResult<Act | LostActs | ActStart>> {
    this[Symbol.dispose]();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** It ends after what waits has been taken. */
  [Symbol.dispose](): void {
    this.#ended = true;
    this.#onEnd();
    this.#wake?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
  }

  #takeLost(): LostActs | undefined {
    const lost = this.#lost;
    this.#lost = 0;
    return lost > 0 ? { lost } : undefined;
  }
}

/** Pure. */
export function isWanted(act: Act, { namespace, objects = [], components = [], users = [], all = false }: ActFilter): boolean {
  if (act.isRoutine && !all) return false;
  if (namespace !== undefined && (act.object.kind === 'namespace' ? act.object.name : act.object.namespace) !== namespace) return false;
  if (objects.length > 0 && ![idOf(act.object), ...(act.owners ?? [])].some((id) => objects.includes(id))) return false;
  if (components.length === 0 && users.length === 0) return true;
  return act.component === undefined ? users.includes(act.user) : components.includes(act.component);
}
