/**
 * From a checked tree to closures that evaluate it, and what each step costs. Costs are upstream's to the unit (cel-go's
 * interpreter/runtimecost.go with Kubernetes' own prices, `prices.ts`), so a budget ends an expression where upstream's does:
 * - a name 1, each selection or index 1; of names that are only branches of `?:` or keys of an index just the selections;
 * - `has` pays for selections only; literals, `&&`, `||`, `?:`, `in` a list of literals nothing;
 * - a list 10, a map 30, an object 40, unless all of it is literals;
 * - calls by `prices.ts`, 1 if it doesn't say.
 *
 * An error is a value that passes through: && and || forget it when their other side decides. Running out of cost is not:
 * it ends the evaluation (`CostExceeded`).
 */

import { dispatch, failureOf, priced } from './call.ts';
import type { Environment } from './environment.ts';
import { loop, named } from './loop.ts';
import { ChoicePath, ComputedKey, FieldKey, type Key, type Path, PresenceKey, RootPath, showValue } from './path.ts';
import { matcherOf } from './pattern.ts';
import { Long, Run, type Step } from './run.ts';
import {
  ACCUMULATOR,
  type Call,
  type Comprehension,
  type Expr,
  type ListExpr,
  type MapExpr,
  type Select,
  type StructExpr,
} from './syntax/expression.ts';
import {
  asKey,
  CelError,
  compareNumbers,
  EntryMap,
  equalsAtOnce,
  equalsInSteps,
  isKey,
  List,
  MapValue,
  noSuchOverload,
  Optional,
  placeOf,
  TypeValue,
  typeName,
  type Value,
} from './values.ts';

export interface Plan {
  readonly step: Step;
  /** the environment's variables that are used, in the order of their slots */
  readonly variables: readonly string[];
  readonly slotCount: number;
}

/** Throws CelError for what fails at once: a conversion of a literal, a pattern that is none. */
export function planExpression(expr: Expr, env: Environment): Plan {
  const planner = new Planner(env);
  const { step } = planner.plan(expr);
  return { step, variables: planner.variables, slotCount: planner.slotCount };
}

const LIST_COST = 10;
const MAP_COST = 30;
const STRUCT_COST = 40;

/** A planned node: how it is evaluated; its value when it is a literal; its path when it is one. */
interface Planned {
  readonly step: Step;
  readonly constant?: Value;
  readonly path?: Path;
}

function constantOf(value: Value): Planned {
  return { step: () => value, constant: value };
}

/** A variable of a loop; with `lazy` one that `optMap` binds: evaluated when it is first asked for. */
interface Local {
  readonly name: string;
  readonly slot: number;
  readonly lazy?: Step | undefined;
}

class Planner {
  readonly variables: string[] = [];
  slotCount = 0;
  readonly #env: Environment;
  readonly #globals = new Map<string, { slot: number }>();
  readonly #locals: Local[] = [];

  constructor(env: Environment) {
    this.#env = env;
  }

  plan(expr: Expr): Planned {
    switch (expr.kind) {
      case 'literal':
        return constantOf(expr.value);
      case 'ident':
        return this.#ident(expr.name);
      case 'select':
        return this.#select(expr);
      case 'call':
        return this.#call(expr);
      case 'list':
        return this.#list(expr);
      case 'map':
        return this.#map(expr);
      case 'struct':
        return this.#struct(expr);
      case 'comprehension':
        return this.#comprehension(expr);
      default:
        return expr satisfies never;
    }
  }

  #ident(name: string): Planned {
    const local = this.#locals.findLast((l) => l.name === name);
    if (!local && this.#env.variable(name) === undefined) return constantOf(new TypeValue(name));
    // slots of variables are known when all of the expression is planned: variables come first
    const { slot } = local ?? this.#global(name);
    const lazy = local?.lazy;
    if (!lazy) return fromPath(new RootPath((run) => run.slots[slot] as Value, 1));
    return fromPath(new RootPath(named(slot, lazy), 1));
  }

  #global(name: string): { slot: number } {
    const known = this.#globals.get(name);
    if (known) return known;
    const made = { slot: this.#newSlot() };
    this.#globals.set(name, made);
    this.variables[made.slot] = name;
    return made;
  }

  #newSlot(): number {
    this.slotCount += 1;
    return this.slotCount - 1;
  }

  #select(expr: Select): Planned {
    const path = asPath(this.plan(expr.operand));
    const { field } = expr;
    if (!expr.isTest) return fromPath(path.with(new FieldKey(field, false)));
    const tested = path.with(new PresenceKey(field));
    return {
      step: (run) => {
        const found = tested.resolve(run);
        return found instanceof Optional ? found.value !== undefined : found;
      },
      path: tested,
    };
  }

  #call(expr: Call): Planned {
    const operands = (expr.target ? [expr.target, ...expr.args] : expr.args).map((arg) => this.plan(arg));
    const [a, b, c] = operands as [Planned, Planned, Planned];
    switch (expr.name) {
      case '_&&_':
        return { step: logic(a.step, b.step, false) };
      case '_||_':
        return { step: logic(a.step, b.step, true) };
      case '_?:_':
      case '_?_:_':
        return fromPath(new ChoicePath(a.step, branchPath(b), branchPath(c)));
      case '_[_]':
        return fromPath(asPath(a).with(keyOf(b, false)));
      case '_?._':
      case '_[?_]':
        return fromPath(asPath(a).with(keyOf(b, true)));
      case '_==_':
        return { step: priced(expr.name, 'equals', [a.step, b.step], (x, y) => same(x, y, true)) };
      case '_!=_':
        return { step: priced(expr.name, 'not_equals', [a.step, b.step], (x, y) => same(x, y, false)) };
      case '@not_strictly_false':
        return { step: notStrictlyFalse(a.step) };
      case '@in':
        return this.#in(expr, a, b);
      case 'or':
        return { step: optionalOr(a.step, b.step, (left) => left) };
      case 'orValue':
        return { step: optionalOr(a.step, b.step, (left) => left.value ?? null) };
      default:
        return this.#function(expr, operands);
    }
  }

  #in(expr: Call, item: Planned, container: Planned): Planned {
    const id = idOf(expr);
    const list = id === 'in_list' ? container.constant : undefined;
    if (list instanceof List && isPrimitiveList(list)) {
      if (list.size === 0) return constantOf(false);
      const members = new Set(Array.from(list, asKey));
      return {
        step: (run) => {
          const value = item.step(run);
          return value instanceof CelError ? value : members.has(asKey(value));
        },
      };
    }
    return { step: priced('@in', id, [item.step, container.step], contains) };
  }

  #function(expr: Call, operands: readonly Planned[]): Planned {
    const overloads = expr.overloads ?? [];
    const run = dispatch(expr.name, overloads, this.#env.overloads(expr.name) ?? overloads);
    const patterns = operands.flatMap(({ constant }, i) => (isPattern(expr.name, i) && typeof constant === 'string' ? [constant] : []));
    patterns.forEach(matcherOf);
    if (conversions.has(expr.name) && operands.length === 1 && operands[0]?.constant !== undefined) {
      const value = run(operands[0].constant);
      return constantOf(value instanceof Long ? value.atOnce() : value);
    }
    const step = priced(
      expr.name,
      idOf(expr),
      operands.map((o) => o.step),
      run,
      patterns.length > 0,
    );
    return { step };
  }

  #list(expr: ListExpr): Planned {
    const items = expr.items.map((item) => this.plan(item));
    const steps = items.map((item) => item.step);
    const { optional } = expr;
    const make: Step = (run) => {
      const made: Value[] = [];
      for (let i = 0; i < steps.length; i += 1) {
        const value = (steps[i] as Step)(run);
        if (value instanceof CelError) return value;
        if (!optional.has(i)) made.push(value);
        else if (!(value instanceof Optional))
          return new CelError(`cannot initialize optional list element from non-optional value ${showValue(value)}`);
        else if (value.value !== undefined) made.push(value.value);
      }
      return new List(made);
    };
    return constructed(make, items, LIST_COST);
  }

  #map(expr: MapExpr): Planned {
    const entries = expr.entries.map((e) => ({ key: this.plan(e.key), value: this.plan(e.value), isOptional: e.isOptional }));
    const make: Step = (run) => {
      const made = new EntryMap();
      for (const entry of entries) {
        const key = entry.key.step(run);
        if (key instanceof CelError) return key;
        let value = entry.value.step(run);
        if (value instanceof CelError) return value;
        if (entry.isOptional) {
          if (!(value instanceof Optional)) return badEntry(key, value);
          if (value.value === undefined) {
            made.delete(key);
            continue;
          }
          value = value.value;
        }
        if (!isKey(key)) return new CelError(`unsupported key type: ${showValue(key)}`);
        made.set(key, value);
      }
      return made;
    };
    return constructed(
      make,
      entries.flatMap((e) => [e.key, e.value]),
      MAP_COST,
    );
  }

  #struct(expr: StructExpr): Planned {
    const fields = expr.fields.map((f) => ({ name: f.name, value: this.plan(f.value), isOptional: f.isOptional }));
    const { construct } = this.#env;
    if (!construct) throw new CelError(`unknown type: ${expr.name}`);
    return {
      step: (run) => {
        const made = new Map<string, Value>();
        let failed: CelError | undefined;
        for (const field of fields) {
          let value = field.value.step(run);
          if (value instanceof CelError) failed = value;
          else if (field.isOptional && !(value instanceof Optional)) failed = badEntry(field.name, value);
          if (failed) break;
          if (field.isOptional && value instanceof Optional) {
            if (value.value === undefined) {
              made.delete(field.name);
              continue;
            }
            value = value.value;
          }
          made.set(field.name, value);
        }
        run.charge(STRUCT_COST);
        if (failed) return failed;
        try {
          return construct(expr.name, made);
        } catch (e) {
          return failureOf(e);
        }
      },
    };
  }

  #comprehension(expr: Comprehension): Planned {
    const init = this.plan(expr.init).step;
    const range = this.plan(expr.range).step;
    const grows = expr.init.kind === 'list' && expr.init.items.length === 0;
    const growsMap = expr.init.kind === 'map' && expr.init.entries.length === 0;
    const scope = this.#locals.length;
    const isBinding = expr.accumulator !== ACCUMULATOR;
    const accumulator = this.#local(expr.accumulator, isBinding ? init : undefined);
    const first = this.#local(expr.variable);
    const second = expr.variable2 === undefined ? undefined : this.#local(expr.variable2);
    const condition = this.plan(expr.condition).step;
    const step = this.plan(expr.step).step;
    this.#locals.length = scope + 1;
    const result = this.plan(expr.result).step;
    this.#locals.length = scope;

    const begins = grows ? 'list' : growsMap ? 'map' : isBinding ? 'name' : init;
    return { step: loop({ range, init: begins, condition, step, result, accumulator, first, second }) };
  }

  #local(name: string, lazy?: Step): number {
    const slot = this.#newSlot();
    this.#locals.push({ name, slot, lazy });
    return slot;
  }
}

/** Literals of literals are literals. */
function constructed(make: Step, parts: readonly Planned[], cost: number): Planned {
  if (parts.every((part) => part.constant !== undefined)) {
    const value = make(new Run([], Number.POSITIVE_INFINITY));
    return value instanceof CelError ? { step: () => value } : constantOf(value);
  }
  return {
    step: (run) => {
      const value = make(run);
      run.charge(cost);
      return value;
    },
  };
}

function badEntry(key: Value, value: Value): CelError {
  return new CelError(`cannot initialize optional entry '${showValue(key)}' from non-optional value ${showValue(value)}`);
}

function logic(left: Step, right: Step, decides: boolean): Step {
  return (run) => {
    const a = left(run);
    if (a === decides) return decides;
    const b = right(run);
    if (b === decides) return decides;
    if (typeof a !== 'boolean') return a instanceof CelError ? a : noSuchOverload();
    if (typeof b !== 'boolean') return b instanceof CelError ? b : noSuchOverload();
    return !decides;
  };
}

function notStrictlyFalse(arg: Step): Step {
  return (run) => {
    const value = arg(run);
    run.charge(1);
    return typeof value === 'boolean' ? value : true;
  };
}

function optionalOr(left: Step, right: Step, present: (left: Optional) => Value): Step {
  return (run) => {
    const a = left(run);
    if (!(a instanceof Optional)) return a;
    return a.value === undefined ? right(run) : present(a);
  };
}

function idOf(expr: Call): string {
  const [only, ...more] = expr.overloads ?? [];
  return only && more.length === 0 ? only.id : '';
}

const conversions = new Set(['bool', 'bytes', 'double', 'duration', 'dyn', 'int', 'string', 'timestamp', 'type', 'uint']);

function isPattern(name: string, index: number): boolean {
  return index === 1 && (name === 'matches' || name === 'find' || name === 'findAll');
}
function isPrimitiveList(list: List): boolean {
  for (const item of list) {
    const isPrimitive = typeof item === 'string' || typeof item === 'boolean' || compareNumbers(item, item) !== undefined;
    if (!isPrimitive) return false;
  }
  return true;
}

/** Whether two values are equal, or are not. */
function same(a: Value, b: Value, wanted: boolean): Value | Long {
  const isSame = equalsAtOnce(a, b);
  if (isSame !== undefined) return isSame === wanted;
  return new Long(function* (pace) {
    return (yield* equalsInSteps(a, b, pace)) === wanted;
  });
}

function contains(item: Value, container: Value): Value | Long {
  if (container instanceof MapValue) {
    const found = container.get(item);
    if (found instanceof CelError) throw found;
    return found !== undefined;
  }
  if (!(container instanceof List)) throw noSuchOverload();
  return new Long(function* (pace) {
    return (yield* placeOf(container, item, pace)) >= 0;
  });
}

function fromPath(path: Path): Planned {
  const { cost } = path;
  return {
    path,
    step: (run) => {
      const value = path.resolve(run);
      if (cost > 0) run.charge(cost);
      return value;
    },
  };
}

/** The path of what is looked into: of a call its value, which costs 1 more then. */
function asPath(planned: Planned): Path {
  return planned.path ?? new RootPath(planned.step, 1);
}

/** The path of a branch: names are free there. */
function branchPath(planned: Planned): Path {
  return planned.path ?? new RootPath(planned.step, 0);
}

function keyOf(planned: Planned, isOptional: boolean): Key {
  const { constant, path } = planned;
  if (constant !== undefined) {
    if (!isKey(constant) && typeof constant !== 'number') throw new CelError(`invalid qualifier type: ${showGoType(constant)}`);
    return new FieldKey(constant, isOptional);
  }
  return new ComputedKey(path ? (run) => path.resolve(run) : planned.step, isOptional);
}

/** `types.Bytes`: what Go calls a literal that can't be a key. */
function showGoType(value: Value): string {
  const name = value === null ? 'null' : (typeName(value).split('.').at(-1) ?? '');
  return `types.${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}
