/**
 * MutatingWebhookConfiguration and ValidatingWebhookConfiguration. Expressions of match conditions are compiled by
 * admission, where they run. Upstream: pkg/apis/admissionregistration/validation/validation.go.
 */
import type { MutatingWebhook, ValidatingWebhook } from '../../generated/admissionregistration-v1.ts';
import { MutatingWebhookConfiguration, ValidatingWebhookConfiguration } from '../../generated/kinds.ts';
import type { KindHooks } from '../../meta/kind.ts';
import { checkDns1035Label } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { addJudged } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { addInvalid, checkSelector, checkSupported, type Errors, repeats } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { fullyQualifiedName } from '../domain-checks.ts';
import { listOf } from '../lists.ts';
import { checkClientConfig } from '../webhook-checks.ts';
import { checkMatchConditions, checkRule } from './rule-checks.ts';

type Webhook = ValidatingWebhook & Pick<MutatingWebhook, 'reinvocationPolicy'>;
type Configuration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;

const harmless = ['None', 'NoneOnDryRun'];
const anyEffects = ['None', 'NoneOnDryRun', 'Some', 'Unknown'];
const reviewVersions = ['v1', 'v1beta1'];
const timeoutSecondsMax = 30;

const hooks: KindHooks<Configuration> = { validate, cells: nameAndAge(({ webhooks }) => [listOf(webhooks).length]) };

export const mutatingWebhookConfiguration = defineKind<Configuration>(MutatingWebhookConfiguration, {
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  hooks,
});
export const validatingWebhookConfiguration = defineKind<Configuration>(ValidatingWebhookConfiguration, {
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  hooks,
});

/** What was allowed once may stay. */
interface Leniency {
  readonly anyEffects: boolean;
  readonly anyVersions: boolean;
  readonly sameNames: boolean;
}

const webhooksOf = (object: Configuration | undefined): readonly Webhook[] => listOf<Webhook>(object?.webhooks);
const hasKnownVersion = ({ admissionReviewVersions: versions }: Webhook): boolean =>
  listOf(versions).some((version) => reviewVersions.includes(version));

function validate(object: Configuration, old?: Configuration): readonly FieldError[] {
  const errors: Errors = [];
  const before = webhooksOf(old);
  const lenient: Leniency = {
    anyEffects: before.some(({ sideEffects }) => !harmless.includes(sideEffects ?? '')),
    anyVersions: before.some((webhook) => webhook.admissionReviewVersions?.length && !hasKnownVersion(webhook)),
    sameNames: new Set(before.map(({ name }) => name)).size < before.length,
  };
  const names = new Set<string>();
  webhooksOf(object).forEach((webhook, i) => {
    const path = `webhooks[${i}]`;
    checkWebhook(errors, path, webhook, lenient);
    checkReviewVersions(errors, `${path}.admissionReviewVersions`, webhook, lenient);
    const { name } = webhook;
    if (name && names.has(name) && !lenient.sameNames) errors.push(fieldErrors.duplicate(`${path}.name`, name));
    names.add(name);
  });
  return errors;
}

function checkWebhook(errors: Errors, path: string, webhook: Webhook, lenient: Leniency): void {
  const { sideEffects, timeoutSeconds } = webhook as Partial<Webhook>;
  addJudged(errors, `${path}.name`, webhook.name ?? '', fullyQualifiedName);
  listOf(webhook.rules).forEach((rule, i) => {
    checkRule(errors, `${path}.rules[${i}]`, rule);
  });
  checkSupported(errors, `${path}.failurePolicy`, webhook.failurePolicy, ['Fail', 'Ignore']);
  checkSupported(errors, `${path}.matchPolicy`, webhook.matchPolicy, ['Equivalent', 'Exact']);
  const effects = lenient.anyEffects ? anyEffects : harmless;
  if (sideEffects === undefined) errors.push(fieldErrors.required(`${path}.sideEffects`, `must specify one of ${effects.join(', ')}`));
  else checkSupported(errors, `${path}.sideEffects`, sideEffects, effects);
  if (timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > timeoutSecondsMax)) {
    const message = `the timeout value must be between 1 and ${timeoutSecondsMax} seconds`;
    errors.push(fieldErrors.invalid(`${path}.timeoutSeconds`, timeoutSeconds, message));
  }
  checkSelector(errors, `${path}.namespaceSelector`, webhook.namespaceSelector);
  checkSelector(errors, `${path}.objectSelector`, webhook.objectSelector);
  checkSupported(errors, `${path}.reinvocationPolicy`, webhook.reinvocationPolicy, ['IfNeeded', 'Never']);
  checkClientConfig(errors, `${path}.clientConfig`, webhook.clientConfig ?? {}, 'exactly one of url or service is required');
  checkMatchConditions(errors, `${path}.matchConditions`, listOf(webhook.matchConditions), false);
}

function checkReviewVersions(errors: Errors, path: string, webhook: Webhook, lenient: Leniency): void {
  const versions = listOf(webhook.admissionReviewVersions);
  if (!versions.length) {
    errors.push(fieldErrors.required(path, `must specify one of ${reviewVersions.join(', ')}`));
    return;
  }
  const isRepeated = repeats<string>();
  versions.forEach((version, i) => {
    if (isRepeated(version)) errors.push(fieldErrors.invalid(`${path}[${i}]`, version, 'duplicate version'));
    else addInvalid(errors, `${path}[${i}]`, version, checkDns1035Label(version));
  });
  if (lenient.anyVersions || hasKnownVersion(webhook)) return;
  errors.push(fieldErrors.invalid(path, versions, `must include at least one of ${reviewVersions.join(', ')}`));
}
