/**
 * Bodies that nobody who means well would send, made from the schema of a kind: at every field there is, however deep,
 * one value that is missing, empty, null or of the wrong type, once alone and once in an otherwise valid object.
 */
import type { ObjectSchema, Schema } from '../../src/api/schema/types.ts';
import type { Json } from './minimal-objects.ts';

export interface OddBody {
  /** `spec.containers[0].name: null` */
  readonly name: string;
  /** otherwise valid */
  readonly whole: Json;
  /** nothing else in it */
  readonly alone: Json;
}

type Step = string | 0;
interface Place {
  readonly steps: readonly Step[];
  readonly schema: Schema;
}

/** Gone through once, with the kind that is named here, and not in every object and template. */
const onlyOf: ReadonlyMap<string, string> = new Map([
  ['io.k8s.api.core.v1.PodSpec', 'Pod'],
  ['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta', 'ConfigMap'],
]);

/** `base` is a valid object of the schema; `valuesOf` says what is put where that schema stands. */
export function* oddBodies(
  schema: ObjectSchema,
  base: Json,
  valuesOf: (schema: Schema) => readonly unknown[] = oddValues,
): Iterable<OddBody> {
  if (valuesOf === oddValues) yield { name: 'nothing at all', whole: {}, alone: {} };
  const { apiVersion, kind } = base;
  const head = { ...(apiVersion !== undefined && { apiVersion }), ...(kind !== undefined && { kind }) };
  for (const place of places(schema, String(kind))) {
    const path = place.steps.map((step) => (step === 0 ? '[0]' : `.${step}`)).join('');
    for (const value of valuesOf(place.schema)) {
      const name = `${path.slice(1)}: ${JSON.stringify(value)}`;
      yield { name, whole: put(base, place.steps, value) as Json, alone: put(head, place.steps, value) as Json };
    }
  }
}

function* places(root: ObjectSchema, kind: string): Iterable<Place> {
  const walk = function* (schema: Schema, steps: readonly Step[], inside: readonly string[]): Iterable<Place> {
    if (steps.length) yield { steps, schema };
    if (schema.type === 'list') yield* walk(schema.items, [...steps, 0], inside);
    else if (schema.type === 'map') yield* walk(schema.values, [...steps, 'k'], inside);
    else if (schema.type === 'object' && !inside.includes(schema.name) && (onlyOf.get(schema.name) ?? kind) === kind) {
      for (const field of schema.fields.values()) {
        const isHead = steps.length === 0 && (field.name === 'apiVersion' || field.name === 'kind');
        if (!isHead) yield* walk(field.schema, [...steps, field.name], [...inside, schema.name]);
      }
    }
  };
  yield* walk(root, [], []);
}

function oddValues(schema: Schema): readonly unknown[] {
  switch (schema.type) {
    case 'object':
      return [null, {}, []];
    case 'list':
      return [null, [], [null], {}];
    case 'map':
      return [null, {}, { k: null }, []];
    case 'any':
      return [null, {}, [], 'x', 0];
    case 'boolean':
      return [null, true, 0];
    case 'int32':
    case 'int64':
    case 'double':
      return [null, 0, -1, 2 ** 31 - 1, ''];
    default:
      return [null, '', 'x', '-', 0, {}];
  }
}

/** A copy with the value at that place, and whatever has to be around it. */
function put(target: unknown, steps: readonly Step[], value: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  if (step === 0) {
    const list = Array.isArray(target) ? (target as unknown[]) : [];
    return [put(list[0], rest, value), ...list.slice(1)];
  }
  const object = typeof target === 'object' && target !== null && !Array.isArray(target) ? (target as Json) : {};
  return { ...object, [step]: put(object[step], rest, value) };
}

/** Words that every object of JavaScript knows, whatever was put into it. */
export const knownWords = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'isPrototypeOf'] as const;

/** An object with this one field, whatever its name. */
export const fieldOf = (word: string, value: unknown): Json => Object.fromEntries([[word, value]]);

/** That word wherever a text may stand, and as the key of each map. */
export const wordValues =
  (word: string) =>
  (schema: Schema): readonly unknown[] => {
    if (schema.type === 'map') return [fieldOf(word, sampleOf(schema.values))];
    if (schema.type === 'any') return [fieldOf(word, fieldOf(word, word)), word];
    if (schema.type === 'object') return [fieldOf(word, {})];
    return schema.type === 'string' || schema.type === 'intOrString' || schema.type === 'quantity' ? [word] : [];
  };

function sampleOf(schema: Schema): unknown {
  if (schema.type === 'quantity') return '1';
  if (schema.type === 'bytes') return 'eA==';
  if (schema.type === 'list') return [sampleOf(schema.items)];
  return schema.type === 'string' ? 'x' : {};
}
