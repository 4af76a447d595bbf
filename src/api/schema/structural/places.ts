/** Where in an object something is; its text is made when an error needs it. */
import { own } from '../../meta/words.ts';
import type { Structural } from './structural.ts';

export class Path {
  readonly #above: Path | undefined;
  readonly #step: string;
  constructor(step = '', above?: Path) {
    this.#step = step;
    this.#above = above;
  }
  field(name: string): Path {
    return new Path(this.#above || this.#step ? `.${name}` : name, this);
  }
  key(name: string): Path {
    return new Path(`[${name}]`, this);
  }
  item(index: number): Path {
    return new Path(`[${index}]`, this);
  }
  get text(): string {
    return (this.#above?.text ?? '') + this.#step;
  }
}

export interface Place {
  readonly node: Structural;
  readonly value: unknown;
  readonly path: Path;
}

/** Values looked at in one step. */
export const placesAtOnce = 2000;

/** The value and all in it of which the schema says something, from the outside in. */
export function* walkSaid(node: Structural, value: unknown, path: Path): Generator<Place> {
  yield { node, value, path };
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (let i = 0; node.items && i < value.length; i++) yield* walkSaid(node.items, value[i], path.item(i));
    return;
  }
  for (const name in value) {
    const given = own(value as Readonly<Record<string, unknown>>, name);
    const property = node.property(name);
    if (property) yield* walkSaid(property, given, path.field(name));
    else if (node.additional) yield* walkSaid(node.additional, given, path.key(name));
  }
}
