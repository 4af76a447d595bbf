/**
 * The audit step of the chain: what a request is and comes to, told to a log at its stages, as far as the policy asks.
 * A request of which nothing is kept costs one walk through the policy's rules.
 *
 * Requests of components in this process are kept like all others; they have no address.
 * Upstream: apiserver/pkg/endpoints/filters/audit.go, authn_audit.go.
 */
import type { Status } from '../../../api/generated/meta-v1.ts';
import type { StatusError } from '../../../api/meta/status-error.ts';
import type { Clock } from '../../../client/clock.ts';
import type { Decision } from '../authorization/authorizer.ts';
import type { Answer, WatchAnswer } from '../request/answer.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { attributesOf } from '../request/attributes.ts';
import type { RequestAttributes } from '../request/request.ts';
import { renderAuditEvent, responseText, type tooLong } from './audit-event.ts';
import { type AuditChoice, type AuditPolicy, type AuditStage, chooseAudit } from './audit-policy.ts';

/** Takes lines, never throws, never waits. */
export interface AuditSink {
  write(line: string): void;
}

export class Audit {
  readonly #policy: AuditPolicy;
  readonly #sink: AuditSink;
  readonly #clock: Clock;

  constructor(options: { readonly policy: AuditPolicy; readonly sink: AuditSink; readonly clock: Clock }) {
    this.#policy = options.policy;
    this.#sink = options.sink;
    this.#clock = options.clock;
  }

  /** Once it is known who asks. Undefined: nothing is kept. */
  begin(request: ApiRequest): AuditTrail | undefined {
    const trail = this.#trail(request);
    trail?.told('RequestReceived');
    return trail;
  }

  /** Nobody knows who asked. */
  unauthenticated(request: ApiRequest, error: StatusError): void {
    this.#trail(request)?.unauthenticated(error);
  }

  #trail(request: ApiRequest): AuditTrail | undefined {
    const attributes = attributesOf(request);
    const choice = chooseAudit(this.#policy, attributes);
    return choice && new AuditTrail(request, { attributes, choice, sink: this.#sink, clock: this.#clock });
  }
}

interface AuditedResponse {
  readonly code: number;
  readonly status?: Partial<Status> | undefined;
}

export class AuditTrail {
  readonly #request: ApiRequest;
  readonly #attributes: RequestAttributes;
  readonly #choice: AuditChoice;
  readonly #sink: AuditSink;
  readonly #clock: Clock;
  readonly #receivedMs: number;
  readonly #annotations: Record<string, string> = {};
  #hasStarted = false;
  #outcome: AuditedResponse | undefined;
  #responseObject: string | typeof tooLong | undefined;

  constructor(
    request: ApiRequest,
    given: { readonly attributes: RequestAttributes; readonly choice: AuditChoice; readonly sink: AuditSink; readonly clock: Clock },
  ) {
    this.#request = request;
    this.#attributes = given.attributes;
    this.#choice = given.choice;
    this.#sink = given.sink;
    this.#clock = given.clock;
    this.#receivedMs = given.clock.now();
  }

  decided({ verdict, reason }: Decision): void {
    this.#annotations['authorization.k8s.io/decision'] = verdict === 'allow' ? 'allow' : 'forbid';
    this.#annotations['authorization.k8s.io/reason'] = reason;
  }

  answered(answer: Answer): void {
    const status = answer.type === 'status' ? answer.status : undefined;
    this.#outcome = { code: answer.code, status };
    const { target } = this.#request;
    if (this.#choice.level === 'RequestResponse' && target.type === 'resource')
      this.#responseObject = responseText(answer, target.kind, this.#choice.omitManagedFields);
  }

  /** The answer goes on. */
  started(code: number): void {
    this.#hasStarted = true;
    this.told('ResponseStarted', { ...this.#outcome, code });
  }

  /** `code`: as it was written, where that is known. */
  completed(code?: number): void {
    this.told('ResponseComplete', code && this.#outcome ? { ...this.#outcome, code } : this.#outcome);
  }

  refused({ status, code }: StatusError, isFault: boolean): void {
    this.#keep(status);
    const { target, verb } = this.#request;
    const isLongRunning = target.type === 'connect' || verb === 'watch';
    if (isLongRunning && !this.#hasStarted) this.told('ResponseStarted', { code, status });
    this.told(isFault ? 'Panic' : 'ResponseComplete', { code, status });
  }

  /** Upstream tells of it at this stage alone. */
  unauthenticated({ status, code }: StatusError): void {
    this.#keep(status);
    this.told('ResponseStarted', { code, status });
  }

  #keep(status: Status): void {
    if (this.#choice.level === 'RequestResponse') this.#responseObject = JSON.stringify(status);
  }

  /** The same watch, whose end is told. */
  followed(watch: WatchAnswer): WatchAnswer {
    return {
      start: (sink) =>
        watch.start({
          event: (type, object, event) => sink.event(type, object, event),
          bookmark: (revision, isInitialEnd) => sink.bookmark(revision, isInitialEnd),
          get full() {
            return sink.full;
          },
          end: (status) => {
            this.completed();
            sink.end(status);
          },
        }),
      stop: () => watch.stop(),
    };
  }

  told(stage: AuditStage, response?: AuditedResponse): void {
    const { level, omitStages, omitManagedFields } = this.#choice;
    if (omitStages.includes(stage)) return;
    const request = this.#request;
    const { user, impersonator } = request;
    const isReceived = stage === 'RequestReceived';
    const line = renderAuditEvent({
      level,
      id: request.id,
      stage,
      uri: request.uri,
      attributes: this.#attributes,
      user: impersonator ?? user,
      impersonated: impersonator && user,
      sourceIPs: request.sourceIPs,
      userAgent: request.userAgent,
      sent: request.sent,
      response,
      responseObject: isReceived ? undefined : this.#responseObject,
      receivedMs: this.#receivedMs,
      stageMs: isReceived ? this.#receivedMs : this.#clock.now(),
      annotations: { ...this.#annotations, ...request.annotations, ...(level !== 'Metadata' && detailsOf(request)) },
      omitManagedFields,
    });
    this.#sink.write(line);
  }
}

const detailsOf = ({ details = {} }: ApiRequest): Record<string, string> =>
  Object.fromEntries(Object.entries(details).map(([key, value]) => [key, value()]));
