/**
 * What admission webhooks and policies do to requests, under upstream's metric names: how often and how long each webhook is
 * asked, what it refuses, and where a request went on without it; the expressions of policies that refuse, warn, change or
 * fail. One that holds is not counted, as upstream.
 * Upstream: apiserver/pkg/admission/metrics/metrics.go, pkg/admission/plugin/policy/{validating,mutating}/metrics.
 */
import type { Registry } from 'prom-client';
import { addMetric, Counts, type Labels, Times } from '../request/metric-series.ts';
import type { AdmissionOperation } from '../request/request.ts';

export type WebhookType = 'admit' | 'validating';

/** What came of asking one. `error`: why the request was refused, or would have been. */
export interface WebhookOutcome {
  readonly name: string;
  readonly type: WebhookType;
  readonly operation: AdmissionOperation;
  readonly code: number;
  readonly rejected: boolean;
  readonly error?: 'no_error' | 'calling_webhook_error' | 'apiserver_internal_error' | undefined;
}

const askSeconds = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25];
const expressionSeconds = [0.0000005, 0.001, 0.01, 0.1, 1];
const conditionSeconds = [0.001, 0.005, 0.01, 0.025, 0.1, 0.2, 0.25];
/** A webhook may say any code. */
const codeMax = 600;

/** Whose match conditions were asked, of which request. */
export interface ConditionSubject {
  readonly name: string;
  readonly kind: 'webhook' | 'policy';
  readonly type: 'admit' | 'validate';
  readonly operation: AdmissionOperation;
}

export type ExpressionError = 'no_error' | 'compile_error' | 'out_of_budget' | 'invalid_error';

/** Whose expression it was. */
export interface PolicySubject {
  readonly policy: string;
  readonly binding: string;
}

/** By what it says. */
export function expressionErrorOf(message: string): ExpressionError {
  if (message.startsWith('compilation')) return 'compile_error';
  return message.startsWith('validation failed due to running out of cost budget') ? 'out_of_budget' : 'invalid_error';
}

export class AdmissionMetrics {
  readonly #asked = new Times(askSeconds);
  readonly #requests = new Counts();
  readonly #rejections = new Counts();
  readonly #failedOpen = new Counts();
  readonly #conditions = new Times(conditionSeconds);
  readonly #conditionErrors = new Counts();
  readonly #exclusions = new Counts();
  readonly #validated = new CountedTimes(expressionSeconds);
  readonly #mutated = new CountedTimes(expressionSeconds);

  asked({ name, type, operation, code, rejected, error }: WebhookOutcome, seconds: number): void {
    const shown = String(Math.min(code, codeMax));
    const isRejected = String(rejected);
    this.#asked.observe({ name, type, operation, rejected: isRejected }, seconds);
    this.#requests.add({ name, type, operation, code: shown, rejected: isRejected });
    if (rejected && error) this.#rejections.add({ name, type, operation, error_type: error, rejection_code: shown });
  }

  failedOpen(name: string, type: WebhookType): void {
    this.#failedOpen.add({ name, type });
  }

  conditionsAsked(
    { name, kind, type, operation }: ConditionSubject,
    { seconds, errors, excluded }: { readonly seconds: number; readonly errors: number; readonly excluded: boolean },
  ): void {
    const labels = { name, kind, type, operation };
    this.#conditions.observe(labels, seconds);
    if (errors > 0) this.#conditionErrors.add(labels, errors);
    if (excluded) this.#exclusions.add(labels);
  }

  /** `action`: what came of a validation. */
  validated(
    { policy, binding }: PolicySubject,
    {
      action,
      error,
      seconds,
    }: { readonly action: 'allow' | 'deny' | 'audit' | 'warn'; readonly error: ExpressionError; readonly seconds: number },
  ): void {
    this.#validated.observe({ policy, policy_binding: binding, error_type: error, enforcement_action: action }, seconds);
  }

  mutated({ policy, binding }: PolicySubject, { error, seconds }: { readonly error: ExpressionError; readonly seconds: number }): void {
    this.#mutated.observe({ policy, policy_binding: binding, error_type: error }, seconds);
  }

  /** Adds the metrics to a registry that is scraped. */
  register(registry: Registry): void {
    const add = addMetric.bind(undefined, registry);
    const webhook = 'apiserver_admission_webhook';
    const condition = 'apiserver_admission_match_condition';
    const asked = `${webhook}_admission_duration_seconds`;
    const evaluated = `${condition}_evaluation_seconds`;
    add(asked, 'histogram', 'Admission webhook latency', () => this.#asked.values(asked));
    add(`${webhook}_request_total`, 'counter', 'Admission webhook request total', () => this.#requests.values());
    add(`${webhook}_rejection_count`, 'counter', 'Admission webhook rejection count', () => this.#rejections.values());
    add(`${webhook}_fail_open_count`, 'counter', 'Admission webhook fail open count', () => this.#failedOpen.values());
    add(evaluated, 'histogram', 'Admission match condition evaluation time', () => this.#conditions.values(evaluated));
    add(`${condition}_evaluation_errors_total`, 'counter', 'Admission match condition evaluation errors', () =>
      this.#conditionErrors.values(),
    );
    add(`${condition}_exclusions_total`, 'counter', 'Requests that match conditions excluded', () => this.#exclusions.values());
    for (const [word, checks] of [
      ['validating', this.#validated],
      ['mutating', this.#mutated],
    ] as const) {
      const policy = `apiserver_${word}_admission_policy_check`;
      add(`${policy}_total`, 'counter', 'Admission policy check total', () => checks.counts.values());
      add(`${policy}_duration_seconds`, 'histogram', 'Latency of expressions of admission policies', () =>
        checks.times.values(`${policy}_duration_seconds`),
      );
    }
  }
}

/** What is counted and timed under the same labels. */
class CountedTimes {
  readonly counts = new Counts();
  readonly times: Times;
  constructor(bounds: readonly number[]) {
    this.times = new Times(bounds);
  }
  observe(labels: Labels, seconds: number): void {
    this.counts.add(labels);
    this.times.observe(labels, seconds);
  }
}
