/**
 * What expressions know of the values of a schema: their types, how large they can be, and how small in JSON, by which
 * costs are estimated. Values of which no type is known (preserved without a schema) are not seen by expressions.
 * Upstream: apiserver/pkg/cel/common/schemas.go, apiserver/pkg/cel/limits.go.
 */
import * as t from '../../../cel/types.ts';
import { own } from '../../../meta/words.ts';
import { Structural } from '../structural.ts';
import { fieldNamed } from './names.ts';

export const requestBytesMax = 3 * 1024 * 1024;

export interface Declared {
  readonly type: t.Type;
  /** items, entries or characters */
  readonly elementsMax: number;
  /** bytes of JSON */
  readonly sizeMin: number;
  readonly items?: Declared;
  /** by the name that expressions write */
  field?(name: string): Declared | undefined;
}

/** Undefined where expressions see nothing. `name`: of the type, if it is an object. */
export function declare(node: Structural, name: string, isRoot: boolean): Declared | undefined {
  const { said } = node;
  if (said['x-kubernetes-int-or-string']) return { type: t.DYN, elementsMax: textMax(said), sizeMin: 1 };
  switch (said.type) {
    case 'array':
      return declareList(node, name);
    case 'object':
      return node.additional
        ? declareMap(node.additional, said.maxProperties, name)
        : new DeclaredObject(isRoot ? withMeta(node) : node, name);
    case 'string':
      return declareText(said);
    case 'boolean':
      return { type: t.BOOL, elementsMax: 0, sizeMin: 4 };
    case 'number':
      return { type: t.DOUBLE, elementsMax: 0, sizeMin: 1 };
    case 'integer':
      return { type: t.INT, elementsMax: 0, sizeMin: 1 };
    default:
      return undefined;
  }
}

function declareList({ items: node, said }: Structural, name: string): Declared | undefined {
  const items = node && declare(node, `${name}.@idx`, node.isEmbedded);
  if (!items) return undefined;
  const elementsMax = said.maxItems === undefined ? Math.floor((requestBytesMax - 2) / (items.sizeMin + 1)) : Math.max(said.maxItems, 0);
  return { type: t.listOf(items.type), elementsMax, sizeMin: 2, items };
}

function declareMap(node: Structural, maxProperties: number | undefined, name: string): Declared | undefined {
  const items = declare(node, `${name}.@elem`, node.isEmbedded);
  if (!items) return undefined;
  const elementsMax = maxProperties === undefined ? Math.floor((requestBytesMax - 2) / (items.sizeMin + 6)) : Math.max(maxProperties, 0);
  return { type: t.mapOf(t.STRING, items.type), elementsMax, sizeMin: 2, items };
}

const times: Readonly<Record<string, Declared>> = {
  duration: { type: t.DURATION, elementsMax: 32, sizeMin: 3 },
  date: { type: t.TIMESTAMP, elementsMax: 12, sizeMin: 12 },
  'date-time': { type: t.TIMESTAMP, elementsMax: 32, sizeMin: 21 },
};

function declareText(said: Structural['said']): Declared {
  const { format = '', maxLength } = said;
  const time = own(times, format);
  if (time) return time;
  if (format === 'byte') {
    return { type: t.BYTES, elementsMax: maxLength === undefined ? requestBytesMax - 2 : Math.max(maxLength, 0), sizeMin: 2 };
  }
  return { type: t.STRING, elementsMax: textMax(said), sizeMin: 2 };
}

/** In bytes: a character has four at most. */
function textMax({ maxLength, enum: values, 'x-kubernetes-int-or-string': isEither }: Structural['said']): number {
  if (maxLength !== undefined) return Math.max(maxLength, 0) * 4;
  if (!values?.length || isEither) return requestBytesMax - 2;
  return Math.max(0, ...values.map((value) => (typeof value === 'string' ? Buffer.byteLength(value) : 0)));
}

class DeclaredObject implements Declared {
  readonly type: t.Type;
  readonly elementsMax = 0;
  readonly #node: Structural;
  readonly #name: string;
  readonly #fields = new Map<string, Declared | undefined>();
  #sizeMin: number | undefined;
  constructor(node: Structural, name: string) {
    this.#node = node;
    this.#name = name;
    this.type = t.struct(name, (field) => this.field(field)?.type);
  }
  field(name: string): Declared | undefined {
    if (!this.#fields.has(name)) this.#fields.set(name, this.#declare(name));
    return this.#fields.get(name);
  }
  #declare(escaped: string): Declared | undefined {
    const name = fieldNamed(escaped);
    if (name === undefined) return undefined;
    const property = this.#node.property(name);
    return property && declare(property, `${this.#name}.${escaped}`, property.isEmbedded);
  }
  get sizeMin(): number {
    this.#sizeMin ??= this.#sum();
    return this.#sizeMin;
  }
  /** Of the fields that have to be given. */
  #sum(): number {
    let size = 2;
    for (const name of new Set(this.#node.said.required)) {
      const property = this.#node.property(name);
      if (!property || property.said.default !== undefined) continue;
      const declared = declare(property, '', property.isEmbedded);
      if (declared) size += Buffer.byteLength(name) + declared.sizeMin + 4;
    }
    return size;
  }
}

const text = { type: 'string' } as const;
const ofResource = { kind: text, apiVersion: text, metadata: { type: 'object', properties: { name: text, generateName: text } } } as const;
const withMetaOf = new WeakMap<Structural, Structural>();

/** A resource's schema, with what expressions see of every resource. */
export function withMeta(node: Structural): Structural {
  const known = withMetaOf.get(node);
  if (known) return known;
  const { kind, apiVersion, metadata } = node.said.properties ?? {};
  const { name, generateName } = metadata?.properties ?? {};
  const isWhole = metadata?.type === 'object' && [kind, apiVersion, name, generateName].every((each) => each?.type === 'string');
  const made = isWhole ? node : new Structural({ ...node.said, properties: { ...node.said.properties, ...ofResource } });
  withMetaOf.set(node, made);
  return made;
}

/** What a schema has at a path as estimates ask for it, below `self`. */
export function declaredAt(root: Declared, path: readonly string[]): Declared | undefined {
  let at: Declared | undefined = root;
  for (const step of path) {
    if (step === '@items' || step === '@values') at = at?.items;
    else if (step === '@keys') at = at?.items && keys;
    else at = at?.field?.(step);
  }
  return at;
}
const keys: Declared = { type: t.STRING, elementsMax: 0, sizeMin: 2 };
