/**
 * The versions of a definition. What all of them say alike is told of at the top, where older versions of this kind had it.
 * Upstream: apiextensions-apiserver/pkg/apis/apiextensions/validation, apis/apiextensions/v1/conversion.go.
 */
import type {
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  JSONSchemaProps,
  SelectableField,
} from '../../generated/apiextensions-v1.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { checkDns1035Label } from '../../meta/names.ts';
import { fieldErrors } from '../../meta/status-error.ts';
import type { Steps } from '../../meta/steps.ts';
import { checkDefinitionSchema, leniencyOf } from '../../schema/structural/check-definition.ts';
import type { Leniency } from '../../schema/structural/check-schema.ts';
import { unsupported } from '../../schema/structural/check-structural.ts';
import { readFieldPath } from '../../schema/structural/field-path.ts';
import { Path } from '../../schema/structural/places.ts';
import { Structural, saysAnywhere } from '../../schema/structural/structural.ts';
import { checkPresent, type Errors } from '../checks.ts';
import { listOf } from '../lists.ts';

type Spec = CustomResourceDefinitionSpec;
type Version = CustomResourceDefinitionVersion;
type Part = 'schema' | 'subresources' | 'additionalPrinterColumns' | 'selectableFields';
const parts: readonly Part[] = ['schema', 'subresources', 'additionalPrinterColumns', 'selectableFields'];

/** Those that are the same in all versions. */
function sharedParts(versions: readonly Version[]): ReadonlySet<Part> {
  const [first] = versions;
  return new Set(first ? parts.filter((part) => versions.every((version) => equalSemantically(version[part], first[part]))) : []);
}

export const schemasOf = (spec: Spec): readonly JSONSchemaProps[] =>
  listOf(spec.versions).flatMap(({ schema }) => schema?.openAPIV3Schema ?? []);

export function* checkVersions(errors: Errors, spec: Spec, old: Spec | undefined): Steps<void> {
  const versions = listOf(spec.versions);
  const shared = sharedParts(versions);
  yield;
  const before = old && (yield* beforeOf(old));
  versions.forEach(({ schema }, i) => {
    if (!schema?.openAPIV3Schema) errors.push(fieldErrors.required(`spec.versions[${i}].schema.openAPIV3Schema`));
  });
  if (spec.preserveUnknownFields && schemasOf(spec).some((schema) => saysAnywhere(schema, (said) => said.default !== undefined))) {
    errors.push(fieldErrors.invalid('spec.preserveUnknownFields', true, 'must be false in order to use defaults in the schema'));
  }
  for (const [i, version] of versions.entries()) {
    const path = `spec.versions[${i}]`;
    const { name = '' } = version;
    const messages = checkDns1035Label(name);
    if (messages.length) errors.push(fieldErrors.invalid(`${path}.name`, name, messages.join(',')));
    checkWarning(errors, path, version);
    const hasStatus = version.subresources?.status !== undefined;
    if (!shared.has('schema')) yield* checkVersionSchema(errors, `${path}.schema`, version, { hasStatus, before });
    if (!shared.has('subresources')) checkSubresources(errors, `${path}.subresources`, version.subresources);
    if (!shared.has('additionalPrinterColumns')) checkColumns(errors, `${path}.additionalPrinterColumns`, version);
    if (!shared.has('selectableFields')) {
      const schema = shared.has('schema') ? undefined : version.schema?.openAPIV3Schema;
      const absent = 'may only be set when `version.schema.openAPIV3Schema` is not included';
      const fieldsBefore = listOf(before?.versions.get(name)?.selectableFields);
      checkSelectableFields(errors, path, listOf(version.selectableFields), { schema, before: fieldsBefore, absent });
    }
  }
  if (new Set(versions.map(({ name }) => name)).size < versions.length) {
    errors.push(fieldErrors.invalid('spec.versions', versions, 'must contain unique version names'));
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    const shown = versions.length ? versions : null;
    errors.push(fieldErrors.invalid('spec.versions', shown, 'must have exactly one version marked as storage version'));
  }
  const [first] = versions;
  const messages = first ? checkDns1035Label(first.name) : [];
  if (messages.length) errors.push(fieldErrors.invalid('spec.version', first?.name, messages.join(',')));
}

export function* checkSharedParts(errors: Errors, spec: Spec, old: Spec | undefined): Steps<void> {
  const versions = listOf(spec.versions);
  const [first] = versions;
  if (!first) return;
  const shared = sharedParts(versions);
  yield;
  const hasStatus = versions.some(({ subresources }) => subresources?.status !== undefined);
  if (shared.has('schema')) {
    yield* checkVersionSchema(errors, 'spec.validation', first, { hasStatus, before: old && (yield* beforeOf(old)) });
  }
  if (shared.has('subresources')) checkSubresources(errors, 'spec.subresources', first.subresources);
  if (shared.has('additionalPrinterColumns')) checkColumns(errors, 'spec.additionalPrinterColumns', first);
  if (!shared.has('selectableFields')) return;
  const schema = shared.has('schema') ? first.schema?.openAPIV3Schema : undefined;
  const before = listOf(listOf(old?.versions)[0]?.selectableFields);
  const absent = 'may only be set when validations.schema is included';
  checkSelectableFields(errors, 'spec', listOf(first.selectableFields), { schema, before, absent });
}

/** What the old definition was. */
interface Before {
  readonly versions: ReadonlyMap<string, Version>;
  readonly leniency: Leniency;
}

function* beforeOf(old: Spec): Steps<Before> {
  const leniency = yield* leniencyOf(schemasOf(old));
  yield;
  // of two of one name the first counts
  return {
    versions: new Map(
      listOf(old.versions)
        .map((version) => [version.name, version] as const)
        .toReversed(),
    ),
    leniency,
  };
}

function* checkVersionSchema(
  errors: Errors,
  path: string,
  { name, schema }: Version,
  { hasStatus, before }: { readonly hasStatus: boolean; readonly before: Before | undefined },
): Steps<void> {
  if (!schema?.openAPIV3Schema) return;
  const same = before?.versions.get(name);
  const isUnchanged = same !== undefined && equalSemantically(same.schema, schema);
  if (before) yield;
  const at = new Path(`${path}.openAPIV3Schema`);
  const options = { hasStatus, leniency: before?.leniency ?? {}, isUnchanged };
  errors.push(...(yield* checkDefinitionSchema(schema.openAPIV3Schema, at, options)));
}

const selectableFieldsMax = 8;

interface OfSelectableFields {
  readonly schema: JSONSchemaProps | undefined;
  /** the old ones: too many may stay */
  readonly before: readonly SelectableField[];
  /** what is said without a schema */
  readonly absent: string;
}

function checkSelectableFields(
  errors: Errors,
  at: string,
  fields: readonly SelectableField[],
  { schema, before, absent }: OfSelectableFields,
): void {
  if (!fields.length) return;
  const path = `${at}.selectableFields`;
  const why = schema ? unsupported(schema) : absent;
  if (why !== undefined) errors.push(fieldErrors.invalid(schema ? `${at}.schema.openAPIV3Schema` : path, '', why));
  if (!schema) return;
  const root = new Structural(schema);
  const known = new Set<string>();
  for (const [i, { jsonPath = '' }] of fields.entries()) {
    const field = `${path}[${i}].jsonPath`;
    if (!checkPresent(errors, field, jsonPath) || why !== undefined) continue;
    const found = readFieldPath(jsonPath, root, { brackets: false });
    const add = (detail: string): void => void errors.push(fieldErrors.invalid(field, jsonPath, detail));
    if (found.problem !== undefined) {
      add(`is an invalid path: ${found.problem}`);
      continue;
    }
    if (found.root === 'metadata') add('must not point to fields in metadata');
    if (!selectableTypes.includes(found.node?.said.type ?? '')) {
      add('must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.');
    }
    if (known.has(found.path.text)) errors.push(fieldErrors.duplicate(field, jsonPath));
    known.add(found.path.text);
  }
  const mayBeMany = before.length > selectableFieldsMax && equalSemantically(before, fields);
  if (known.size > selectableFieldsMax && !mayBeMany) errors.push(fieldErrors.tooMany(path, known.size, selectableFieldsMax));
}
const selectableTypes: readonly string[] = ['string', 'boolean', 'integer'];

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
const warningMax = 256;

function checkWarning(errors: Errors, path: string, { deprecated, deprecationWarning: warning }: Version): void {
  if (warning === undefined) return;
  const add = (message: string): void => void errors.push(fieldErrors.invalid(`${path}.deprecationWarning`, warning, message));
  if (!deprecated) {
    add('can only be set for deprecated versions');
    return;
  }
  if (warning.length > warningMax) add(`must be <= ${warningMax} characters long`);
  if (!warning) add('must not be an empty string');
  const at = warning.search(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u);
  if (at >= 0) add(`must only contain printable UTF-8 characters; non-printable character found at index ${at}`);
}

function checkColumns(errors: Errors, path: string, { additionalPrinterColumns: columns }: Version): void {
  listOf(columns).forEach(({ name, type, format, jsonPath }, i) => {
    const at = `${path}[${i}]`;
    const types = `must be one of ${columnTypes.join(',')}`;
    checkPresent(errors, `${at}.name`, name);
    if (checkPresent(errors, `${at}.type`, type, types) && !columnTypes.includes(type)) {
      errors.push(fieldErrors.invalid(`${at}.type`, type, types));
    }
    if (format && !columnFormats.includes(format)) {
      errors.push(fieldErrors.invalid(`${at}.format`, format, `must be one of ${columnFormats.join(',')}`));
    }
    if (checkPresent(errors, `${at}.JSONPath`, jsonPath)) checkPath(errors, `${at}.JSONPath`, jsonPath);
  });
}

function checkPath(errors: Errors, at: string, path: string): boolean {
  if (path.startsWith('.')) return true;
  errors.push(fieldErrors.invalid(at, path, 'must be a simple json path starting with .'));
  return false;
}

function checkSubresources(errors: Errors, path: string, subresources: CustomResourceSubresources | undefined): void {
  const { scale } = subresources ?? {};
  if (!scale) return;
  const check = (field: keyof typeof scale, roots: readonly string[], message: string): void => {
    const at = `${path}.scale.${field}`;
    const value = scale[field] ?? '';
    if (!value && field === 'labelSelectorPath') return;
    if (!checkPresent(errors, at, value) || !checkPath(errors, at, value)) return;
    if (!roots.some((root) => value.startsWith(root))) errors.push(fieldErrors.invalid(at, value, message));
  };
  check('specReplicasPath', ['.spec.'], 'should be a json path under .spec');
  check('statusReplicasPath', ['.status.'], 'should be a json path under .status');
  check('labelSelectorPath', ['.spec.', '.status.'], 'should be a json path under either .spec or .status');
}
