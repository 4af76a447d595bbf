/** Calls of functions: the overload for the values that are there, and the price. */

import type { Steps } from '../meta/steps.ts';
import { priceOf } from './prices.ts';
import { Long, type Run, type Site, type Step } from './run.ts';
import { itemOf, mappedOf, type Overload, type Type } from './types.ts';
import { CelError, List, MapValue, noSuchOverload, typeName, type Value } from './values.ts';

type Call = (...args: Value[]) => Value | Long;

/**
 * A call with its price. Arguments that are errors are priced too, as upstream does, but of three or more one that fails
 * before the last ends it for nothing; so of two where the second is a pattern that is compiled ahead (`isAhead`).
 */
export function priced(name: string, id: string, args: readonly Step[], call: Call, isAhead = false): Step {
  const price = priceOf(name, id);
  const before = price && price.length > 1 ? () => 0 : (values: readonly Value[]) => price?.(values, null) ?? 1;
  const after = price && price.length > 1 ? price : undefined;
  const [first, second] = args as [Step, Step];
  const called = (run: Run, values: readonly Value[], failed: CelError | undefined): Value => {
    run.charge(before(values));
    const result = failed ?? run.done(site) ?? attempt(run, site, () => call(...values));
    if (after) run.charge(after(values, result));
    return result;
  };
  const site: Step =
    args.length === 1
      ? (run) => {
          const a = first(run);
          return called(run, [a], a instanceof CelError ? a : undefined);
        }
      : args.length === 2 && !isAhead
        ? (run) => {
            const a = first(run);
            const b = second(run);
            return called(run, [a, b], a instanceof CelError ? a : b instanceof CelError ? b : undefined);
          }
        : (run) => {
            const values: Value[] = [];
            let failed: CelError | undefined;
            for (const arg of args) {
              const value = arg(run);
              values.push(value);
              if (!(value instanceof CelError)) continue;
              if (values.length < args.length) return value;
              failed = value;
            }
            return called(run, values, failed);
          };
  return site;
}

function attempt(run: Run, site: Site, call: () => Value | Long): Value {
  try {
    const result = call();
    return result instanceof Long ? run.finish(site, attemptInSteps(result.begin(run.pace))) : result;
  } catch (e) {
    return failureOf(e);
  }
}

function* attemptInSteps(steps: Steps<Value>): Steps<Value> {
  try {
    return yield* steps;
  } catch (e) {
    return failureOf(e);
  }
}

/** What a call that throws comes to. Throws what is none of its own. */
export function failureOf(e: unknown): CelError {
  if (e instanceof CelError) return e;
  // what no engine could hold: a text, a list or a number too long, values too deep
  if (e instanceof RangeError) return new CelError('value is too large');
  throw e;
}

/** The overload's function, found by the values: a value may be another than its type says, where a schema is nullable. */
export function dispatch(name: string, overloads: readonly Overload[], declared: readonly Overload[]): Call {
  return (...args) => {
    const found = overloads.find((o) => o.args.every((type, i) => fits(type, args[i] ?? null)));
    if (found?.run) return found.run(...args);
    throw mismatch(name, declared, args);
  };
}

/** Operators and tests of strings say no more than that; named functions say with what. */
function mismatch(name: string, declared: readonly Overload[], args: readonly Value[]): CelError {
  if (plainErrors.has(name)) return noSuchOverload();
  if (/^[^a-zA-Z]/.test(name) || name === 'size') {
    const isKnown = declared.some((o) => o.args[0] && fits(o.args[0], args[0] ?? null));
    return isKnown ? noSuchOverload() : new CelError(`no such overload: ${name}`);
  }
  return new CelError(`no such overload: ${name}(${args.map(typeName).join(', ')})`);
}
const plainErrors = new Set(['contains', 'startsWith', 'endsWith', '!_', '-_']);

const typeNames: Partial<Record<Type['kind'], string>> = {
  bool: 'bool',
  bytes: 'bytes',
  double: 'double',
  duration: 'google.protobuf.Duration',
  int: 'int',
  list: 'list',
  map: 'map',
  null: 'null_type',
  string: 'string',
  timestamp: 'google.protobuf.Timestamp',
  type: 'type',
  uint: 'uint',
};

/** Of lists and maps the first entry speaks for all. */
function fits(type: Type, value: Value): boolean {
  if (type.kind === 'dyn' || type.kind === 'param') return true;
  if (typeName(value) !== (typeNames[type.kind] ?? type.name)) return false;
  if (value instanceof List) return value.size === 0 || fits(itemOf(type), value.at(0) ?? null);
  if (!(value instanceof MapValue)) return true;
  for (const key of value.keys()) return fits(itemOf(type), key) && fits(mappedOf(type), value.get(key) ?? null);
  return true;
}
