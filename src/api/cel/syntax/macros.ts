/**
 * Calls that are written as functions and are none: `has`, `all`, `exists`, `map`, … become tests and comprehensions while
 * an expression is parsed. What is made of them is CEL's own expansion, node by node, since costs are counted on it.
 */

import type { Value } from '../values.ts';
import { ACCUMULATOR, type Comprehension, type Expr, type ListExpr, type Literal } from './expression.ts';

/** Of arguments that a macro can't take. */
export class MacroError {
  readonly at: number;
  readonly message: string;
  constructor(at: number, message: string) {
    this.at = at;
    this.message = message;
  }
}

type Expand = (make: Make, target: Expr, args: readonly Expr[]) => Expr | MacroError;

/** The macro's tree for such a call; undefined when it is no macro. `at` is where errors of the tree are shown. */
export function expandMacro(at: number, name: string, target: Expr | undefined, args: readonly Expr[]): Expr | MacroError | undefined {
  const make = new Make(at);
  if (!target) return name === 'has' && args.length === 1 ? expandHas(make, args) : undefined;
  const macro = macros.get(`${name}/${args.length}`);
  return macro?.(make, target, args);
}

/** Makes nodes at the place of the macro. */
class Make {
  readonly at: number;
  readonly depth = 0;
  constructor(at: number) {
    this.at = at;
  }
  #base(): { at: number; depth: number } {
    return { at: this.at, depth: 0 };
  }
  literal(value: Value): Literal {
    return { ...this.#base(), kind: 'literal', value };
  }
  ident(name: string): Expr {
    return { ...this.#base(), kind: 'ident', name };
  }
  result(): Expr {
    return this.ident(ACCUMULATOR);
  }
  call(name: string, ...args: Expr[]): Expr {
    return { ...this.#base(), kind: 'call', name, target: undefined, args };
  }
  member(name: string, target: Expr, ...args: Expr[]): Expr {
    return { ...this.#base(), kind: 'call', name, target, args };
  }
  list(...items: Expr[]): ListExpr {
    return { ...this.#base(), kind: 'list', items, optional: new Set() };
  }
  map(): Expr {
    return { ...this.#base(), kind: 'map', entries: [] };
  }
  /** A loop over nothing: its accumulator is a name for a value. */
  bind(name: string, init: Expr, result: Expr): Comprehension {
    const loop = { range: this.list(), variable: '#unused', variable2: undefined, condition: this.literal(false), step: this.ident(name) };
    return { ...this.fold({ ...loop, init, result }), accumulator: name };
  }
  fold(parts: Omit<Comprehension, 'kind' | 'at' | 'depth' | 'accumulator'>): Comprehension {
    return { ...this.#base(), kind: 'comprehension', accumulator: ACCUMULATOR, ...parts };
  }
}

function expandHas(make: Make, [arg]: readonly Expr[]): Expr | MacroError {
  if (arg?.kind === 'select') return { at: make.at, depth: 0, kind: 'select', operand: arg.operand, field: arg.field, isTest: true };
  return new MacroError(arg?.at ?? make.at, 'invalid argument to has() macro');
}

/** The loops that quantifiers and transformations share, on one variable or two. */
type Loop = (make: Make, body: readonly Expr[], key: Expr) => Pick<Comprehension, 'init' | 'condition' | 'step' | 'result'>;

const all: Loop = (make, [test]) => ({
  init: make.literal(true),
  condition: make.call('@not_strictly_false', make.result()),
  step: make.call('_&&_', make.result(), some(test)),
  result: make.result(),
});
const exists: Loop = (make, [test]) => ({
  init: make.literal(false),
  condition: make.call('@not_strictly_false', make.call('!_', make.result())),
  step: make.call('_||_', make.result(), some(test)),
  result: make.result(),
});
const existsOne: Loop = (make, [test]) => ({
  init: make.literal(0n),
  condition: make.literal(true),
  step: make.call('_?_:_', some(test), make.call('_+_', make.result(), make.literal(1n)), make.result()),
  result: make.call('_==_', make.result(), make.literal(1n)),
});
const transform: Loop = (make, body) => collect(make, body, make.list(), (value) => [make.list(value)], '_+_');
const transformMap: Loop = (make, body, key) => collect(make, body, make.map(), (value) => [key, value], 'cel.@mapInsert');
const transformMapEntry: Loop = (make, body) => collect(make, body, make.map(), (value) => [value], 'cel.@mapInsert');
const filter: Loop = (make, [test], variable) => collect(make, [some(test), variable], make.list(), (value) => [make.list(value)], '_+_');

/** `body` is the value, or a condition and the value. */
function collect(make: Make, body: readonly Expr[], init: Expr, added: (value: Expr) => Expr[], by: string): ReturnType<Loop> {
  const insert = make.call(by, make.result(), ...added(some(body.at(-1))));
  const step = body.length === 2 ? make.call('_?_:_', some(body[0]), insert, make.result()) : insert;
  return { init, condition: make.literal(true), step, result: make.result() };
}

function some(expr: Expr | undefined): Expr {
  if (!expr) throw new Error('a macro has the arguments it was found by');
  return expr;
}

/** `words`: what is said of a variable that is no name. */
function overOne(loop: Loop, words: string): Expand {
  return (make, range, [variable, ...body]) => {
    if (variable?.kind !== 'ident') return new MacroError(variable?.at ?? make.at, words);
    if (isAccumulator(variable.name)) return new MacroError(variable.at, OVERWRITES);
    return make.fold({ range, variable: variable.name, variable2: undefined, ...loop(make, body, variable) });
  };
}

function overTwo(loop: Loop): Expand {
  return (make, range, [first, second, ...body]) => {
    if (first?.kind !== 'ident') return new MacroError(first?.at ?? make.at, NOT_SIMPLE);
    if (second?.kind !== 'ident') return new MacroError(second?.at ?? make.at, NOT_SIMPLE);
    if (first.name === second.name) return new MacroError(second.at, `duplicate variable name: ${first.name}`);
    for (const { name, at } of [first, second]) if (isAccumulator(name)) return new MacroError(at, OVERWRITES);
    return make.fold({ range, variable: first.name, variable2: second.name, ...loop(make, body, make.ident(first.name)) });
  };
}

function isAccumulator(name: string): boolean {
  return name === ACCUMULATOR || name === '__result__';
}
const OVERWRITES = 'iteration variable overwrites accumulator variable';
const NOT_SIMPLE = 'argument must be a simple name';
const NOT_IDENTIFIER = 'argument is not an identifier';

/** `target.hasValue() ? optional.of(… target.value() as the variable …) : optional.none()` */
function optional(name: string, isFlat: boolean): Expand {
  return (make, target, [variable, body]) => {
    if (variable?.kind !== 'ident') {
      return new MacroError(variable?.at ?? make.at, `${name}() variable name must be a simple identifier`);
    }
    const bound = make.bind(variable.name, make.member('value', target), some(body));
    const present = isFlat ? bound : make.call('optional.of', bound);
    return make.call('_?_:_', make.member('hasValue', target), present, make.call('optional.none'));
  };
}

/** Sorts a list by what its items become: the list gets a name, so that it is evaluated once. */
const sortBy: Expand = (make, target, args) => {
  if (target.kind === 'literal' || target.kind === 'map' || target.kind === 'struct') {
    return new MacroError(target.at, 'sortBy can only be applied to a list, identifier, comprehension, call or select expression');
  }
  const keys = overOne(transform, NOT_IDENTIFIER)(make, make.ident(SORTED), args);
  return keys instanceof MacroError ? keys : make.bind(SORTED, target, make.member('@sortByAssociatedKeys', make.ident(SORTED), keys));
};
const SORTED = '@__sortBy_input__';

const macros: ReadonlyMap<string, Expand> = new Map([
  ['all/2', overOne(all, NOT_SIMPLE)],
  ['exists/2', overOne(exists, NOT_SIMPLE)],
  ['exists_one/2', overOne(existsOne, NOT_SIMPLE)],
  ['map/2', overOne(transform, NOT_IDENTIFIER)],
  ['map/3', overOne(transform, NOT_IDENTIFIER)],
  ['filter/2', overOne(filter, NOT_IDENTIFIER)],
  ['all/3', overTwo(all)],
  ['exists/3', overTwo(exists)],
  ['exists_one/3', overTwo(existsOne)],
  ['existsOne/3', overTwo(existsOne)],
  ['transformList/3', overTwo(transform)],
  ['transformList/4', overTwo(transform)],
  ['transformMap/3', overTwo(transformMap)],
  ['transformMap/4', overTwo(transformMap)],
  ['transformMapEntry/3', overTwo(transformMapEntry)],
  ['transformMapEntry/4', overTwo(transformMapEntry)],
  ['sortBy/2', sortBy],
  ['optMap/2', optional('optMap', false)],
  ['optFlatMap/2', optional('optFlatMap', true)],
]);
