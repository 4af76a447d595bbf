/**
 * Whether a schema is structural: every value in it has a type, which is said once, outside of allOf, anyOf, oneOf and not;
 * of metadata, only names are restricted. The errors come in the order of their texts, as upstream sorts them.
 * Upstream: apiextensions-apiserver/pkg/apiserver/schema/{validation,complete,convert}.go.
 */
import type { JSONSchemaProps } from '../../generated/apiextensions-v1.ts';
import { equalJson } from '../../meta/deep-equal.ts';
import { describeFieldError, type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { Pace, type Steps } from '../../meta/steps.ts';
import { own } from '../../meta/words.ts';
import { patternProblem } from './pattern.ts';
import type { Path } from './places.ts';
import { isSchema } from './structural.ts';

type Said = JSONSchemaProps;
type Level = 'root' | 'item' | 'field';

/** Nodes checked in one step. */
const nodesAtOnce = 100;

export function* checkStructural(said: Said, path: Path): Steps<readonly FieldError[]> {
  const found: FieldError[] = [];
  const pace = new Pace(nodesAtOnce);
  for (const node of nodesOf(said, 'root', path)) {
    yield* checkJoins(found, node.said, node.path, isIntOrString(node.said.anyOf), pace);
    checkNode(found, node);
    if (pace.isDue()) yield;
  }
  checkComplete(found, said, said, { structure: path, value: path });
  yield;
  return found
    .map((error) => ({ error, text: describeFieldError(error) }))
    .toSorted((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .map(({ error }) => error);
}

const notSupported = ['id', '$schema', '$ref', 'patternProperties', 'dependencies', 'additionalItems', 'definitions'] as const;

/** Why a schema has no structure at all; most of it is told in other words too (check-schema.ts). */
export function unsupported(said: Said): string | undefined {
  const name = notSupported.find((each) => said[each] !== undefined);
  if (name) return `OpenAPIV3Schema '${name === '$schema' ? 'schema' : name}' is not supported`;
  for (const joined of [said.not ? [said.not] : [], said.allOf, said.anyOf, said.oneOf]) {
    for (const each of joined ?? []) {
      const why = unsupported(each);
      if (why) return why;
    }
  }
  if (said['x-kubernetes-preserve-unknown-fields'] === false) {
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
  }
  if (Array.isArray(said.items)) return "OpenAPIV3Schema 'items' must be a schema, but is an array";
  for (const below of [said.items, ...Object.values(said.properties ?? {}), said.additionalProperties]) {
    const why = isSchema(below) ? unsupported(below) : undefined;
    if (why) return why;
  }
  return undefined;
}

const missingType: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

interface Node {
  readonly said: Said;
  readonly level: Level;
  readonly path: Path;
}

/** The structure of the schema, without what is joined. */
function* nodesOf(said: Said, level: Level, path: Path): Generator<Node> {
  yield { said, level, path };
  if (isSchema(said.items)) yield* nodesOf(said.items, 'item', path.field('items'));
  const properties = path.field('properties');
  for (const name in said.properties) {
    const property = own(said.properties, name);
    if (property) yield* nodesOf(property, 'field', properties.key(name));
  }
  if (isSchema(said.additionalProperties)) yield* nodesOf(said.additionalProperties, 'field', path.field('additionalProperties'));
}

function checkNode(found: FieldError[], { said, level, path }: Node): void {
  if (said.type === 'array' && !said.items) found.push(fieldErrors.required(path.field('items').text, 'must be specified'));
  if (said.additionalProperties !== undefined && level === 'root') {
    found.push(fieldErrors.forbidden(path.field('additionalProperties').text, 'must not be used at the root'));
  }
  checkKubernetesWords(found, said, level, path);
  checkMetadata(found, said, level, path.field('properties'));
}

function checkKubernetesWords(found: FieldError[], said: Said, level: Level, path: Path): void {
  const { type, 'x-kubernetes-embedded-resource': isEmbedded } = said;
  const isFree = said['x-kubernetes-preserve-unknown-fields'] ?? false;
  const add = (name: string, error: (field: string) => FieldError): void => void found.push(error(path.field(name).text));
  const mustBe = (detail: string) => (field: string) =>
    type ? fieldErrors.invalid(field, type, detail) : fieldErrors.required(field, detail);
  if (said['x-kubernetes-int-or-string']) {
    for (const name of ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'] as const) {
      if (said[name]) add(name, (field) => fieldErrors.invalid(field, true, 'must be false if x-kubernetes-int-or-string is true'));
    }
  }
  if (isEmbedded && type !== 'object') add('type', mustBe('must be object if x-kubernetes-embedded-resource is true'));
  else if (!type && !said['x-kubernetes-int-or-string'] && !isFree) add('type', mustBe(missingType[level]));
  if (level === 'root' && type && type !== 'object') add('type', mustBe('must be object at the root'));
  if (!isEmbedded) return;
  if (said.additionalProperties !== undefined) {
    add('additionalProperties', (field) => fieldErrors.forbidden(field, 'must not be used if x-kubernetes-embedded-resource is set'));
  }
  const bare = 'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
  if (!isFree && !said.properties) add('properties', (field) => fieldErrors.required(field, bare));
}

function checkMetadata(found: FieldError[], said: Said, level: Level, properties: Path): void {
  const { kind, apiVersion, metadata } = said.properties ?? {};
  const isResource = level === 'root' || said['x-kubernetes-embedded-resource'];
  const check = (name: string, property: Said | undefined, type: string): void => {
    if (!property || !isResource || property.type === type) return;
    found.push(fieldErrors.invalid(properties.key(name).field('type').text, property.type ?? '', `must be ${type}`));
  };
  check('kind', kind, 'string');
  check('apiVersion', apiVersion, 'string');
  check('metadata', metadata, 'object');
  if (!metadata || level !== 'root') return;
  const { type: _, default: __, properties: names = {}, ...rest } = metadata;
  if (Object.keys(rest).length === 0 && Object.keys(names).every((name) => name === 'name' || name === 'generateName')) return;
  const detail = 'must not specify anything other than name and generateName, but metadata is implicitly specified';
  found.push(fieldErrors.forbidden(properties.key('metadata').text, detail));
}

const intOrString = [{ type: 'integer' }, { type: 'string' }];
const isIntOrString = (anyOf: readonly Said[] | undefined): boolean => equalJson(anyOf, intOrString);

/** `mayType`: anyOf is the one that says integer or string */
function* checkJoins(found: FieldError[], said: Said, path: Path, mayType: boolean, pace: Pace): Steps<void> {
  for (const name of ['anyOf', 'allOf', 'oneOf'] as const) {
    if (name === 'anyOf' && mayType) continue;
    for (const [i, nested] of said[name]?.entries() ?? []) {
      const isTyped = name === 'allOf' && i === 0 && isIntOrString(nested.anyOf);
      yield* checkNested(found, nested, path.field(name).item(i), isTyped, pace);
    }
  }
  if (said.not) yield* checkNested(found, said.not, path.field('not'), false, pace);
  const problem = said.pattern ? patternProblem(said.pattern) : undefined;
  if (problem === undefined) return;
  const detail = `must be a valid regular expression, but isn't: ${problem}`;
  found.push(fieldErrors.invalid(path.field('pattern').text, said.pattern, detail));
}

/** What joined schemas must leave to the structure. */
const ofStructure = {
  type: 'must be empty to be structural',
  default: 'must be undefined to be structural',
  title: 'must be empty to be structural',
  description: 'must be empty to be structural',
  nullable: 'must be false to be structural',
  'x-kubernetes-preserve-unknown-fields': 'must be false to be structural',
  'x-kubernetes-embedded-resource': 'must be false to be structural',
  'x-kubernetes-int-or-string': 'must be false to be structural',
  'x-kubernetes-list-map-keys': 'must be empty to be structural',
  'x-kubernetes-list-type': 'must be undefined to be structural',
  'x-kubernetes-map-type': 'must be undefined to be structural',
  'x-kubernetes-validations': 'must be empty to be structural',
} as const;

function* checkNested(found: FieldError[], said: Said, path: Path, mayType: boolean, pace: Pace): Steps<void> {
  if (pace.isDue()) yield;
  yield* checkJoins(found, said, path, mayType, pace);
  if (isSchema(said.items)) yield* checkNested(found, said.items, path.field('items'), false, pace);
  const properties = path.field('properties');
  for (const name in said.properties) {
    const property = own(said.properties, name);
    if (property) yield* checkNested(found, property, properties.key(name), false, pace);
  }
  for (const [name, detail] of Object.entries(ofStructure)) {
    const given = said[name as keyof typeof ofStructure];
    if (name === 'default' ? given !== undefined : given) found.push(fieldErrors.forbidden(path.field(name).text, detail));
  }
  if (said.additionalProperties) {
    found.push(fieldErrors.forbidden(path.field('additionalProperties').text, 'must be undefined to be structural'));
  }
  if (own(said.properties, 'metadata')) {
    found.push(fieldErrors.forbidden(properties.key('metadata').text, 'must not be specified in a nested context'));
  }
}

/** Where something is in the structure, and where it is spoken of. */
interface Both {
  readonly structure: Path;
  readonly value: Path;
}

/** What joined schemas at the root speak of has to be in the structure. */
function checkComplete(found: FieldError[], said: Said, structure: Said, at: Both): void {
  const nested = (each: Said | undefined, value: Path): void => {
    if (each) checkNestedComplete(found, each, structure, { ...at, value });
  };
  nested(said.not, at.value.field('not'));
  for (const name of ['allOf', 'anyOf', 'oneOf'] as const) {
    said[name]?.forEach((each, i) => {
      nested(each, at.value.field(name).item(i));
    });
  }
}

function checkNestedComplete(found: FieldError[], said: Said, structure: Said | undefined, at: Both): void {
  if (!structure) {
    found.push(fieldErrors.required(at.structure.text, `because it is defined in ${at.value.text}`));
    return;
  }
  checkComplete(found, said, structure, at);
  const into = (step: (path: Path) => Path): Both => ({ structure: step(at.structure), value: step(at.value) });
  if (isSchema(said.items)) {
    const items = isSchema(structure.items) ? structure.items : undefined;
    checkNestedComplete(
      found,
      said.items,
      items,
      into((path) => path.field('items')),
    );
  }
  for (const name in said.properties) {
    const property = own(said.properties, name);
    if (property)
      checkNestedComplete(
        found,
        property,
        own(structure.properties, name),
        into((path) => path.field('properties').key(name)),
      );
  }
}
