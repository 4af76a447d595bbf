/**
 * matchConditions of a webhook: compiled when a request first comes to them. One that is false: it is not asked. None
 * false, but some that fail: the failurePolicy says whether the request is refused, or goes on without it.
 * Upstream: apiserver/pkg/admission/plugin/webhook/matchconditions/matcher.go.
 */
import { Compiler, type MatchCondition, matchConditions } from '../../../../api/cel/admission/expressions.ts';
import { BOOL } from '../../../../api/cel/types.ts';
import { errors } from '../../../../api/meta/status-error.ts';
import { realClock } from '../../../../client/clock.ts';
import type { AdmissionRequest } from '../../request/request.ts';
import type { PolicyRequest } from '../policies/evaluation.ts';
import type { Shown } from './admission-review.ts';
import type { Hook, Webhook } from './hooks.ts';
import type { WebhookTools } from './webhook-tools.ts';

const msPerSecond = 1000;

/** As long as its configuration stays. */
const compiled = new WeakMap<Webhook, readonly MatchCondition[]>();

function compile(webhook: Webhook): readonly MatchCondition[] {
  let conditions = compiled.get(webhook);
  if (!conditions) {
    const compiler = new Compiler({ authorizer: true }, false);
    conditions = (webhook.matchConditions ?? []).map(({ name, expression }) => ({ name, ...compiler.compile(expression, BOOL) }));
    compiled.set(webhook, conditions);
  }
  return conditions;
}

export interface Matching {
  readonly hook: Hook;
  readonly type: 'admit' | 'validate';
  readonly request: AdmissionRequest;
  readonly shown: Shown;
  /** of the request, for all its webhooks */
  readonly seenBy: PolicyRequest;
}

/** Whether the webhook is to be asked. Throws Forbidden. */
export async function meetsConditions(
  tools: WebhookTools,
  { hook: { webhook }, type, request, shown, seenBy }: Matching,
): Promise<boolean> {
  if (!webhook.matchConditions?.length) return true;
  const { operation, kind, name } = request;
  const startMs = realClock.monotonic();
  const inputs = seenBy.inputs(shown, null);
  const match = await seenBy.take(matchConditions(compile(webhook), inputs));
  const failed = 'error' in match;
  const isRefused = failed && webhook.failurePolicy !== 'Ignore';
  const excluded = !isRefused && (failed || !match.matches);
  const seconds = (realClock.monotonic() - startMs) / msPerSecond;
  const subject = { name: webhook.name, kind: 'webhook', type, operation } as const;
  tools.metrics.conditionsAsked(subject, { seconds, errors: failed ? match.failures : 0, excluded });
  if (!isRefused) return !excluded;
  tools.log.warn(
    { webhook: webhook.name, error: match.error },
    'the conditions of a webhook could not be evaluated; the request is refused',
  );
  throw errors.forbidden(kind, name, match.error);
}
