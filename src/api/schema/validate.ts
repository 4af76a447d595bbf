/**
 * The rules that the tables say, in one walk: required fields, enumerations, bounds of the type table and our own beside
 * it, and upstream's tags (tags.ts). Metadata is left out, which is metadata.ts's; of status, which is written by
 * controllers, only the tags are asked.
 *
 * They are the floor under every kind. A kind's own rules know upstream's better: where they find something wrong with
 * the same field, their word counts (`mergeFieldErrors`).
 */

import { equalSemantically } from '../meta/deep-equal.ts';
import type { FieldError } from '../meta/status-error.ts';
import { own } from '../meta/words.ts';
import { all, each, eachBy, eachValue, filled, isMissing, oneOf } from './rules/rules.ts';
import { judgeAtOnce, type Rule } from './rules/walk.ts';
import { keyOf, rulesOfTags, type Stop, stopsOf, unionRule } from './tag-rules.ts';
import { isDeclared, type Tag, tagsOf } from './tags.ts';
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

type CompiledRule = Rule<object> | undefined;
/** `tags`: what the tags say, without the type table's own rules. */
type Part = 'all' | 'tags';
const known: Readonly<Record<Part, WeakMap<ObjectSchema, { readonly rule: CompiledRule }>>> = { all: new WeakMap(), tags: new WeakMap() };
const anything: Rule<object> = () => undefined;

/** Of objects of that type, metadata and status aside. */
export const tableRule = (schema: ObjectSchema): Rule<object> => ruleOf(schema, 'all') ?? anything;

/** Of the status of objects of that kind: what the tags say of it. */
export function statusRule(schema: ObjectSchema): Rule<object> {
  const field = schema.fields.get('status');
  return (field && compileField(schema, field, 'tags', own(tagsOf(schema.name), 'status'))) ?? anything;
}

/** What is wrong with the object, its metadata and status aside. */
export const validateByTable = (schema: ObjectSchema, object: object, old?: object): readonly FieldError[] =>
  judgeAtOnce(tableRule(schema), object, old);

function ruleOf(schema: ObjectSchema, part: Part): CompiledRule {
  const made = known[part].get(schema);
  if (made) return made.rule;
  known[part].set(schema, { rule: (value, walk, old) => known[part].get(schema)?.rule?.(value, walk, old) });
  const rule = compileObject(schema, part);
  known[part].set(schema, { rule });
  return rule;
}

function compileObject(schema: ObjectSchema, part: Part): CompiledRule {
  if (!isCheckedByTable(schema.name)) return undefined;
  const tags = tagsOf(schema.name);
  const isKind = schema.gvks.length > 0;
  const fields = [...schema.fields.values()].filter(
    ({ name }) => name !== 'metadata' && !(isKind && (name === 'status' || name === 'apiVersion' || name === 'kind')),
  );
  if (isDeclared(schema.name)) fields.sort((a, b) => (a.proto ?? 0) - (b.proto ?? 0));
  const rules = [unionRule(fields, tags), ...fields.map((field) => compileField(schema, field, part, own(tags, field.name)))].filter(
    (rule) => rule !== undefined,
  );
  if (!rules.length) return undefined;
  return (value, walk, old) => {
    if (typeof value !== 'object') return;
    for (const rule of rules) rule(value, walk, old);
  };
}

/** What is asked of a field, by a rule of the object that it is in. What has tags is not asked again while it stays as it is. */
function compileField(owner: ObjectSchema, field: FieldSchema, part: Part, tags: readonly Tag[] = []): CompiledRule {
  const { name } = field;
  const stops = [...stopsOf(field, tags)];
  if (part === 'all' && tags.length === 0 && field.required && canBeMissing(field) && isEnforced(owner.name, name)) stops.push(isThere);
  const rule = compileContent(owner, field, part, tags);
  if (!rule && stops.length === 0) return undefined;
  return (value, walk, old) => {
    const given = own(value as Json, name) ?? undefined;
    if (stops.length === 0 && isMissing(given)) return;
    const before = old && (own(old as Json, name) ?? undefined);
    if (old && tags.length > 0 && equalSemantically(given, before)) return;
    walk.enter(name);
    let goesOn = given !== undefined;
    for (const stop of stops) if (stop(given, walk, before)) goesOn = false;
    if (goesOn) rule?.(given as never, walk, before as never);
    walk.leave();
  };
}

const isThere: Stop = (value, walk) => {
  if (isMissing(value)) walk.required('');
  return isMissing(value);
};

/** Numbers and booleans are never missing (zero is a value), structs neither (what they lack is reported inside). */
function canBeMissing(field: FieldSchema): boolean {
  const { type } = field.schema;
  if (type === 'object' || type === 'int32' || type === 'int64' || type === 'double' || type === 'boolean')
    return field.presence === 'kept';
  return type === 'string' || type === 'bytes' || type === 'list' || type === 'map';
}

function compileContent(owner: ObjectSchema, field: FieldSchema, part: Part, tags: readonly Tag[]): Rule<never> | undefined {
  const own = part === 'all' ? compileOwn(owner, field, tags) : undefined;
  const rules = [rulesOfTags(tags), own, compileValue(field.schema, part, tags)].filter((rule) => rule !== undefined);
  return rules.length > 1 ? all(...rules) : rules[0];
}

/** What both tables say of the value. */
function compileOwn(
  { name: typeName }: ObjectSchema,
  { name, schema, enum: words }: FieldSchema,
  tags: readonly Tag[],
): Rule<never> | undefined {
  const { min, max } = own(rulesOf(typeName), name) ?? {};
  const isBound = tags.some((tag) => tag.name === 'minimum' || tag.name === 'maximum');
  if (!isBound && (min !== undefined || max !== undefined)) return bounds(min, max);
  return words && (schema.type === 'list' ? each(oneOf(...words)) : filled(oneOf(...words)));
}

function bounds(min: number | undefined, max: number | undefined): Rule<number> {
  const detail = max === undefined ? `must be greater than or equal to ${min ?? 0}` : `must be between ${min ?? 0} and ${max}, inclusive`;
  return (value, walk) => {
    if (value < (min ?? value) || value > (max ?? value)) walk.invalid('', value, detail);
  };
}

function compileValue(schema: Schema, part: Part, tags: readonly Tag[] = []): Rule<never> | undefined {
  if (schema.type === 'object') return ruleOf(schema, part);
  const inner =
    schema.type === 'list' ? compileValue(schema.items, part) : schema.type === 'map' ? compileValue(schema.values, part) : undefined;
  if (!inner) return undefined;
  return schema.type === 'list' ? eachOnceMore(inner, keyOf(tags)) : eachValue(inner);
}

/** Of each item, with what it was, if there is a key to find it by. */
function eachOnceMore(rule: Rule<never>, key: ((item: unknown) => string) | undefined): Rule<never> {
  if (!key) return each(rule) as Rule<never>;
  return eachBy<unknown>((_, _walk, old) => {
    const before = new Map(old?.map((item) => [key(item), item]));
    return (item, walk) => {
      const was = before.get(key(item));
      if (was === undefined || !equalSemantically(item, was)) rule(item as never, walk, was as never);
    };
  }) as Rule<never>;
}
