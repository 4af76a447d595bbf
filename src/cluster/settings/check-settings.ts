/**
 * Checks named values that people write: settings in files and flags, options of a call. What is unknown or does not fit
 * is refused by name, all of it at once, and the nearest name offered. What is undefined counts as absent.
 */
import { inspect } from 'node:util';
import { nearWord } from '../../api/meta/near-word.ts';
import { own } from '../../api/meta/words.ts';
import { OperationError } from '../operation-error.ts';

/** JSON Schema, as far as it is needed. */
export interface ValueSchema {
  readonly type: 'integer' | 'string' | 'array' | 'object';
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly items?: ValueSchema;
  readonly additionalProperties?: ValueSchema;
}

export interface ValueCheck {
  (value: unknown): boolean;
  /** what can be said of it to editors */
  readonly schema?: ValueSchema;
}
interface Field {
  readonly check: ValueCheck;
  /** what fits, for people */
  readonly what: string;
  /** with a value of the right form */
  readonly problem?: (value: unknown) => string | undefined;
  readonly fix?: string;
}
export type Fields<T> = Readonly<Record<keyof T & string, Field>>;

/** Checks what the schema says, all of it. */
export const fits = (schema: ValueSchema): ValueCheck => Object.assign((value: unknown) => isOf(value, schema), { schema });

function isOf(value: unknown, schema: ValueSchema): boolean {
  switch (schema.type) {
    case 'integer':
      return Number.isInteger(value) && Number(value) >= (schema.minimum ?? -Infinity) && Number(value) <= (schema.maximum ?? Infinity);
    case 'string':
      return typeof value === 'string' && value.length >= (schema.minLength ?? 0) && new RegExp(schema.pattern ?? '').test(value);
    case 'array':
      return Array.isArray(value) && value.every((item) => !schema.items || isOf(item, schema.items));
    case 'object':
      return (
        isPlain(value) && Object.values(value).every((item) => !schema.additionalProperties || isOf(item, schema.additionalProperties))
      );
  }
}

const isPlain = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);

export const whole = (minimum: number, maximum: number): ValueCheck => fits({ type: 'integer', minimum, maximum });
export const anyText: ValueCheck = fits({ type: 'string', minLength: 1 });

/** What was read is the command line. */
export const flagsGiven = 'flags';

interface CheckOptions<T> {
  readonly fields: Fields<T>;
  /** what was read, for the error: a file, "flags" */
  readonly where: string;
  readonly noun: 'setting' | 'option';
}

export function checkSettings<T extends object>(given: object, { fields, where, noun }: CheckOptions<T>): T {
  const values = Object.entries(given).filter(([, value]) => value !== undefined);
  const known = Object.keys(fields);
  const unknown = values.map(([name]) => name).filter((name) => !known.includes(name));
  const wrong = values.flatMap(([name, value]) => {
    const field: Field | undefined = own(fields, name);
    const problem = field && problemOf(value, field);
    return problem === undefined ? [] : [{ text: `${name}: ${problem.text}`, fix: problem.fix }];
  });
  if (unknown.length + wrong.length === 0) return Object.fromEntries(values) as T;
  const near = unknown.flatMap((name) => nearWord(name, known) ?? []);
  const meant = near.length > 0 ? `did you mean ${near.join(', ')}? ` : '';
  throw new OperationError({
    code: 'bad-config',
    exitCode: where === flagsGiven ? 2 : undefined,
    message: `${where}: ${[...unknown.map((name) => `unknown ${noun} "${name}"`), ...wrong.map(({ text }) => text)].join('; ')}`,
    fix: unknown.length > 0 ? meant + describeNames(fields, noun) : (wrong[0]?.fix ?? `give a value that fits, or leave the ${noun} out`),
  });
}

function problemOf(
  value: unknown,
  { check, what, problem, fix }: Field,
): { readonly text: string; readonly fix?: string | undefined } | undefined {
  if (!check(value)) return { text: `${describeValue(value)} is not ${what}` };
  const text = problem?.(value);
  return text === undefined ? undefined : { text, fix };
}

export const describeNames = (fields: object, noun: string): string => `the ${noun}s are: ${Object.keys(fields).join(', ')}`;

const describeValue = (value: unknown): string =>
  typeof value === 'string'
    ? JSON.stringify(value)
    : inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 10 });
