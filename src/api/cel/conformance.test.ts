/**
 * CEL's own conformance suite (`@bufbuild/cel-spec`), in the environment that Kubernetes gives expressions. What is left out
 * stands below with its reason; that the rest of the list really differs is tested too, so that it can't grow stale.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tests as conformance } from '@bufbuild/cel-spec/testdata/conformance.js';
import { baseEnvironment } from './base.ts';
import { CompileError, compile, evaluate } from './compile.ts';
import * as t from './types.ts';
import { CelError, EntryMap, equals, List, TypeValue, Uint, type Value } from './values.ts';

/** Parts of the suite about what the API has nothing of. */
const leftOut: readonly (readonly [reason: string, pattern: RegExp])[] = [
  [
    'protobuf messages, enums and wrappers',
    /^(?:enums|proto|wrappers)|TestAllTypes|google\.protobuf\.(?!Timestamp|Duration)|proto\.|GlobalEnum/,
  ],
  ['libraries that 1.36 does not have: math, base64, bindings, blocks', /math\.|base64|cel\.(?:bind|block|index|iterVar)/],
];

const differs: readonly (readonly [reason: string, names: string])[] = [
  [
    'Kubernetes has all items of a literal be of one type, and checks types before it evaluates',
    `
      comparisons/eq_literal/eq_list_elem_mixed_types
      comparisons/eq_literal/eq_list_mixed_type_numbers
      comparisons/eq_literal/eq_map_mixed_type_numbers
      comparisons/eq_literal/eq_map_value_mixed_types
      comparisons/eq_literal/eq_mixed_types
      comparisons/eq_literal/not_eq_list_elem_null
      comparisons/eq_literal/not_eq_list_false_vs_types
      comparisons/eq_literal/not_eq_list_length
      comparisons/eq_literal/not_eq_list_mixed_type_numbers
      comparisons/eq_literal/not_eq_list_null
      comparisons/eq_literal/not_eq_map_false_vs_types
      comparisons/eq_literal/not_eq_map_null
      comparisons/eq_literal/not_eq_map_value_null
      comparisons/in_list_literal/elem_in_mixed_type_list
      comparisons/in_list_literal/elem_in_mixed_type_list_cross_type
      comparisons/in_map_literal/key_in_mixed_key_type_map
      comparisons/in_map_literal/key_in_mixed_key_type_map_cross_type
      comparisons/ne_literal/ne_mixed_types
      conversions/dyn/dyn_heterogeneous_list
      fields/in/mixed_numbers_and_keys_absent
      fields/in/mixed_numbers_and_keys_present
      fields/map_fields/map_bad_key_type_and_false
      fields/map_fields/map_bad_key_type_or_true
      fields/map_fields/map_key_int64
      fields/map_fields/map_key_mixed_numbers_double_key
      fields/map_fields/map_key_mixed_numbers_int_key
      fields/map_fields/map_key_mixed_numbers_uint_key
      fields/map_fields/map_key_mixed_type
      fields/map_fields/map_key_uint64
      fields/map_fields/map_value_mix_type
      logic/AND/short_circuit_type_left
      logic/AND/short_circuit_type_right
      logic/OR/short_circuit_type_left
      logic/OR/short_circuit_type_right
      logic/conditional/mixed_type
      macros/all/list_elem_type_shortcircuit
      macros/exists/list_elem_type_exhaustive
      macros/exists/list_elem_type_shortcircuit
      macros/exists/map_key_type_exhaustive
      macros/exists/map_key_type_shortcircuit
      macros2/all/list_elem_type_exhaustive
      macros2/all/list_elem_type_shortcircuit
      macros2/exists/list_elem_type_exhaustive
      macros2/exists/list_elem_type_shortcircuit
      macros2/exists/map_key_type_exhaustive
      macros2/exists/map_key_type_shortcircuit
      optionals/optionals/map_key_mixed_numbers_double_key_optindex_value
      optionals/optionals/map_key_mixed_numbers_int_key_optindex_value
      optionals/optionals/map_key_mixed_numbers_uint_key_optindex_value
      optionals/optionals/map_key_mixed_type_optindex_value
      optionals/optionals/optional_chaining_13
      plumbing/check_inputs/skip_check
      type_deductions/flexible_type_parameter_assignment/optional_dyn_promotion
      type_deductions/flexible_type_parameter_assignment/optional_dyn_promotion_2
      type_deductions/legacy_nullable_types/null_assignable_to_abstract_parameter_candidate
      type_deductions/type_parameters/multiple_parameters_generality_2
    `,
  ],
  [
    'names and functions that nobody declared are refused before they are evaluated',
    `
      basic/functions/unbound_is_runtime_error
      basic/variables/unbound_is_runtime_error
      dynamic/value_null/literal
      parse/receiver_function_names/as
      parse/receiver_function_names/break
      parse/receiver_function_names/const
      parse/receiver_function_names/continue
      parse/receiver_function_names/else
      parse/receiver_function_names/for
      parse/receiver_function_names/function
      parse/receiver_function_names/if
      parse/receiver_function_names/import
      parse/receiver_function_names/let
      parse/receiver_function_names/loop
      parse/receiver_function_names/namespace
      parse/receiver_function_names/package
      parse/receiver_function_names/return
      parse/receiver_function_names/var
      parse/receiver_function_names/void
      parse/receiver_function_names/while
      type_deductions/functions/function_result_type
      type_deductions/type_parameters/multiple_parameters_generality
      type_deductions/type_parameters/multiple_parameters_parameterized_ovl
      type_deductions/type_parameters/multiple_parameters_parameterized_ovl_2
    `,
  ],
  [
    'quoted names of fields are not switched on in 1.36',
    `
      fields/quoted_map_fields/field_access_dash
      fields/quoted_map_fields/field_access_dot
      fields/quoted_map_fields/field_access_slash
      fields/quoted_map_fields/has_field_dash
      fields/quoted_map_fields/has_field_dot
      fields/quoted_map_fields/has_field_slash
    `,
  ],
  [
    'expressions of the API have no container',
    `
      namespace/namespace/self_eval_container_lookup
      namespace/namespace/self_eval_container_lookup_unchecked
    `,
  ],
  [
    'a scalar has no fields, which is an absent field and no error in 1.36',
    `
      optionals/optionals/map_null_entry_no_such_key
      optionals/optionals/map_present_key_invalid_field
    `,
  ],
  [
    '1.36 has version 2 of the strings library: its clauses print as an English locale does, nested values as literals',
    `
      string_ext/format/NaN support for decimal
      string_ext/format/NaN support for scientific notation
      string_ext/format/default precision for scientific notation
      string_ext/format/dyntype NaN/infinity support
      string_ext/format/dyntype support for lists
      string_ext/format/dyntype support for maps
      string_ext/format/dyntype support for scientific notation
      string_ext/format/list support for string
      string_ext/format/map support (all key types)
      string_ext/format/map support for string
      string_ext/format/negative infinity support for decimal
      string_ext/format/negative infinity support for fixed-point
      string_ext/format/negative infinity support for scientific notation
      string_ext/format/positive infinity support for decimal
      string_ext/format/positive infinity support for fixed-point
      string_ext/format/positive infinity support for scientific notation
      string_ext/format/scientific notation formatting clause
      string_ext/format/scientific notation formatting clause in a string variable
      string_ext/value_errors/indexof_out_of_range
      string_ext/value_errors/lastindexof_out_of_range
    `,
  ],
  [
    "as upstream's own evaluator: a later entry of a map literal wins; an index that is not there is an error",
    `
      fields/qualified_identifier_resolution/map_value_repeat_key
      type_deductions/flexible_type_parameter_assignment/unconstrained_type_var_as_dyn
    `,
  ],
];

type Json = Readonly<Record<string, unknown>>;
interface Row {
  readonly name?: string;
  readonly expr: string;
  readonly value?: Json;
  readonly evalError?: Json;
  readonly unknown?: Json;
  readonly typedResult?: { readonly result?: Json };
  readonly typeEnv?: readonly { readonly name: string; readonly ident?: { readonly type: Json } }[];
  readonly bindings?: Readonly<Record<string, { readonly value: Json }>>;
}
interface Suite {
  readonly name: string;
  readonly suites?: readonly Suite[];
  readonly tests?: readonly { readonly original: Row }[];
}

function* rowsOf(suite: Suite, path: string): Generator<readonly [id: string, row: Row]> {
  for (const { original } of suite.tests ?? []) yield [`${path}${original.name ?? original.expr}`, original];
  for (const inner of suite.suites ?? []) yield* rowsOf(inner, `${path}${inner.name}/`);
}

const reasons = new Map(
  differs.flatMap(([reason, names]) =>
    names
      .trim()
      .split(/\n\s*/)
      .map((name) => [name, reason] as const),
  ),
);

for (const [id, row] of rowsOf(conformance as unknown as Suite, '')) {
  if (leftOut.some(([, pattern]) => pattern.test(id) || pattern.test(row.expr))) continue;
  if (usesMessages(row)) continue;
  const reason = reasons.get(id);
  test(reason === undefined ? id : `${id} differs: ${reason}`, () => {
    if (reason === undefined) assert.equal(holds(row), true);
    else assert.equal(holds(row), false, 'it no longer differs: take it off the list');
  });
}

test('every row of the list is one of the suite', () => {
  const all = new Set(Array.from(rowsOf(conformance as unknown as Suite, ''), ([id]) => id));
  assert.deepEqual(
    [...reasons.keys()].filter((id) => !all.has(id)),
    [],
  );
});

function holds(row: Row): boolean {
  const bindings = Object.entries(row.bindings ?? {}).map(([name, { value }]) => [name, asValue(value)] as const);
  const declared = (row.typeEnv ?? []).flatMap(({ name, ident }) => (ident ? [[name, typeOf(ident.type)] as const] : []));
  const variables = Object.fromEntries([...bindings.map(([name]) => [name, t.DYN] as const), ...declared]);
  const program = compile(row.expr, baseEnvironment.extend({ variables }));
  const found = program instanceof CompileError ? new CelError(program.detail) : evaluate(program, Object.fromEntries(bindings)).value;
  if (row.evalError) return found instanceof CelError;
  const wanted = row.value ?? row.typedResult?.result;
  if (!wanted && (row.typedResult || row.unknown)) return !(found instanceof CelError);
  const value = wanted ? asValue(wanted) : true;
  return Number.isNaN(value) ? Number.isNaN(found) : equals(value, found);
}

function usesMessages(row: Row): boolean {
  return /"(?:messageType|objectValue|enumValue|wrapper|abstractType|wellKnown":"ANY)/.test(JSON.stringify(row));
}

function asValue(json: Json): Value {
  const [[kind, raw] = ['', null]] = Object.entries(json);
  switch (kind) {
    case 'int64Value':
      return BigInt(raw as string);
    case 'uint64Value':
      return new Uint(BigInt(raw as string));
    case 'doubleValue':
      return Number(raw);
    case 'bytesValue':
      return Uint8Array.from(Buffer.from(raw as string, 'base64'));
    case 'typeValue':
      return new TypeValue(raw as string);
    case 'listValue':
      return new List(((raw as { values?: Json[] }).values ?? []).map(asValue));
    case 'mapValue': {
      const map = new EntryMap();
      for (const { key, value } of (raw as { entries?: { key: Json; value: Json }[] }).entries ?? []) map.set(asValue(key), asValue(value));
      return map;
    }
    default:
      return raw as Value;
  }
}

const primitives: Readonly<Record<string, t.Type>> = {
  BOOL: t.BOOL,
  BYTES: t.BYTES,
  DOUBLE: t.DOUBLE,
  INT64: t.INT,
  STRING: t.STRING,
  UINT64: t.UINT,
  DURATION: t.DURATION,
  TIMESTAMP: t.TIMESTAMP,
};

function typeOf(json: Json): t.Type {
  const [[kind, raw] = ['', null]] = Object.entries(json);
  const inner = raw as Readonly<Record<string, Json>>;
  switch (kind) {
    case 'primitive':
    case 'wellKnown':
      return primitives[raw as string] ?? t.DYN;
    case 'listType':
      return t.listOf(typeOf(inner['elemType'] ?? {}));
    case 'mapType':
      return t.mapOf(typeOf(inner['keyType'] ?? {}), typeOf(inner['valueType'] ?? {}));
    case 'null':
      return t.NULL;
    default:
      return t.DYN;
  }
}
