/**
 * What a definition's schema must not say, node by node: constructs that are not supported or contradict each other, lists
 * whose items can't be told apart, rules that are not well-formed.
 * Upstream: ValidateCustomResourceDefinitionOpenAPISchema in apiextensions-apiserver/pkg/apis/apiextensions/validation.
 */
import type { JSONSchemaProps, ValidationRule } from '../../generated/apiextensions-v1.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { Pace, type Steps } from '../../meta/steps.ts';
import { own } from '../../meta/words.ts';
import { readFieldPath } from './field-path.ts';
import type { Path } from './places.ts';
import { metaFields } from './prune.ts';
import { checkRules, growthOf, type RuleScope } from './rules/check-rules.ts';
import { isSchema, Structural } from './structural.ts';

type Said = JSONSchemaProps;

/** What is not asked of a definition whose old version did not keep to it. */
export interface Leniency {
  readonly types?: boolean;
  readonly setItems?: boolean;
  readonly listKeys?: boolean;
  readonly prunedDefaults?: boolean;
}

/** `rules`: absent where they are not to be compiled, since something else is wrong. */
export function* checkSchema(said: Said, path: Path, { leniency, rules }: SchemaCheckOptions): Steps<readonly FieldError[]> {
  const check = new SchemaCheck(leniency);
  const scope = rules && { ...rules, countMax: 1, uncorrelated: undefined };
  yield* check.node(said, path, { isRoot: true, insideMeta: false, noDefault: undefined, rules: scope });
  return [...check.found, ...check.foundInRules];
}

interface SchemaCheckOptions {
  readonly leniency: Leniency;
  readonly rules?: Pick<RuleScope, 'total' | 'isUnchanged'> | undefined;
}

/** Nodes checked in one step. */
const nodesAtOnce = 100;

interface Place {
  readonly isRoot: boolean;
  readonly insideMeta: boolean;
  /** where defaults are forbidden, and why */
  readonly noDefault: string | undefined;
  readonly rules: RuleScope | undefined;
}

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];
const notSupported = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'] as const;

class SchemaCheck {
  readonly found: FieldError[] = [];
  readonly foundInRules: FieldError[] = [];
  readonly #leniency: Leniency;
  readonly #pace = new Pace(nodesAtOnce);
  constructor(leniency: Leniency) {
    this.#leniency = leniency;
  }

  #add(path: Path, name: string, error: (field: string) => FieldError): void {
    this.found.push(error(path.field(name).text));
  }
  #forbid(path: Path, name: string, detail: string): void {
    this.#add(path, name, (field) => fieldErrors.forbidden(field, detail));
  }
  #require(path: Path, name: string, detail: string): void {
    this.#add(path, name, (field) => fieldErrors.required(field, detail));
  }
  #refuse(path: Path, name: string, value: unknown, detail: string): void {
    this.#add(path, name, (field) => fieldErrors.invalid(field, value, detail));
  }

  *node(said: Said, path: Path, place: Place): Steps<void> {
    if (this.#pace.isDue()) yield;
    const before = this.found.length;
    this.#checkSupported(said, path, place);
    if (said.uniqueItems) {
      this.#forbid(path, 'uniqueItems', 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic');
    }
    yield* this.#checkBelow(said, path, { ...place, isRoot: false }, place.isRoot);
    if (said['x-kubernetes-preserve-unknown-fields'] === false) {
      this.#refuse(path, 'x-kubernetes-preserve-unknown-fields', false, 'must be true or undefined');
    }
    this.#checkMapType(said, path);
    this.#checkListType(said, path);
    this.#checkListKeys(said, path);
    if (!this.#leniency.listKeys) this.found.push(...checkKeyedItems(said, path));
    said['x-kubernetes-validations']?.forEach((rule, i) => {
      this.#checkRule(said, rule, path.field('x-kubernetes-validations').item(i));
    });
    // Expressions on a schema that is wrong itself would be told of in words that help nobody.
    if (!place.rules || !said['x-kubernetes-validations'] || this.found.length > before) return;
    yield;
    const isResource = place.isRoot || (said['x-kubernetes-embedded-resource'] ?? false);
    this.foundInRules.push(...checkRules(new Structural(said), path, { ...place.rules, isResource }));
  }

  #checkSupported(said: Said, path: Path, { noDefault, insideMeta }: Place): void {
    const { type } = said;
    if (!this.#leniency.types && !isKnownType(said)) {
      this.#add(path, 'type', (field) => fieldErrors.notSupported(field, type, types));
    }
    if (said.default !== undefined && noDefault !== undefined) this.#forbid(path, 'default', `must not be set ${noDefault}`);
    for (const name of notSupported) if (said[name] !== undefined) this.#forbid(path, name, `${name} is not supported`);
    if (type === 'null') this.#forbid(path, 'type', 'type cannot be set to null, use nullable as an alternative');
    if (Array.isArray(said.items) && said.items.length) this.#forbid(path, 'items', 'items must be a schema object and not an array');
    if (insideMeta && said['x-kubernetes-embedded-resource']) {
      this.#forbid(path, 'x-kubernetes-embedded-resource', 'must not be used inside of resource meta');
    }
  }

  *#checkBelow(said: Said, path: Path, given: Place, isRoot: boolean): Steps<void> {
    const { additionalProperties, items } = said;
    const place = { ...given, rules: given.rules && grown(given.rules, said) };
    const joined = { ...given, rules: undefined };
    const isMap = said['x-kubernetes-list-type'] === 'map';
    const inList =
      isMap || !place.rules ? place : { ...place, rules: { ...place.rules, uncorrelated: place.rules.uncorrelated ?? path.text } };
    if (said.properties && (additionalProperties === false || isSchema(additionalProperties))) {
      this.#forbid(path, 'additionalProperties', 'additionalProperties and properties are mutual exclusive');
    }
    if (isSchema(additionalProperties)) {
      const inMap = 'inside additionalProperties applying to object metadata';
      yield* this.node(additionalProperties, path.field('additionalProperties'), place.insideMeta ? { ...place, noDefault: inMap } : place);
    }
    for (const name in said.properties) {
      const property = own(said.properties, name);
      if (!property) continue;
      const isMeta = (isRoot || said['x-kubernetes-embedded-resource']) && metaFields.has(name);
      const noDefault = isMeta && isRoot ? `in top-level ${name}` : place.noDefault;
      yield* this.node(property, path.field('properties').key(name), isMeta ? { ...place, insideMeta: true, noDefault } : place);
    }
    if (said.not) yield* this.node(said.not, path.field('not'), joined);
    for (const name of ['allOf', 'oneOf', 'anyOf'] as const) {
      for (const [i, each] of said[name]?.entries() ?? []) yield* this.node(each, path.field(name).item(i), joined);
    }
    for (const name in said.definitions) {
      const definition = own(said.definitions, name);
      if (definition) yield* this.node(definition, path.field('definitions').key(name), joined);
    }
    if (isSchema(items)) yield* this.node(items, path.field('items'), inList);
    if (Array.isArray(items)) {
      for (const [i, each] of (items as Said[]).entries()) yield* this.node(each, path.field('items').item(i), inList);
    }
    for (const name in said.dependencies) {
      const dependency = own(said.dependencies, name);
      if (isSchema(dependency)) yield* this.node(dependency, path.field('dependencies').key(name), joined);
    }
  }

  /** What is said that only counts for values of one type. */
  #checkOwnType({ type }: Said, path: Path, wanted: string, detail: string): boolean {
    if (type === wanted) return true;
    if (type) this.#refuse(path, 'type', type, detail);
    else this.#require(path, 'type', detail);
    return false;
  }

  #checkMapType(said: Said, path: Path): void {
    const mapType = said['x-kubernetes-map-type'];
    if (mapType === undefined) return;
    this.#checkOwnType(said, path, 'object', 'must be object if x-kubernetes-map-type is specified');
    const known = ['atomic', 'granular'];
    if (!known.includes(mapType)) this.#add(path, 'x-kubernetes-map-type', (field) => fieldErrors.notSupported(field, mapType, known));
  }

  #checkListType(said: Said, path: Path): void {
    const { 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': keys } = said;
    const isList =
      listType === undefined || this.#checkOwnType(said, path, 'array', 'must be array if x-kubernetes-list-type is specified');
    if (isList && listType === 'set' && !this.#leniency.setItems) {
      const unfit = unfitOfSet(said);
      const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set';
      if (unfit) this.#refuse(path.field('items'), unfit.name, unfit.value, detail);
    }
    const known = ['atomic', 'set', 'map'];
    if (listType !== undefined && !known.includes(listType)) {
      this.#add(path, 'x-kubernetes-list-type', (field) => fieldErrors.notSupported(field, listType, known));
    }
    if (!keys?.length || listType === 'map') return;
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
    if (listType === undefined) this.#require(path, 'x-kubernetes-list-type', detail);
    else this.#refuse(path, 'x-kubernetes-list-type', listType, detail);
  }

  #checkListKeys(said: Said, path: Path): void {
    const { items, 'x-kubernetes-list-map-keys': keys = [] } = said;
    if (said['x-kubernetes-list-type'] !== 'map') return;
    if (!keys.length) this.#require(path, 'x-kubernetes-list-map-keys', 'must not be empty if x-kubernetes-list-type is map');
    if (items === undefined) this.#require(path, 'items', 'must have a schema if x-kubernetes-list-type is map');
    else if (!isSchema(items)) this.#refuse(path, 'items', items, 'must only have a single schema if x-kubernetes-list-type is map');
    else if (items.type !== 'object') {
      this.#refuse(path.field('items'), 'type', items.type ?? '', "must be object if parent array's x-kubernetes-list-type is map");
    } else {
      const seen = new Set<string>();
      for (const key of keys) {
        const property = own(items.properties, key);
        if (!property) this.#refuse(path, 'x-kubernetes-list-map-keys', keys, 'entries must all be names of item properties');
        else if (property.type === 'array' || property.type === 'object') {
          const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
          this.#refuse(path.field('items').field('properties').key(key), 'type', items.type, detail);
        }
        if (seen.has(key)) this.#refuse(path, 'x-kubernetes-list-map-keys', keys, 'must not contain duplicate entries');
        seen.add(key);
      }
    }
  }

  #checkRule(said: Said, rule: ValidationRule, path: Path): void {
    const { message = '', messageExpression = '', reason, fieldPath = '' } = rule;
    const text = (rule.rule ?? '').trim();
    const isLong = (value: string): boolean => /[\n\r]/.test(value);
    if (!text) this.#require(path, 'rule', 'rule is not specified');
    else if (message && !message.trim()) this.#refuse(path, 'message', message, 'must be non-empty if specified');
    else if (isLong(message.trim())) this.#refuse(path, 'message', message, 'must not contain line breaks');
    else if (isLong(text) && !message) this.#require(path, 'message', 'message must be specified if rule contains line breaks');
    if (messageExpression && !messageExpression.trim()) {
      this.#require(path, 'messageExpression', 'messageExpression must be non-empty if specified');
    }
    if (reason !== undefined && !reasons.includes(reason)) {
      this.#add(path, 'reason', (field) => fieldErrors.notSupported(field, reason, reasons));
    }
    if (!fieldPath) return;
    if (!fieldPath.trim()) this.#refuse(path, 'fieldPath', fieldPath, 'must be non-empty if specified');
    if (isLong(fieldPath)) this.#refuse(path, 'fieldPath', fieldPath, 'must not contain line breaks');
    if (readFieldPath(fieldPath, new Structural(said)).problem !== undefined) {
      this.#refuse(path, 'fieldPath', fieldPath, 'must be a valid path');
    }
  }
}

/** The scope of what is below. */
function grown(rules: RuleScope, said: Said): RuleScope {
  const growth = growthOf(said);
  return { ...rules, countMax: rules.countMax === undefined || growth === undefined ? undefined : rules.countMax * growth };
}

export const isKnownType = ({ type }: Said): boolean => !type || types.includes(type);

/** What makes the items of a set no single values. */
export function unfitOfSet({ items }: Said): { readonly name: string; readonly value: unknown } | undefined {
  if (!isSchema(items)) return undefined;
  const listType = items['x-kubernetes-list-type'];
  if (items.type === 'array' && listType !== undefined && listType !== 'atomic') return { name: 'x-kubernetes-list-type', value: listType };
  if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic') return { name: 'x-kubernetes-map-type', value: listType };
  return undefined;
}

/** Keys of items have to be there, and no item may be null. */
export function checkKeyedItems(said: Said, path: Path): readonly FieldError[] {
  const { items, 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': keys = [] } = said;
  if (!isSchema(items) || (listType !== 'set' && listType !== 'map')) return [];
  const found: FieldError[] = [];
  const at = path.field('items');
  const required = new Set(items.required);
  if (items.nullable) {
    found.push(fieldErrors.forbidden(at.field('nullable').text, `cannot be nullable when x-kubernetes-list-type is ${listType}`));
  }
  for (const key of listType === 'map' ? keys : []) {
    const property = own(items.properties, key);
    if (!property) continue;
    const why = 'this property is in x-kubernetes-list-map-keys, so it';
    const ofKey = at.field('properties').key(key);
    if (!required.has(key) && property.default === undefined) {
      found.push(fieldErrors.required(ofKey.field('default').text, `${why} must have a default or be a required property`));
    }
    if (property.nullable) found.push(fieldErrors.forbidden(ofKey.field('nullable').text, `${why} cannot be nullable`));
  }
  return found;
}
