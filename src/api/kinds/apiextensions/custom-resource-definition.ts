/**
 * CustomResourceDefinition: names, versions, schemas (schema/structural), columns, subresources, conversion.
 * What all versions share is told of at the top, where older versions of this kind had it.
 * Upstream: apiextensions-apiserver/pkg/apis/apiextensions/validation, pkg/registry/customresourcedefinition.
 */
import type { CustomResourceConversion, CustomResourceDefinitionSpec } from '../../generated/apiextensions-v1.ts';
import { CustomResourceDefinition } from '../../generated/kinds.ts';
import { isConditionTrue } from '../../meta/conditions.ts';
import { checkDns1035Label, checkDns1123Subdomain, nameIsDnsSubdomain } from '../../meta/names.ts';
import { type FieldError, fieldErrors, quoteAsGo } from '../../meta/status-error.ts';
import type { Steps } from '../../meta/steps.ts';
import { addJudged } from '../../schema/rules/walk.ts';
import { unknownFormats } from '../../schema/structural/check-definition.ts';
import { caBundleProblem } from '../ca-bundle.ts';
import { addInvalid, checkImmutable, checkOneOf, type Errors, repeats } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { change, setDefaultsWhereEmpty } from '../set-defaults.ts';
import { clientConfig } from '../webhook-checks.ts';
import { checkApproval } from './approval.ts';
import { markDeleted } from './definition-status.ts';
import { resourceNames } from './names.ts';
import { checkSharedParts, checkVersions, schemasOf } from './version-checks.ts';

type Definition = CustomResourceDefinition;
const reviewVersions = ['v1', 'v1beta1'];

export const customResourceDefinition = defineKind(CustomResourceDefinition, {
  storagePrefix: 'apiextensions.k8s.io/customresourcedefinitions',
  hashedVersion: 'v1beta1',
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  bulkyFields: ['openAPIV3Schema', 'kubectl.kubernetes.io/last-applied-configuration'],
  validateName,
  hooks: {
    default: (object) => change(object, 'spec', defaultSpec),
    prepareForCreate: (object) => withStoredVersion({ ...object, status: { conditions: null, acceptedNames: { kind: '', plural: '' } } }),
    prepareForUpdate: withStoredVersion,
    validate,
    warnings,
    statusRules: ({ status }, walk) => walk.check('status.acceptedNames', status.acceptedNames, resourceNames),
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

function* validate(object: Definition, old?: Definition): Steps<readonly FieldError[]> {
  const errors: Errors = [];
  const { spec } = object;
  const { names, group = '' } = spec;
  checkGroup(errors, 'spec.group', group);
  checkOneOf(errors, 'spec.scope', spec.scope, { of: ['Cluster', 'Namespaced'] });
  yield* checkVersions(errors, spec, old?.spec);
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) {
    if (!names?.[field]) errors.push(fieldErrors.required(`spec.names.${field}`));
  }
  if (names) addJudged(errors, 'spec.names', names, resourceNames);
  yield* checkSharedParts(errors, spec, old?.spec);
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

/** Of formats that no value is checked for, and that no older version had. */
function warnings({ spec }: Definition, old?: Definition): readonly string[] {
  const unknown = unknownFormats(schemasOf(spec));
  const added = old ? unknown.difference(unknownFormats(schemasOf(old.spec))) : unknown;
  return [...added].map((format) => `unrecognized format ${quoteAsGo(format)}`);
}

function checkGroup(errors: Errors, path: string, group: string): void {
  const messages = checkDns1123Subdomain(group);
  if (!group) errors.push(fieldErrors.required(path));
  else if (messages.length) errors.push(fieldErrors.invalid(path, group, messages.join(',')));
  else if (!group.includes('.')) errors.push(fieldErrors.invalid(path, group, 'should be a domain with at least one dot'));
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
  if (webhook?.clientConfig) {
    addJudged(errors, client, webhook.clientConfig, clientConfig('exactly one of url or service is required'));
    const { caBundle } = webhook.clientConfig;
    const problem = caBundle && !mayHaveAnyBundle(old) ? caBundleProblem(caBundle) : undefined;
    if (problem !== undefined) errors.push(fieldErrors.invalid(`${client}.caBundle`, caBundle, problem));
  } else errors.push(fieldErrors.required(client, 'required when strategy is set to Webhook'));
  checkReviewVersions(errors, `${path}.conversionReviewVersions`, versions, old);
}

/** Until it is established, which a bad one prevents; and what had one may go on having one. */
function mayHaveAnyBundle(old: Definition | undefined): boolean {
  if (!old || !isConditionTrue(listOf(old.status.conditions), 'Established')) return true;
  const { caBundle } = old.spec.conversion?.webhook?.clientConfig ?? {};
  return Boolean(caBundle) && caBundleProblem(caBundle ?? '') !== undefined;
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
  const names = new Set<string>();
  for (const { name, storage } of listOf(spec.versions)) {
    const isKnown = stored.includes(name) && !names.has(name);
    if (storage && !isKnown) errors.push(fieldErrors.invalid(path, stored, `must have the storage version ${name}`));
    names.add(name);
  }
  stored.forEach((version, i) => {
    if (names.has(version)) return;
    const message =
      `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage ` +
      `migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`;
    errors.push(fieldErrors.invalid(`${path}[${i}]`, version, message));
  });
}
