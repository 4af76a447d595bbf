/**
 * The rules that upstream's tags (tags.ts) stand for. A field's are of two sorts: `stops`, of which all are asked, and
 * `rules`, which are asked if none of those has stopped. Wording is upstream's, which gives few reasons here.
 * Upstream: apimachinery/pkg/api/validate.
 */
import { own } from '../meta/words.ts';
import { all, eachEntry, itemsMax, max, min, uniqueBy } from './rules/rules.ts';
import type { Rule, Walk } from './rules/walk.ts';
import { tagFormats } from './tag-formats.ts';
import type { Tag, TypeTags } from './tags.ts';
import type { FieldSchema } from './types.ts';

type Json = Readonly<Record<string, unknown>>;
// biome-ignore lint/suspicious/noExplicitAny: rules of different values stand in one list
type AnyRule = Rule<any>;
/** True: nothing more is asked of the field. */
export type Stop = (value: unknown, walk: Walk, old: unknown) => boolean;

/** Whether upstream finds nothing there: no pointer, an empty list or map, or the zero of a value. */
function isUnset({ presence }: FieldSchema, value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return presence !== 'kept' && (value === '' || value === 0 || value === false);
}

const changes = {
  NoSet: { isRefused: (was: boolean, is: boolean) => !was && is, message: 'field cannot be set once created' },
  NoUnset: { isRefused: (was: boolean, is: boolean) => was && !is, message: 'field cannot be cleared once set' },
  NoModify: { isRefused: (was: boolean, is: boolean) => was && is, message: 'field cannot be modified once set' },
} as const;

const required = (field: FieldSchema): Stop => {
  return (value, walk) => {
    if (isUnset(field, value)) walk.required('');
    return isUnset(field, value);
  };
};

const stops: Readonly<Record<string, (field: FieldSchema, tag: Tag) => Stop>> = {
  required,
  optional: (field) => (field.default === undefined ? (value) => isUnset(field, value) : required(field)),
  forbidden: (field) => (value, walk) => {
    if (!isUnset(field, value)) walk.forbidden('', '');
    return true;
  },
  immutable: () => (_, walk) => {
    if (walk.isUpdate) walk.invalid('', null, 'field is immutable');
    return walk.isUpdate;
  },
  update: (field, { value: constraint }) => {
    const change = own(changes, constraint);
    return (value, walk, old) => {
      if (!walk.isUpdate || !change?.isRefused(!isUnset(field, old), !isUnset(field, value))) return false;
      walk.invalid('', null, change.message);
      return true;
    };
  },
  maxItems: (_, { value: most }) => {
    const rule = itemsMax(Number(most));
    return (value, walk) => {
      if (!Array.isArray(value)) return false;
      rule(value, walk, undefined);
      return value.length > Number(most);
    };
  },
};

const rules: Readonly<Record<string, (tag: Tag, among: readonly Tag[]) => AnyRule | undefined>> = {
  minimum: ({ value }) => min(Number(value)),
  maximum: ({ value }) => max(Number(value)),
  maxBytes:
    ({ value: most }) =>
    (value: string, walk: Walk) => {
      if (Buffer.byteLength(value) > Number(most)) walk.tooLong('', Number(most));
    },
  maxLength:
    ({ value: most }) =>
    (value: string, walk: Walk) => {
      if ([...value.slice(0, 2 * Number(most) + 1)].length > Number(most)) walk.tooLong('', Number(most), 'character');
    },
  format: ({ value }) => own(tagFormats, value),
  eachKey: ({ inner }) => {
    const rule = inner && own(rules, inner.name)?.(inner, [inner]);
    return rule && eachEntry((key, _, walk) => rule(key, walk, undefined));
  },
  unique,
  listType: unique,
};

/** `set`, or `map` by its keys; not where upstream has a way of its own. */
function unique({ value: kind }: Tag, among: readonly Tag[]): AnyRule | undefined {
  const identify = kind === 'set' ? (item: unknown) => item : keyOf(among);
  if (!identify || kind === 'atomic' || among.some(({ name }) => name === 'customUnique')) return undefined;
  return uniqueBy(identify, { told: (item) => item });
}

/** By what the items of a list are the same ones; undefined: each stands for itself. */
export function keyOf(tags: readonly Tag[]): ((item: unknown) => string) | undefined {
  const keys = tags.filter(({ name }) => name === 'listMapKey').map(({ value }) => value);
  return keys.length > 0 ? (item) => JSON.stringify(keys.map((key) => own(item as Json, key))) : undefined;
}

/** Whether something is made of it here. */
export const isRead = ({ name }: Tag): boolean => Object.hasOwn(stops, name) || Object.hasOwn(rules, name) || named.has(name);
const named: ReadonlySet<string> = new Set(['listMapKey', 'unionMember']);

export const stopsOf = (field: FieldSchema, tags: readonly Tag[]): readonly Stop[] =>
  tags.flatMap((tag) => own(stops, tag.name)?.(field, tag) ?? []);

export const rulesOfTags = (tags: readonly Tag[]): AnyRule | undefined => {
  const found = tags.flatMap((tag) => own(rules, tag.name)?.(tag, tags) ?? []);
  return found.length > 0 ? all(...found) : undefined;
};

/** Exactly one of the fields that are members. */
export function unionRule(fields: readonly FieldSchema[], tags: TypeTags): Rule<object> | undefined {
  const members = fields.filter(({ name }) => own(tags, name)?.some((tag) => tag.name === 'unionMember'));
  if (members.length === 0) return undefined;
  const names = members.map(({ name }) => `\`${name}\``).join(', ');
  const setIn = (object: object): readonly string[] =>
    members.filter(({ name }) => own(object as Json, name) !== undefined).map(({ name }) => name);
  return (value, walk, old) => {
    const set = setIn(value);
    if (old && `${setIn(old)}` === `${set}`) return;
    if (set.length === 0) walk.invalid('', '', `must specify one of: ${names}`);
    if (set.length > 1) walk.invalid('', `{${set.join(', ')}}`, `must specify exactly one of: ${names}`);
  };
}
