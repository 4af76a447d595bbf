/**
 * Paths to fields that a schema knows, as rules and selectable fields have them: `.spec.list['a.b']`.
 * Upstream: ValidFieldPath in apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go.
 */
import { Path } from './places.ts';
import type { Structural } from './structural.ts';

export interface FieldPath {
  /** why it is none */
  readonly problem?: string;
  readonly path: Path;
  /** the first name */
  readonly root: string;
  readonly node?: Structural | undefined;
}

/** Delimiters, quoted names, and what is in between. */
const token = /[.[\]]|'(?:[^']|(?<=\\)')*(?<!\\)'|'.*|[^.[\]]+/sy;

export function readFieldPath(text: string, root: Structural, { brackets }: { brackets: boolean } = { brackets: true }): FieldPath {
  const tokens = new Tokens(text);
  let path = new Path();
  let node: Structural | null | undefined = root;
  let first = '';
  const fail = (problem: string): FieldPath => ({ problem, path, root: first });
  for (let next = tokens.take(); next !== undefined; next = tokens.take()) {
    const isQuoted = next === '[';
    if (next !== '.' && next !== '[') return fail(`expected [ or . but got: ${next}`);
    if (isQuoted && !brackets) return fail('array notation is not allowed');
    const name = tokens.take();
    if (name === undefined) return fail('unexpected end of JSON path');
    if (isQuoted && !/^'.*'$/s.test(name)) return fail(`expected single quoted string but got ${name}`);
    const key: string = isQuoted ? name.slice(1, -1).replaceAll(/\\(['\\])/g, '$1') : name;
    first ||= key;
    if (node?.said.properties) {
      path = path.field(key);
      node = node.property(key);
      if (!node) return fail('does not refer to a valid field');
    } else if (node?.additional !== undefined) {
      path = path.key(key);
      node = node.additional;
    } else return fail('does not refer to a valid field');
    if (!isQuoted) continue;
    const end = tokens.take();
    if (end === undefined) return fail('unexpected end of JSON path');
    if (end !== ']') return fail(`expected ] but got ${end}`);
  }
  return { path, root: first, node: node ?? undefined };
}

class Tokens {
  readonly #text: string;
  #at = 0;
  constructor(text: string) {
    this.#text = text;
  }
  take(): string | undefined {
    token.lastIndex = this.#at;
    const found = token.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }
}
