/**
 * All that is wrong with one schema of a definition. What has no sound structure is not asked for its defaults.
 * Upstream: validateCustomResourceDefinitionValidation in apiextensions-apiserver/pkg/apis/apiextensions/validation.
 */
import type { JSONSchemaProps } from '../../generated/apiextensions-v1.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import type { Steps } from '../../meta/steps.ts';
import { checkDefaults } from './check-defaults.ts';
import { checkKeyedItems, checkSchema, isKnownType, type Leniency, unfitOfSet } from './check-schema.ts';
import { checkStructural, unsupported } from './check-structural.ts';
import { countingFormat } from './formats.ts';
import { Path } from './places.ts';
import { pruneDefault } from './prune.ts';
import { TotalCost } from './rules/check-rules.ts';
import { Structural, saysAnywhere } from './structural.ts';

type Said = JSONSchemaProps;

export interface SchemaOptions {
  readonly hasStatus: boolean;
  readonly leniency: Leniency;
  /** the old version of the definition has the same schema */
  readonly isUnchanged?: boolean;
}

/** `path`: of the schema itself, which ends in openAPIV3Schema */
export function* checkDefinitionSchema(said: Said, path: Path, options: SchemaOptions): Steps<readonly FieldError[]> {
  const { hasStatus, leniency, isUnchanged = false } = options;
  const found: FieldError[] = hasStatus ? [...checkRoot(said, path)] : [];
  if (said.nullable) found.push(fieldErrors.forbidden(`${path.text}.nullable`, 'nullable cannot be true at the root'));
  const why = unsupported(said);
  const total = new TotalCost();
  let rules: { total: TotalCost; isUnchanged: boolean } | undefined;
  if (why === undefined) {
    let ofStructure = yield* checkStructural(said, path);
    if (!ofStructure.length) ofStructure = yield* checkDefaults(said, path, leniency.prunedDefaults ?? false);
    if (!ofStructure.length) rules = { total, isUnchanged };
    found.push(...ofStructure);
  }
  yield;
  found.push(...(yield* checkSchema(said, path, { leniency, rules })));
  if (!found.length && why !== undefined) return [fieldErrors.invalid(path.text, '', why)];
  return [...found, ...total.problems(path)];
}

/** Where status has a schema of its own, the root says nothing that would be lost with it. */
const allowedAtRoot =
  'Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems ' +
  'UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations';
const words = new Set(
  allowedAtRoot.split(' ').map((name) => {
    const rest = name.replace(/^X(?=[A-Z])/, '');
    if (rest === name) return name.charAt(0).toLowerCase() + name.slice(1);
    return `x-kubernetes${rest.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  }),
);

function checkRoot(said: Said, path: Path): readonly FieldError[] {
  const { type } = said;
  const isOwn = said.id ?? said.$schema ?? said.$ref;
  if (isOwn === undefined && type && type !== 'object') {
    const detail = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    return [fieldErrors.invalid(`${path.text}.type`, type, detail)];
  }
  if (Object.keys(said).every((name) => words.has(name))) return [];
  const detail = `only [${allowedAtRoot}] fields are allowed at the root of the schema if the status subresource is enabled`;
  return [fieldErrors.invalid(path.text, said, detail)];
}

/** What an update may go on doing: what the old schemas did. */
export function* leniencyOf(schemas: readonly Said[]): Steps<Leniency> {
  const anywhere = (such: (said: Said) => boolean): boolean => schemas.some((said) => saysAnywhere(said, such));
  const types = anywhere((said) => !isKnownType(said));
  yield;
  const setItems = anywhere((said) => said['x-kubernetes-list-type'] === 'set' && unfitOfSet(said) !== undefined);
  yield;
  const listKeys = anywhere((said) => checkKeyedItems(said, new Path()).length > 0);
  yield;
  const prunedDefaults = schemas.some((said) => unsupported(said) === undefined && hasUnpruned(new Structural(said)));
  return { types, setItems, listKeys, prunedDefaults };
}

function hasUnpruned(node: Structural): boolean {
  if (!node.fills) return false;
  if (node.said.default !== undefined && pruneDefault(node, node.said.default).hasUnknown) return true;
  return (node.items !== undefined && hasUnpruned(node.items)) || node.filling.some(([, property]) => hasUnpruned(property));
}

/** Formats that count for no value of their type. */
export function unknownFormats(schemas: readonly Said[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const schema of schemas) {
    saysAnywhere(schema, ({ type = '', format = '' }) => {
      if (format && countingFormat(type, format) === '') found.add(format);
      return false;
    });
  }
  return found;
}
