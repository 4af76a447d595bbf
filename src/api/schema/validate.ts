/**
 * Checks an object against both tables: required fields, enumerations, bounds. Metadata and status are left out: the
 * former is metadata.ts's, the latter is written by controllers and checked by the kinds' hooks.
 *
 * It is the floor under every kind. A kind's own hook knows upstream's rules better: where it finds something wrong with
 * the same field, its word counts (`mergeFieldErrors`).
 */

import { type FieldError, fieldErrors } from '../meta/status-error.ts';
import { own } from '../meta/words.ts';
import { isCheckedByTable, isEnforced, rulesOf } from './type-rules.ts';
import type { FieldSchema, ObjectSchema, Schema } from './types.ts';

type Json = Readonly<Record<string, unknown>>;
type Step = string | number;

class Findings {
  readonly path: Step[] = [];
  readonly errors: FieldError[] = [];
  at(field: string): string {
    let text = '';
    for (const step of this.path) text += typeof step === 'number' ? `[${step}]` : step.startsWith('[') ? step : `${text && '.'}${step}`;
    return field ? `${text}${text && '.'}${field}` : text;
  }
}

type Check = (value: unknown, findings: Findings) => void;

/** What is wrong with the object, its metadata and status aside. */
export function validateByTable(schema: ObjectSchema, object: object): readonly FieldError[] {
  const findings = new Findings();
  checkOf(schema)?.(object, findings);
  return findings.errors;
}

/** Both lists, the hook's findings instead of the table's where they are about the same field or one above it. */
export function mergeFieldErrors(table: readonly FieldError[], hook: readonly FieldError[]): readonly FieldError[] {
  if (!table.length || !hook.length) return table.length ? table : hook;
  const said = new Set(hook.map((e) => e.field));
  return [...table.filter(({ field }) => !isSaid(field, said)), ...hook];
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

const checks = new WeakMap<ObjectSchema, { readonly check: Check | undefined }>();

function checkOf(schema: ObjectSchema): Check | undefined {
  const known = checks.get(schema);
  if (known) return known.check;
  checks.set(schema, { check: (value, findings) => checks.get(schema)?.check?.(value, findings) });
  const check = compileObject(schema);
  checks.set(schema, { check });
  return check;
}

interface FieldCheck {
  readonly name: string;
  readonly required: boolean;
  readonly check: Check | undefined;
}

function compileObject(schema: ObjectSchema): Check | undefined {
  if (!isCheckedByTable(schema.name)) return undefined;
  const isKind = schema.gvks.length > 0;
  const fields: FieldCheck[] = [];
  for (const field of schema.fields.values()) {
    if (field.name === 'metadata' || (isKind && (field.name === 'status' || field.name === 'apiVersion' || field.name === 'kind')))
      continue;
    const required = field.required && canBeMissing(field) && isEnforced(schema.name, field.name);
    const check = compileField(schema, field);
    if (required || check) fields.push({ name: field.name, required, check });
  }
  if (!fields.length) return undefined;
  return (value, findings) => {
    if (typeof value !== 'object' || value === null) return;
    for (const f of fields) {
      const given = own(value as Json, f.name);
      if (isMissing(given)) {
        if (f.required) findings.errors.push(fieldErrors.required(findings.at(f.name)));
      } else if (f.check) {
        findings.path.push(f.name);
        f.check(given, findings);
        findings.path.pop();
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

const isMissing = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);

function compileField(owner: ObjectSchema, field: FieldSchema): Check | undefined {
  const rule = own(rulesOf(owner.name), field.name);
  const { min, max } = rule ?? {};
  if (min !== undefined || max !== undefined) return (value, findings) => checkBounds(value, findings, min, max);
  if (field.enum) {
    const allowed: ReadonlySet<unknown> = new Set(field.enum);
    const values = field.enum;
    const one: Check = (value, findings) => {
      if (!allowed.has(value)) findings.errors.push(fieldErrors.notSupported(findings.at(''), value, values));
    };
    return field.schema.type === 'list' ? each(one) : one;
  }
  return compileValue(field.schema);
}

function checkBounds(value: unknown, findings: Findings, min: number | undefined, max: number | undefined): void {
  if (typeof value !== 'number' || (value >= (min ?? value) && value <= (max ?? value))) return;
  const detail = max === undefined ? `must be greater than or equal to ${min ?? 0}` : `must be between ${min ?? 0} and ${max}, inclusive`;
  findings.errors.push(fieldErrors.invalid(findings.at(''), value, detail));
}

function compileValue(schema: Schema): Check | undefined {
  if (schema.type === 'object') return checkOf(schema);
  if (schema.type === 'list') {
    const check = compileValue(schema.items);
    return check && each(check);
  }
  if (schema.type === 'map') {
    const check = compileValue(schema.values);
    return check && eachValue(check);
  }
  return undefined;
}

function each(check: Check): Check {
  return (value, findings) => {
    if (!Array.isArray(value)) return;
    value.forEach((item: unknown, i) => {
      findings.path.push(i);
      check(item, findings);
      findings.path.pop();
    });
  };
}

function eachValue(check: Check): Check {
  return (value, findings) => {
    for (const key in value as Json) {
      findings.path.push(`[${key}]`);
      check(own(value as Json, key), findings);
      findings.path.pop();
    }
  };
}
