/**
 * What an expression may use: functions with their overloads, variables with their types, names of types. Environments are
 * made once and extended; compiling changes none.
 *
 * There is one set of libraries: all that Kubernetes 1.36 has were introduced by 1.34, and it compiles new and stored
 * expressions with what 1.35 understands (environment/base.go of apiserver).
 */

import type { Overload, Type } from './types.ts';
import * as t from './types.ts';
import type { Value } from './values.ts';

export interface Declaration {
  readonly name: string;
  readonly overload: Overload;
}

/** A function that is called by its name: `size(x)`. */
export function func(name: string, id: string, args: readonly Type[], result: Type, run?: Overload['run']): Declaration {
  return declare(name, { id, args, result, run, isMember: false, params: [] });
}

/** A function that is called on its first argument: `x.size()`. */
export function method(name: string, id: string, args: readonly Type[], result: Type, run?: Overload['run']): Declaration {
  return declare(name, { id, args, result, run, isMember: true, params: [] });
}

function declare(name: string, overload: Overload): Declaration {
  const params = new Set<string>();
  const collect = (type: Type): void => {
    if (type.kind === 'param') params.add(type.name);
    type.params.forEach(collect);
  };
  overload.args.forEach(collect);
  collect(overload.result);
  return { name, overload: { ...overload, params: [...params] } };
}

interface Parts {
  readonly functions: ReadonlyMap<string, readonly Overload[]>;
  readonly variables: ReadonlyMap<string, Type>;
  /** types that have a name in expressions */
  readonly types: ReadonlyMap<string, Type>;
  /** finds struct types whose names are not all known ahead */
  readonly findType?: ((name: string) => Type | undefined) | undefined;
  readonly construct?: ((name: string, fields: ReadonlyMap<string, Value>) => Value) | undefined;
}

const builtInTypes: ReadonlyMap<string, Type> = new Map(
  [t.BOOL, t.BYTES, t.DOUBLE, t.DURATION, t.INT, t.NULL, t.STRING, t.TIMESTAMP, t.TYPE, t.UINT]
    .map((type) => [type.name, type] as const)
    .concat([
      ['list', t.listOf(t.DYN)],
      ['map', t.mapOf(t.DYN, t.DYN)],
      ['optional_type', t.optionalOf(t.DYN)],
    ]),
);

export class Environment {
  static readonly empty = new Environment({ functions: new Map(), variables: new Map(), types: builtInTypes });
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The same with more; what is declared again is replaced, but overloads of a function add up. */
  extend(more: {
    readonly functions?: readonly Declaration[] | undefined;
    readonly variables?: Readonly<Record<string, Type>> | undefined;
    readonly types?: readonly Type[] | undefined;
    readonly findType?: Parts['findType'];
    readonly construct?: Parts['construct'];
  }): Environment {
    const functions = new Map(this.#parts.functions);
    for (const { name, overload } of more.functions ?? []) functions.set(name, [...(functions.get(name) ?? []), overload]);
    return new Environment({
      functions,
      variables: new Map([...this.#parts.variables, ...Object.entries(more.variables ?? {})]),
      types: new Map([...this.#parts.types, ...(more.types ?? []).map((type) => [type.name, type] as const)]),
      findType: more.findType ?? this.#parts.findType,
      construct: more.construct ?? this.#parts.construct,
    });
  }

  overloads(name: string): readonly Overload[] | undefined {
    return this.#parts.functions.get(name);
  }
  variable(name: string): Type | undefined {
    return this.#parts.variables.get(name);
  }
  typeNamed(name: string): Type | undefined {
    return this.#parts.types.get(name) ?? this.#parts.findType?.(name);
  }
  get construct(): Parts['construct'] {
    return this.#parts.construct;
  }
}
