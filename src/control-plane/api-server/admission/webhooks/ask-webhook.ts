/**
 * Asks one webhook about one request, and takes what its answer says beside the verdict: warnings and audit annotations.
 * Three things can go wrong: it denies (a `WebhookDenial` in its words), it must not be asked in a dry run (a StatusError),
 * or it can't be asked, or answers nonsense (a `WebhookFailure`, which the failurePolicy is about). What came of it is
 * counted.
 * Upstream: apiserver/pkg/admission/plugin/webhook/{mutating,validating}/dispatcher.go, errors/statuserror.go.
 */
import type { Status } from '../../../../api/generated/meta-v1.ts';
import { errors, isStatusError, messageOf, StatusError } from '../../../../api/meta/status-error.ts';
import { type Random, realClock } from '../../../../client/clock.ts';
import type { AdmissionRequest } from '../../request/request.ts';
import type { WebhookOutcome, WebhookType } from '../admission-metrics.ts';
import { type ReviewName, renderReview, reviewVersionOf, type Shown } from './admission-review.ts';
import type { Hook } from './hooks.ts';
import { decodeReview, type ReviewAnswer, readVerdict, type Verdict } from './review-answer.ts';
import type { WebhookTools } from './webhook-tools.ts';

/** It can't be asked, or what it answers is no answer. */
export class WebhookFailure extends Error {
  override readonly name = 'WebhookFailure';
  /** of the HTTP exchange, for metrics */
  readonly code: number;

  constructor(hook: Hook, why: string, { code, cause }: { readonly code: number; readonly cause?: unknown }) {
    super(`failed calling webhook ${JSON.stringify(hook.webhook.name)}: ${why}`, { cause });
    this.code = code;
  }
}

const timeoutSecondsDefault = 10;
const msPerSecond = 1000;

/** The answer of a webhook that allows. */
export async function askWebhook(
  tools: WebhookTools,
  hook: Hook,
  request: AdmissionRequest,
  shown: Shown,
  mutating: boolean,
): Promise<Verdict> {
  const { webhook } = hook;
  checkDryRun(hook, request);
  const review = nameReview(hook, tools.random);
  const timeoutMs = (webhook.timeoutSeconds ?? timeoutSecondsDefault) * msPerSecond;
  const answer = await tools.client
    .post(webhook.clientConfig, renderReview(review, request, shown), { timeoutMs, signal: request.signal })
    .then((text) => decodeReview(review.version, text))
    .catch((cause: unknown) => {
      const code = isStatusError(cause) ? cause.code : unavailable;
      throw new WebhookFailure(hook, `failed to call webhook: ${messageOf(cause)}`, { code, cause });
    });
  const verdict = readAnswer(hook, review, answer, mutating);
  for (const [key, value] of Object.entries(verdict.auditAnnotations)) request.annotate(`${webhook.name}/${key}`, value);
  for (const warning of verdict.warnings) request.warn(warning);
  if (!verdict.allowed) throw new WebhookDenial(webhook.name, verdict.result);
  return verdict;
}

const unavailable = 503;

function checkDryRun({ webhook }: Hook, { dryRun }: AdmissionRequest): void {
  if (!dryRun || webhook.sideEffects === 'None' || webhook.sideEffects === 'NoneOnDryRun') return;
  throw errors.badRequest(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`);
}

function nameReview(hook: Hook, random: Random): ReviewName {
  try {
    return { version: reviewVersionOf(hook.webhook.admissionReviewVersions), uid: random.uuid() };
  } catch (cause) {
    throw new WebhookFailure(hook, `could not create admission objects: ${messageOf(cause)}`, { code: 400, cause });
  }
}

function readAnswer(hook: Hook, review: ReviewName, answer: ReviewAnswer, mutating: boolean): Verdict {
  try {
    return readVerdict(review, answer, mutating);
  } catch (cause) {
    throw new WebhookFailure(hook, `received invalid webhook response: ${messageOf(cause)}`, { code: unavailable, cause });
  }
}

const errorCodeMin = 400;

/** A webhook may say code, reason, message and details; what is no error in them becomes one. */
class WebhookDenial extends StatusError {
  constructor(name: string, { message = '', reason = '', code = 0, details, metadata }: Partial<Status> = {}) {
    const why = message || reason;
    super({
      code: Math.max(code, errorCodeMin),
      reason,
      message: `admission webhook ${JSON.stringify(name)} denied the request${why ? `: ${why}` : ' without explanation'}`,
      ...(details && { details }),
      ...(metadata && { metadata }),
    });
  }
}

export interface Call {
  readonly hook: Hook;
  readonly request: AdmissionRequest;
  readonly type: WebhookType;
  /** where an audit log says that the request went on without it */
  readonly failedOpenKey: string;
}

/** What asking gives; undefined where that fails and the request goes on all the same, as the failurePolicy says. */
export async function askUnderPolicy<T>(tools: WebhookTools, call: Call, asking: () => Promise<T>): Promise<T | undefined> {
  const { webhook } = call.hook;
  const { name, failurePolicy } = webhook;
  const { operation, signal } = call.request;
  const { type, failedOpenKey } = call;
  const startMs = realClock.monotonic();
  const count = (outcome: Pick<WebhookOutcome, 'code' | 'rejected' | 'error'>): void =>
    tools.metrics.asked({ name, type, operation, ...outcome }, (realClock.monotonic() - startMs) / msPerSecond);
  try {
    const given = await asking();
    count({ code: 200, rejected: false });
    return given;
  } catch (error) {
    if (!(error instanceof WebhookFailure)) {
      const isDenial = error instanceof WebhookDenial;
      count({ code: isDenial ? error.code : 0, rejected: true, error: isDenial ? 'no_error' : 'apiserver_internal_error' });
      throw error;
    }
    const isGone = signal?.aborted ?? false;
    if (failurePolicy !== 'Ignore') {
      count({ code: error.code, rejected: true, error: isGone ? undefined : 'calling_webhook_error' });
      tools.log.warn({ webhook: name, error }, 'a webhook could not be asked; the request is refused');
      throw errors.internal(error.message);
    }
    count({ code: error.code, rejected: false });
    if (isGone) throw errors.timeout('request did not complete within requested timeout');
    tools.metrics.failedOpen(name, type);
    tools.log.warn({ webhook: name, error }, 'a webhook could not be asked; the request goes on without it');
    call.request.annotate(failedOpenKey, name);
    return undefined;
  }
}
