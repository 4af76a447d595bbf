/**
 * Rules for the fields of an object, put together from small ones. Each is a function (walk.ts), so what no rule here can
 * say is a function too, in its place among the others: a rule of an object as a whole stands beside those of its fields.
 * Compiled when the module is loaded; an object without faults costs no path and no list.
 *
 * What OpenAPI tells of a field (enumerations, defaults) stands in the type table, and the table's own rules
 * (../validate.ts) check it: it is not said here again.
 * Wording is upstream's: apimachinery/pkg/api/validate, apimachinery/pkg/util/validation/field/errors.go.
 */
import { equalSemantically } from '../../meta/deep-equal.ts';
import { rangeMessage } from '../../meta/names.ts';
import { compareQuantities } from '../../meta/quantity.ts';
import type { FieldError } from '../../meta/status-error.ts';
import { own } from '../../meta/words.ts';
import type { Rule, Walk } from './walk.ts';

// biome-ignore lint/suspicious/noExplicitAny: rules of different values stand in one list
type AnyRule = Rule<any>;

/** Rules that are asked of an absent value too. */
const ofAbsent = new WeakSet<AnyRule>();

/** A rule that an absent value can break. */
export function evenAbsent<T>(rule: Rule<T | undefined>): Rule<T> {
  ofAbsent.add(rule);
  return rule as Rule<T>;
}

const heeds = (rules: readonly AnyRule[]): boolean => rules.some((rule) => ofAbsent.has(rule));
const like = <T>(rules: readonly AnyRule[], rule: Rule<T>): Rule<T> => (heeds(rules) ? evenAbsent(rule as Rule<T | undefined>) : rule);

/** One after the other. */
export const all = <T>(...rules: readonly Rule<T>[]): Rule<T> =>
  like(rules, (value, walk, old) => {
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i] as Rule<T>;
      if (value !== undefined || ofAbsent.has(rule)) rule(value, walk, old);
    }
  });

/** The same, until one finds something. */
export const untilWrong =
  <T>(...rules: readonly Rule<T>[]): Rule<T> =>
  (value, walk, old) => {
    const before = walk.errors.length;
    for (const rule of rules) if (walk.errors.length === before) rule(value, walk, old);
  };

type FieldRules<T> = { readonly [K in keyof T]?: Rule<NonNullable<T[K]>> };

/** Of an object, field by field in the order of the rules. */
export function fields<T extends object>(rules: FieldRules<NoInfer<T>>): Rule<T> {
  // Names are ours and no word of a client's, so each is asked for as it is: this is where a validation spends its time.
  const names = Object.keys(rules) as (keyof T & string)[];
  const those = names.map((name) => rules[name] as AnyRule);
  const always = those.map((rule) => ofAbsent.has(rule));
  return (value, walk, old) => {
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as keyof T & string;
      const given = value[name] ?? undefined;
      if (given === undefined && !always[i]) continue;
      walk.enter(name);
      (those[i] as AnyRule)(given, walk, old === undefined ? undefined : (old[name] ?? undefined));
      walk.leave();
    }
  };
}

/** Of each item of a list. */
export const each = <T>(rule: Rule<T>): Rule<readonly T[]> => eachBy(() => rule);

/** The same by a rule that is made for the list: which keeps in mind what it has seen. */
export const eachBy =
  <T>(make: (list: readonly T[], walk: Walk, old: readonly T[] | undefined) => Rule<T>): Rule<readonly T[]> =>
  (list, walk, old) => {
    if (list.length > 0) walkItems(list, walk, make(list, walk, old), 0);
  };

function walkItems<T>(list: readonly T[], walk: Walk, rule: Rule<T>, start: number): void {
  for (let i = start; i < list.length; i++) {
    if (walk.isTired) {
      walk.putOff(() => walkItems(list, walk, rule, i));
      return;
    }
    walk.enter(i);
    rule(list[i] as T, walk, undefined);
    walk.leave();
  }
}

/** Of each entry of a map. `walk` stays at the map. */
export const eachEntry =
  <V>(check: (key: string, value: V, walk: Walk) => void): Rule<Readonly<Record<string, V>>> =>
  (map, walk) =>
    walkEntries(map, Object.keys(map), walk, check);

function walkEntries<V>(
  map: Readonly<Record<string, V>>,
  keys: readonly string[],
  walk: Walk,
  check: (key: string, value: V, walk: Walk) => void,
): void {
  for (const [i, key] of keys.entries()) {
    if (walk.isTired) {
      walk.putOff(() => walkEntries(map, keys.slice(i), walk, check));
      return;
    }
    walk.look();
    check(key, own(map, key) as V, walk);
  }
}

/** Of each value of a map, at its key. */
export const eachValue = <V>(rule: Rule<V>): Rule<Readonly<Record<string, V>>> =>
  eachEntry((key, value, walk) => walk.check(`[${key}]`, value, rule));

/** Items that name what another has named are duplicates; `keyOf`: undefined for what may be there more than once; `told`: in place of the name. `rule` is asked before that, `after` after it. */
export const uniqueBy = <T>(
  keyOf: (item: T) => unknown,
  {
    at = '',
    rule,
    after,
    told = keyOf,
  }: { readonly at?: string; readonly rule?: Rule<T>; readonly after?: Rule<T>; told?(item: T): unknown } = {},
): Rule<readonly T[]> =>
  eachBy(() => {
    const seen = new Set<unknown>();
    return (item, walk, old) => {
      rule?.(item, walk, old);
      const key = keyOf(item);
      if (key !== undefined && seen.size === seen.add(key).size) walk.duplicate(at, told(item));
      after?.(item, walk, old);
    };
  });

export const isMissing = (value: unknown): boolean =>
  value === undefined || value === '' || value === null || (Array.isArray(value) && value.length === 0);

/** Has to be there, not empty; and then obeys the other rule. */
export const required = <T>(rule?: Rule<T>, detail = ''): Rule<T> =>
  evenAbsent((value, walk, old) => {
    if (isMissing(value)) walk.required('', detail);
    else rule?.(value as T, walk, old);
  });

/** Has to be there; empty is a value, of which the rule says what it is worth. */
export const present = <T>(rule: Rule<T>): Rule<T> =>
  evenAbsent((value, walk, old) => {
    if (value === undefined) walk.required('');
    else rule(value, walk, old);
  });

/** Absent is fine, whatever the rule says of it. */
export const optional =
  <T>(rule: Rule<T>): Rule<T> =>
  (value, walk, old) =>
    rule(value, walk, old);

/** Only what is not empty is looked at. */
export const filled =
  <T>(rule: Rule<T>): Rule<T> =>
  (value, walk, old) => {
    if (!isMissing(value)) rule(value, walk, old);
  };

export const when =
  <T>(isMeant: (value: T, walk: Walk, old: T | undefined) => boolean, rule: Rule<T>): Rule<T> =>
  (value, walk, old) => {
    if (isMeant(value, walk, old)) rule(value, walk, old);
  };

export const oneOf = (...words: readonly string[]): Rule<string> => {
  const known: ReadonlySet<string> = new Set(words);
  return (value, walk) => {
    if (!known.has(value)) walk.notSupported('', value, words);
  };
};

/** The same, where an absent word counts as one that is not known. */
export const demanded = (...words: readonly string[]): Rule<string> => {
  const known = oneOf(...words);
  return evenAbsent((word = '', walk) => known(word, walk, undefined));
};

/** Told of the list that the item stands in, as upstream has it. */
export const outside =
  <T>(rule: Rule<T>): Rule<T> =>
  (value, walk, old) =>
    walk.outside(() => rule(value, walk, old));

/** What the checker says of it is wrong. */
export const format =
  <T>(check: (value: T) => readonly string[]): Rule<T> =>
  (value, walk) => {
    for (const message of check(value)) walk.invalid('', value, message);
  };

/** As checks say it that know no walks. They are given an empty path, since most find nothing; the rest of it is put before theirs. */
export const by =
  <T>(check: (errors: FieldError[], path: string, value: T) => unknown): Rule<T> =>
  (value, walk) => {
    const { errors } = walk;
    const before = errors.length;
    try {
      check(errors, '', value);
    } finally {
      for (let i = before; i < errors.length; i++) {
        const error = errors[i] as FieldError;
        errors[i] = { ...error, field: walk.at() + error.field };
      }
    }
  };

/** Values of which that is true are invalid. */
export const refuse =
  <T>(isWrong: (value: T) => boolean, message: string): Rule<T> =>
  (value, walk) => {
    if (isWrong(value)) walk.invalid('', value, message);
  };

/** `message`: in place of upstream's usual one */
export const min = (least: number, message = `must be greater than or equal to ${least}`): Rule<number> =>
  refuse((value) => value < least, message);
export const max = (most: number, message = `must be less than or equal to ${most}`): Rule<number> =>
  refuse((value) => value > most, message);
export const range = (least: number, most: number, message = rangeMessage(least, most)): Rule<number> =>
  refuse((value) => value < least || value > most, message);
export const nonNegative: Rule<number> = min(0);
/** Absent counts as that value. */
export const countedAs = <T>(value: NoInfer<T>, rule: Rule<T>): Rule<T> => evenAbsent((given = value, walk, old) => rule(given, walk, old));

/** Absent counts as zero. */
export const positive = (message = 'must be greater than zero'): Rule<number> =>
  evenAbsent((value = 0, walk) => {
    if (value <= 0) walk.invalid('', value, message);
  });
export const nonNegativeQuantity: Rule<string> = refuse((value) => compareQuantities(value, '0') < 0, 'must be greater than or equal to 0');

export const positiveQuantity = (message: string): Rule<string> => refuse((value) => compareQuantities(value, '0') <= 0, message);

/** A list that has more is not looked at. */
export const itemsMax =
  <T>(most: number, rule?: Rule<readonly T[]>): Rule<readonly T[]> =>
  (list, walk, old) => {
    if (list.length > most) walk.tooMany('', list.length, most);
    else rule?.(list, walk, old);
  };

export const lengthMax =
  (most: number): Rule<string> =>
  (text, walk) => {
    if (text.length > most) walk.tooLong('', most);
  };

/** Asked of new objects only. */
export const onCreate = <T>(rule: Rule<T>): Rule<T> =>
  like([rule], (value, walk, old) => {
    if (!walk.isUpdate) rule(value, walk, old);
  });

/** Stays as it was at the creation, presence included. */
export const immutable = <T>(message = 'field is immutable'): Rule<T> =>
  evenAbsent((value, walk, old) => {
    if (walk.isUpdate && !equalSemantically(value, old)) walk.invalid('', value, message);
  });

/** What did not change is not judged again. */
export const ratcheted = <T>(rule: Rule<T>): Rule<T> =>
  like([rule], (value, walk, old) => {
    if (old === undefined || !equalSemantically(value, old)) rule(value, walk, old);
  });

/** Within the rule, values that the old object had somewhere are not judged again by rules that are `unlessKept`. */
export const keeping =
  <T>(valuesOf: (old: T) => Iterable<unknown>, rule: Rule<T>): Rule<T> =>
  (value, walk, old) => {
    const outer = walk.kept;
    if (old !== undefined) walk.kept = new Set(valuesOf(old));
    rule(value, walk, old);
    walk.kept = outer;
  };

export const unlessKept =
  <T>(rule: Rule<T>): Rule<T> =>
  (value, walk, old) => {
    if (!walk.kept.has(value)) rule(value, walk, old);
  };

/** Rules below find in `walk.about` what is made here. */
export const knowing =
  <T>(make: (value: T, walk: Walk, old: T | undefined) => unknown, rule: Rule<T>): Rule<T> =>
  (value, walk, old) => {
    const outer = walk.about;
    walk.about = make(value, walk, old);
    rule(value, walk, old);
    walk.about = outer;
  };
