/**
 * Bodies made to cost as much as their size allows: for every list, map and text that the type table has, an object in
 * which that one place is filled to the limit of a request, in each of a few styles. What has no place in a kind's type
 * costs no more than its parsing, so a search over these finds the loops that the server runs over what clients send.
 */
import type { Kind } from '../src/api/meta/kind.ts';
import { apiVersionOf } from '../src/api/meta/object.ts';
import { bodyValuesMax } from '../src/api/schema/body.ts';
import type { FieldSchema, ObjectSchema, Schema } from '../src/api/schema/types.ts';

/** `empty`: items without fields; `same`: all alike; `distinct`: all different and mostly right; `wrong`: all different and refused */
export const styles = ['empty', 'same', 'distinct', 'wrong'] as const;
export type Style = (typeof styles)[number];

/** A place in a kind that can be filled: the fields that lead to it. */
export interface Place {
  readonly kind: Kind;
  readonly path: readonly FieldSchema[];
}

export interface AmplifiedBody {
  /** `Pod spec.containers[].env, distinct` */
  readonly name: string;
  readonly body: string;
}

/** Around the place that is filled. */
const otherValuesMax = 1000;

/** Types within types; deeper there is nothing that is not found higher up in another kind. */
const pathLengthMax = 6;

export function placesOf(kind: Kind): Place[] {
  const found: Place[] = [];
  const visit = (schema: Schema, path: readonly FieldSchema[], seen: readonly ObjectSchema[]): void => {
    if (path.length > 0 && (schema.type === 'list' || schema.type === 'map' || schema.type === 'string')) found.push({ kind, path });
    const inner = schema.type === 'list' ? schema.items : schema.type === 'map' ? schema.values : schema;
    if (inner.type !== 'object' || seen.includes(inner) || path.length >= pathLengthMax) return;
    for (const field of inner.fields.values()) visit(field.schema, [...path, field], [...seen, inner]);
  };
  visit(kind.schema, [], []);
  return found;
}

export function amplify({ kind, path }: Place, style: Style, bytes: number): AmplifiedBody {
  const names = path.map(({ name, schema }) => `${name}${schema.type === 'list' ? '[]' : schema.type === 'map' ? '{}' : ''}`);
  const name = `${kind.kind} ${names.join('.')}, ${style}`;
  const last = path.at(-1);
  if (!last) throw new Error('a place has a path');
  const head = {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { name: 'x', ...(kind.namespaced && { namespace: 'default' }) },
  };
  const text = enclose(path, fillTo(last, style, bytes));
  const front = JSON.stringify(head).slice(0, -1);
  const within =
    path[0]?.name === 'metadata'
      ? `"metadata":{"name":"x",${text.slice('"metadata":{'.length)}`
      : `${front.slice(front.indexOf('"metadata"'))},${text}`;
  return { name, body: `{"apiVersion":"${head.apiVersion}","kind":"${head.kind}",${within}}` };
}

/** `"spec":{"containers":[{"env":VALUE}]}` */
function enclose(path: readonly FieldSchema[], value: string): string {
  return path.toReversed().reduce((inner, { name, schema }, i) => {
    if (i === 0) return `${JSON.stringify(name)}:${inner}`;
    const object = `{${inner}}`;
    const whole = schema.type === 'list' ? `[${object}]` : schema.type === 'map' ? `{"k":${object}}` : object;
    return `${JSON.stringify(name)}:${whole}`;
  }, value);
}

function fillTo({ schema, ...field }: FieldSchema, style: Style, bytes: number): string {
  if (schema.type === 'string') return JSON.stringify(longText(style, bytes));
  const item = (i: number): string => {
    if (schema.type === 'list') return JSON.stringify(fill(schema.items, style, i, field.enum)) ?? 'null';
    const value = schema.type === 'map' ? fill(schema.values, style, i) : undefined;
    return `${JSON.stringify(style === 'wrong' ? `! ${i}` : `k${i}`)}:${JSON.stringify(value) ?? 'null'}`;
  };
  const one = item(9_999_999);
  const values = 2 + (one.match(/[,:[{]/g)?.length ?? 0);
  const count = Math.floor(Math.min(bytes / (one.length + 1), (bodyValuesMax - otherValuesMax) / values));
  const items = Array.from({ length: count }, (_, i) => item(i)).join(',');
  return schema.type === 'list' ? `[${items}]` : `{${items}}`;
}

/** What expressions that backtrack dislike. */
function longText(style: Style, bytes: number): string {
  const units = { empty: ' ', same: 'a', distinct: 'a.', wrong: 'a-' } as const;
  const unit = units[style];
  return `${unit.repeat(Math.floor(bytes / unit.length) - 1)}${style === 'wrong' ? '!' : unit}`;
}

function fill(schema: Schema, style: Style, i: number, words?: readonly string[], depth = 0): unknown {
  const number = style === 'distinct' ? i : style === 'wrong' ? -i : 1;
  const text = style === 'empty' ? '' : style === 'same' ? 'a' : style === 'distinct' ? `n${i}` : `! ${i}`;
  switch (schema.type) {
    case 'string':
      return style !== 'wrong' && words?.length ? words[i % words.length] : text;
    case 'boolean':
      return true;
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return number % 2 ** 31;
    case 'bytes':
      return '';
    case 'time':
    case 'microTime':
      return undefined;
    case 'quantity':
      return `${number}m`;
    case 'duration':
      return `${number}s`;
    case 'any':
      return schema.only === 'object' ? {} : i;
    case 'list':
      return style === 'empty' || depth > 2 ? [] : [fill(schema.items, style, i, undefined, depth + 1)];
    case 'map':
      return style === 'empty' || depth > 2 ? {} : { [text || 'k']: fill(schema.values, style, i, undefined, depth + 1) };
    case 'object': {
      if (style === 'empty' || depth > 2) return {};
      const entries = [...schema.fields.values()].map((field) => [field.name, fill(field.schema, style, i, field.enum, depth + 1)]);
      return Object.fromEntries(entries);
    }
    default:
      return schema satisfies never;
  }
}
