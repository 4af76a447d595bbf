/**
 * MutatingWebhookConfiguration and ValidatingWebhookConfiguration. Expressions of match conditions are compiled by
 * admission, where they run. Upstream: pkg/apis/admissionregistration/validation/validation.go.
 */
import type { MutatingWebhook, ValidatingWebhook } from '../../generated/admissionregistration-v1.ts';
import { MutatingWebhookConfiguration, ValidatingWebhookConfiguration } from '../../generated/kinds.ts';
import type { KindHooks } from '../../meta/kind.ts';
import { checkDns1035Label } from '../../meta/names.ts';
import { countedAs, each, eachBy, evenAbsent, fields, format, knowing, oneOf, range, required } from '../../schema/rules/rules.ts';
import type { Rule, Walk } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { repeats } from '../checks.ts';
import { defineVersions } from '../define-kind.ts';
import { fullyQualifiedName } from '../domain-checks.ts';
import { listOf } from '../lists.ts';
import { selector } from '../shared-rules.ts';
import { clientConfig } from '../webhook-checks.ts';
import { matchConditions, matchPolicy, requestRule } from './rule-checks.ts';

type Webhook = ValidatingWebhook & Pick<MutatingWebhook, 'reinvocationPolicy'>;
type Configuration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;

const harmless = ['None', 'NoneOnDryRun'];
const anyEffects = ['None', 'NoneOnDryRun', 'Some', 'Unknown'];
const reviewVersions = ['v1', 'v1beta1'];
const timeoutSecondsMax = 30;

/** What was allowed once may stay. */
interface Leniency {
  readonly anyEffects: boolean;
  readonly anyVersions: boolean;
  readonly sameNames: boolean;
}

const webhooksOf = (object: Configuration | undefined): readonly Webhook[] => listOf<Webhook>(object?.webhooks);
const hasKnownVersion = ({ admissionReviewVersions: versions }: Webhook): boolean =>
  listOf(versions).some((version) => reviewVersions.includes(version));

const leniencyOf = (old: Configuration | undefined): Leniency => {
  const before = webhooksOf(old);
  return {
    anyEffects: before.some(({ sideEffects }) => !harmless.includes(sideEffects ?? '')),
    anyVersions: before.some((webhook) => webhook.admissionReviewVersions?.length && !hasKnownVersion(webhook)),
    sameNames: new Set(before.map(({ name }) => name)).size < before.length,
  };
};
const lenient = (walk: Walk): Leniency => walk.about as Leniency;

const sideEffects: Rule<string> = evenAbsent((value, walk) => {
  const effects = lenient(walk).anyEffects ? anyEffects : harmless;
  if (value === undefined) walk.required('', `must specify one of ${effects.join(', ')}`);
  else if (!effects.includes(value)) walk.notSupported('', value, effects);
});

const version = format(checkDns1035Label);
const versions: Rule<readonly string[]> = required(
  (given, walk) => {
    const isRepeated = repeats<string>();
    for (const [i, word] of given.entries()) {
      if (isRepeated(word)) walk.invalid(`[${i}]`, word, 'duplicate version');
      else walk.check(i, word, version);
    }
    if (lenient(walk).anyVersions || given.some((word) => reviewVersions.includes(word))) return;
    walk.invalid('', given, `must include at least one of ${reviewVersions.join(', ')}`);
  },
  `must specify one of ${reviewVersions.join(', ')}`,
);

const webhook = fields<Webhook>({
  name: countedAs('', fullyQualifiedName),
  rules: each(requestRule),
  failurePolicy: oneOf('Fail', 'Ignore'),
  matchPolicy,
  sideEffects,
  timeoutSeconds: range(1, timeoutSecondsMax, `the timeout value must be between 1 and ${timeoutSecondsMax} seconds`),
  namespaceSelector: selector,
  objectSelector: selector,
  reinvocationPolicy: oneOf('IfNeeded', 'Never'),
  clientConfig: countedAs({}, clientConfig('exactly one of url or service is required')),
  matchConditions: matchConditions(false),
  admissionReviewVersions: versions,
});
const webhooks = eachBy<Webhook>(() => {
  const isRepeated = repeats<string>();
  return (given, walk) => {
    webhook(given, walk, undefined);
    if (given.name && isRepeated(given.name) && !lenient(walk).sameNames) walk.duplicate('name', given.name);
  };
});

const hooks: KindHooks<Configuration> = {
  rules: knowing((_, _walk, old) => leniencyOf(old), fields<Configuration>({ webhooks: webhooks as Rule<readonly ValidatingWebhook[]> })),
  cells: nameAndAge((object) => [listOf(object.webhooks).length]),
};

export const [mutatingWebhookConfiguration, validatingWebhookConfiguration] = defineVersions(
  [MutatingWebhookConfiguration, ValidatingWebhookConfiguration],
  { hasGeneration: true, allowUnconditionalUpdate: false, hooks },
);
