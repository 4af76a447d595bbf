/**
 * The rules that both tables say: required fields, enumerations, bounds. Metadata and status are left out: the
 * former is metadata.ts's, the latter is written by controllers and checked by the kinds' rules.
 *
 * They are the floor under every kind. A kind's own rules know upstream's better: where they find something wrong with
 * the same field, their word counts (`mergeFieldErrors`).
 */

import type { FieldError } from '../meta/status-error.ts';
import { own } from '../meta/words.ts';
import { each, eachValue, isMissing, oneOf } from './rules/rules.ts';
import { judgeAtOnce, type Rule } from './rules/walk.ts';
import { isCheckedByTable, isEnforced, rulesOf } from './type-rules.ts';
import type { FieldSchema, ObjectSchema, Schema } from './types.ts';

type Json = Readonly<Record<string, unknown>>;

/** Both lists, the kind's findings instead of the table's where they are about the same field or one above it. */
export function mergeFieldErrors(table: readonly FieldError[], kind: readonly FieldError[]): readonly FieldError[] {
  if (!table.length || !kind.length) return table.length ? table : kind;
  const said = new Set(kind.map((e) => e.field));
  return [...table.filter(({ field }) => !isSaid(field, said)), ...kind];
}

/** Whether the field, or one above it, is among those of which something was said. */
function isSaid(field: string, said: ReadonlySet<string>): boolean {
  if (said.has(field)) return true;
  const steps = field.length > pathCharactersMax ? [] : field.matchAll(/[.[]/g);
  for (const { index } of steps) if (said.has(field.slice(0, index))) return true;
  return false;
}

/** The path of a field that is longer has a key of a map in it that is itself refused. */
const pathCharactersMax = 4096;

const known = new WeakMap<ObjectSchema, { readonly rule: Rule<object> | undefined }>();
const anything: Rule<object> = () => undefined;

/** Of objects of that type. */
export const tableRule = (schema: ObjectSchema): Rule<object> => ruleOf(schema) ?? anything;

/** What is wrong with the object, its metadata and status aside. */
export const validateByTable = (schema: ObjectSchema, object: object): readonly FieldError[] => judgeAtOnce(tableRule(schema), object);

function ruleOf(schema: ObjectSchema): Rule<object> | undefined {
  const made = known.get(schema);
  if (made) return made.rule;
  known.set(schema, { rule: (value, walk, old) => known.get(schema)?.rule?.(value, walk, old) });
  const rule = compileObject(schema);
  known.set(schema, { rule });
  return rule;
}

interface FieldRule {
  readonly name: string;
  readonly required: boolean;
  readonly rule: Rule<never> | undefined;
}

function compileObject(schema: ObjectSchema): Rule<object> | undefined {
  if (!isCheckedByTable(schema.name)) return undefined;
  const isKind = schema.gvks.length > 0;
  const rules: FieldRule[] = [];
  for (const field of schema.fields.values()) {
    if (field.name === 'metadata' || (isKind && (field.name === 'status' || field.name === 'apiVersion' || field.name === 'kind')))
      continue;
    const required = field.required && canBeMissing(field) && isEnforced(schema.name, field.name);
    const rule = compileField(schema, field);
    if (required || rule) rules.push({ name: field.name, required, rule });
  }
  if (!rules.length) return undefined;
  return (value, walk) => {
    if (typeof value !== 'object') return;
    for (const { name, required, rule } of rules) {
      const given = own(value as Json, name);
      if (isMissing(given)) {
        if (required) walk.required(name);
      } else if (rule) {
        walk.enter(name);
        rule(given as never, walk, undefined);
        walk.leave();
      }
    }
  };
}

/** Numbers and booleans are never missing (zero is a value), structs neither (what they lack is reported inside). */
function canBeMissing(field: FieldSchema): boolean {
  const { type } = field.schema;
  if (type === 'object' || type === 'int32' || type === 'int64' || type === 'double' || type === 'boolean')
    return field.presence === 'kept';
  return type === 'string' || type === 'bytes' || type === 'list' || type === 'map';
}

function compileField(owner: ObjectSchema, field: FieldSchema): Rule<never> | undefined {
  const { min, max } = own(rulesOf(owner.name), field.name) ?? {};
  if (min !== undefined || max !== undefined) return bounds(min, max);
  if (field.enum) return field.schema.type === 'list' ? each(oneOf(...field.enum)) : oneOf(...field.enum);
  return compileValue(field.schema);
}

function bounds(min: number | undefined, max: number | undefined): Rule<number> {
  const detail = max === undefined ? `must be greater than or equal to ${min ?? 0}` : `must be between ${min ?? 0} and ${max}, inclusive`;
  return (value, walk) => {
    if (value < (min ?? value) || value > (max ?? value)) walk.invalid('', value, detail);
  };
}

function compileValue(schema: Schema): Rule<never> | undefined {
  if (schema.type === 'object') return ruleOf(schema);
  const inner = schema.type === 'list' ? compileValue(schema.items) : schema.type === 'map' ? compileValue(schema.values) : undefined;
  return inner && (schema.type === 'list' ? each(inner) : eachValue(inner));
}
