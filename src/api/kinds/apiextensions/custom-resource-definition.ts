/**
 * CustomResourceDefinition, but for the schemas of its versions: names, versions, columns, subresources, conversion.
 * What all versions share is told of at the top, where older versions of this kind had it.
 * Upstream: apiextensions-apiserver/pkg/apis/apiextensions/validation, pkg/registry/customresourcedefinition.
 */
import type {
  CustomResourceConversion,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
} from '../../generated/apiextensions-v1.ts';
import { CustomResourceDefinition } from '../../generated/kinds.ts';
import { isConditionTrue } from '../../meta/conditions.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { checkDns1035Label, checkDns1123Subdomain, nameIsDnsSubdomain } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { addInvalid, checkImmutable, checkOneOf, type Errors, repeats } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { change, setDefaultsWhereEmpty } from '../set-defaults.ts';
import { checkClientConfig } from '../webhook-checks.ts';
import { checkApproval } from './approval.ts';
import { markDeleted } from './definition-status.ts';
import { checkNames } from './names.ts';
import { checkColumns, checkSubresources, checkWarning } from './version-checks.ts';

type Definition = CustomResourceDefinition;
const reviewVersions = ['v1', 'v1beta1'];

export const customResourceDefinition = defineKind(CustomResourceDefinition, {
  storagePrefix: 'apiextensions.k8s.io/customresourcedefinitions',
  hashedVersion: 'v1beta1',
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  validateName,
  hooks: {
    default: (object) => withStoredVersion(change(object, 'spec', defaultSpec)),
    prepareForCreate: (object) => withStoredVersion({ ...object, status: { conditions: null, acceptedNames: { kind: '', plural: '' } } }),
    prepareForUpdate: withStoredVersion,
    validate,
    validateStatus({ status }) {
      const errors: Errors = [];
      if (status.acceptedNames) checkNames(errors, 'status.acceptedNames', status.acceptedNames);
      return errors;
    },
    cells: ({ metadata }) => [metadata.name, metadata.creationTimestamp ?? null],
    markDeleted: (object, { nowMs }) => markDeleted(object, nowMs),
  },
});

function defaultSpec(spec: CustomResourceDefinitionSpec): CustomResourceDefinitionSpec {
  return change(spec, 'names', (names) => {
    const { kind = '' } = names;
    return setDefaultsWhereEmpty(names, { singular: kind.toLowerCase(), ...(kind && { listKind: `${kind}List` }) });
  });
}

/** Objects may be stored in every version that was the stored one at some time. */
function withStoredVersion(object: Definition): Definition {
  const stored = listOf(object.spec?.versions).find(({ storage }) => storage);
  const known = listOf(object.status.storedVersions);
  if (!stored || known.includes(stored.name)) return object;
  return { ...object, status: { ...object.status, storedVersions: [...known, stored.name] } };
}

function validateName(name: string, prefix: boolean, { spec: { names, group = '' } }: Definition): readonly string[] {
  const problems = nameIsDnsSubdomain(name, prefix);
  return name === `${names?.plural ?? ''}.${group}` ? problems : [...problems, 'must be spec.names.plural+"."+spec.group'];
}

function validate(object: Definition, old?: Definition): readonly FieldError[] {
  const errors: Errors = [];
  const { spec } = object;
  const { names, group = '' } = spec;
  checkGroup(errors, 'spec.group', group);
  checkOneOf(errors, 'spec.scope', spec.scope, { of: ['Cluster', 'Namespaced'] });
  checkVersions(errors, spec);
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) {
    if (!names?.[field]) errors.push(fieldErrors.required(`spec.names.${field}`));
  }
  if (names) checkNames(errors, 'spec.names', names);
  if (spec.preserveUnknownFields && spec.conversion && spec.conversion.strategy !== 'None') {
    const message = 'must be None if spec.preserveUnknownFields is true';
    errors.push(fieldErrors.invalid('spec.conversion.strategy', spec.conversion.strategy, message));
  }
  if (spec.conversion) checkConversion(errors, 'spec.conversion', spec.conversion, old);
  if (old) checkUpdate(errors, spec, old);
  checkStoredVersions(errors, object);
  checkApproval(errors, object, old);
  if (spec.preserveUnknownFields && !old?.spec.preserveUnknownFields) {
    const message = 'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    errors.push(fieldErrors.invalid('spec.preserveUnknownFields', true, message));
  }
  return errors;
}

function checkGroup(errors: Errors, path: string, group: string): void {
  const messages = checkDns1123Subdomain(group);
  if (!group) errors.push(fieldErrors.required(path));
  else if (messages.length) errors.push(fieldErrors.invalid(path, group, messages.join(',')));
  else if (!group.includes('.')) errors.push(fieldErrors.invalid(path, group, 'should be a domain with at least one dot'));
}

function checkVersions(errors: Errors, spec: CustomResourceDefinitionSpec): void {
  const versions = listOf(spec.versions);
  const [first] = versions;
  const isShared = (field: keyof CustomResourceDefinitionVersion): boolean =>
    versions.every((version) => equalSemantically(version[field], first?.[field]));
  const shared = { schema: isShared('schema'), subresources: isShared('subresources'), columns: isShared('additionalPrinterColumns') };
  versions.forEach((version, i) => {
    const path = `spec.versions[${i}]`;
    const { name = '' } = version;
    const messages = checkDns1035Label(name);
    if (messages.length) errors.push(fieldErrors.invalid(`${path}.name`, name, messages.join(',')));
    if (!version.schema?.openAPIV3Schema) errors.push(fieldErrors.required(`${path}.schema.openAPIV3Schema`));
    checkWarning(errors, path, version);
    if (!shared.subresources) checkSubresources(errors, `${path}.subresources`, version.subresources);
    if (!shared.columns) checkColumns(errors, `${path}.additionalPrinterColumns`, version);
  });
  if (first && shared.subresources) checkSubresources(errors, 'spec.subresources', first.subresources);
  if (first && shared.columns) checkColumns(errors, 'spec.additionalPrinterColumns', first);
  if (new Set(versions.map(({ name }) => name)).size < versions.length) {
    errors.push(fieldErrors.invalid('spec.versions', versions, 'must contain unique version names'));
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    const shown = versions.length ? versions : null;
    errors.push(fieldErrors.invalid('spec.versions', shown, 'must have exactly one version marked as storage version'));
  }
  const messages = first ? checkDns1035Label(first.name) : [];
  if (messages.length) errors.push(fieldErrors.invalid('spec.version', first?.name, messages.join(',')));
}

function checkConversion(errors: Errors, path: string, { strategy, webhook }: CustomResourceConversion, old?: Definition): void {
  checkOneOf(errors, `${path}.strategy`, strategy, { of: ['None', 'Webhook'] });
  const client = `${path}.webhookClientConfig`;
  const versions = listOf(webhook?.conversionReviewVersions);
  const unexpected = 'should not be set when strategy is not set to Webhook';
  if (strategy !== 'Webhook') {
    if (webhook?.clientConfig) errors.push(fieldErrors.forbidden(client, unexpected));
    if (versions.length) errors.push(fieldErrors.forbidden(`${path}.conversionReviewVersions`, unexpected));
    return;
  }
  if (webhook?.clientConfig) checkClientConfig(errors, client, webhook.clientConfig, 'exactly one of url or service is required');
  else errors.push(fieldErrors.required(client, 'required when strategy is set to Webhook'));
  checkReviewVersions(errors, `${path}.conversionReviewVersions`, versions, old);
}

function checkReviewVersions(errors: Errors, path: string, versions: readonly string[], old?: Definition): void {
  if (!versions.length) return void errors.push(fieldErrors.required(path));
  const isRepeated = repeats<string>();
  versions.forEach((version, i) => {
    if (isRepeated(version)) errors.push(fieldErrors.invalid(`${path}[${i}]`, version, 'duplicate version'));
    else addInvalid(errors, `${path}[${i}]`, version, checkDns1035Label(version));
  });
  const isKnown = (list: readonly string[]): boolean => list.some((version) => reviewVersions.includes(version));
  const before = listOf(old?.spec.conversion?.webhook?.conversionReviewVersions);
  if (isKnown(versions) || (before.length && !isKnown(before))) return;
  errors.push(fieldErrors.invalid(path, versions, `must include at least one of ${reviewVersions.join(', ')}`));
}

function checkUpdate(errors: Errors, spec: CustomResourceDefinitionSpec, { spec: before, status }: Definition): void {
  if (isConditionTrue(listOf(status.conditions), 'Established')) {
    checkImmutable(errors, 'spec.scope', spec.scope, before.scope);
    checkImmutable(errors, 'spec.names.kind', spec.names.kind, before.names.kind);
  }
  checkImmutable(errors, 'spec.group', spec.group, before.group);
  checkImmutable(errors, 'spec.names.plural', spec.names.plural, before.names.plural);
}

function checkStoredVersions(errors: Errors, { spec, status }: Definition): void {
  const path = 'status.storedVersions';
  const stored = listOf(status.storedVersions);
  if (!stored.length) return void errors.push(fieldErrors.invalid(path, null, 'must have at least one stored version'));
  const names = new Set(listOf(spec.versions).map(({ name }) => name));
  for (const { name, storage } of listOf(spec.versions)) {
    if (storage && !stored.includes(name)) errors.push(fieldErrors.invalid(path, stored, `must have the storage version ${name}`));
  }
  stored.forEach((version, i) => {
    if (names.has(version)) return;
    const message =
      `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage ` +
      `migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`;
    errors.push(fieldErrors.invalid(`${path}[${i}]`, version, message));
  });
}
