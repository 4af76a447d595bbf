/**
 * The one way of every request, whether it came over the wire or from a component in this process:
 *
 * 1. authenticate: who is it? In the process that is known.
 * 2. audit: the policy says what is kept of it; from here on each stage is told (audit/).
 * 3. impersonate: as whom does he want to act?
 * 4. flow control: is there room? Requests for paths, connections, and requests in the process do not wait.
 * 5. authorize: may he? What is wrong with a request is told only to who may make it.
 * 6. perform the target: the verb of a kind, a create endpoint, a path, a connection.
 *
 * Every failure is a StatusError: what is thrown beside them is a fault of ours, logged and answered with 500.
 * Upstream: apiserver/pkg/server/config.go (DefaultBuildHandlerChain).
 */
import { ValidationFault } from '../../../api/kinds/validate-object.ts';
import { errors, isStatusError, messageOf, type StatusError } from '../../../api/meta/status-error.ts';
import type { Clock } from '../../../client/clock.ts';
import type { Log } from '../../../client/log.ts';
import { StoreUnavailableError } from '../../store/storage.ts';
import type { ActChannel } from '../acts/act-channel.ts';
import type { Audit, AuditTrail } from '../audit/audit.ts';
import type { Authorize } from '../authorization/decide.ts';
import { forbiddenError } from '../authorization/forbidden.ts';
import type { Answer } from '../request/answer.ts';
import type { ApiRequest, ResourceRequest } from '../request/api-request.ts';
import { attributesOf } from '../request/attributes.ts';
import { isWhole } from '../request/non-resource-endpoint.ts';
import type { UserInfo } from '../request/request.ts';
import { type FlowClass, type FlowControl, seatsFor } from './flow-control.ts';
import { metricSubjectOf, type RequestMetrics } from './request-metrics.ts';

export interface ChainParts {
  readonly flow: Pick<FlowControl, 'enter'>;
  readonly authorize: Authorize;
  perform(request: ApiRequest): Promise<Answer>;
  readonly audit: Pick<Audit, 'begin' | 'unauthenticated'> | undefined;
  readonly acts: Pick<ActChannel, 'isWatched' | 'refused'>;
  readonly metrics: RequestMetrics;
  readonly clock: Clock;
  /** what requests over the wire are timed by */
  readonly wireClock: Clock;
  readonly log: Log;
}

/** The client's side of a request that came over the wire. */
export interface Wire {
  /** Throws Unauthorized. */
  authenticate(): UserInfo | Promise<UserInfo>;
  /** As whom he wants to act, or the same. Throws Forbidden. */
  impersonate(user: UserInfo): UserInfo | Promise<UserInfo>;
  /** how many bytes the body may have, by what its head says */
  readonly announcedBytes: number;
  /** The client is gone, or has been told that its time is over. */
  readonly isOver: boolean;
  /** Does the work in the time that there is for it. */
  timed(work: () => Promise<Answer>): Promise<Answer>;
  /** Writes the answer, until the client has taken it. */
  deliver(answer: Answer): Promise<void>;
  /** Writes what goes on after that, to its end: a watch, a stream, a connection; of the last it says when and how it began. */
  goOn(answer: Answer, began: (code: number) => void): Promise<void>;
  refuse(error: StatusError): Promise<void>;
  /** of the answer, once it has begun; 0: it has not */
  readonly code: number;
  /** bytes of the answer's body */
  readonly size: number;
}

/** A request on its way, and what the audit keeps of it: absent, nothing. */
interface Passage {
  readonly request: ApiRequest;
  trail: AuditTrail | undefined;
}

export class RequestChain {
  readonly #parts: ChainParts;

  constructor(parts: ChainParts) {
    this.#parts = parts;
  }

  /** A request over the wire, to its end. Rejects when even the refusal has failed. */
  async serve(request: ApiRequest, wire: Wire): Promise<void> {
    const { metrics, wireClock } = this.#parts;
    const passage: Passage = { request, trail: undefined };
    try {
      await this.#identify(passage, wire);
      const isConnection = request.target.type === 'connect';
      const answer = await (isConnection ? this.#perform(passage) : wire.timed(() => this.#performInTurn(passage, wire)));
      if (isLongRunning(answer)) await this.#goOn(passage, wire, answer);
      passage.trail?.completed(wire.code);
    } catch (error) {
      const refusal = this.#refusalOf(error, passage);
      if (!passage.trail && refusal.code === 401) this.#parts.audit?.unauthenticated(request, refusal);
      await wire.refuse(refusal);
    }
    const seconds = (wireClock.monotonic() - request.startMs) / 1000;
    metrics.observe(metricSubjectOf(request), wire.code, seconds, wire.size);
    this.#tell(request, wire.code, seconds);
  }

  /** A request of a component in this process. Throws StatusErrors alone. */
  async answer(request: ApiRequest): Promise<Answer> {
    const { clock, log } = this.#parts;
    const passage: Passage = { request, trail: undefined };
    let code = 500;
    try {
      passage.trail = this.#parts.audit?.begin(request);
      const answer = await this.#perform(passage);
      code = answer.code;
      return passage.trail ? told(passage.trail, answer) : answer;
    } catch (error) {
      const refusal = this.#refusalOf(error, passage);
      code = refusal.code;
      throw refusal;
    } finally {
      if (log.isDebug) this.#tell(request, code, (clock.monotonic() - request.startMs) / 1000);
    }
  }

  async #identify(passage: Passage, wire: Wire): Promise<void> {
    const { request } = passage;
    const known = wire.authenticate();
    const user = known instanceof Promise ? await known : known;
    request.user = user;
    passage.trail = this.#parts.audit?.begin(request);
    const wanted = wire.impersonate(user);
    const other = wanted instanceof Promise ? await wanted : wanted;
    if (other === user) return;
    request.user = other;
    request.impersonator = user;
  }

  /** It keeps its place until the client has taken the answer. */
  async #performInTurn(passage: Passage, wire: Wire): Promise<Answer> {
    const { request } = passage;
    const flow = flowOf(request);
    const entered = flow && this.#parts.flow.enter(flow, request.user, flow === 'mutating' ? seatsFor(wire.announcedBytes) : 1);
    const leave = entered instanceof Promise ? await entered : entered;
    try {
      // Who gave up while he waited is not served.
      if (wire.isOver) throw errors.timeout(timedOut);
      const answer = await this.#perform(passage);
      if (!isLongRunning(answer)) await wire.deliver(answer);
      return answer;
    } finally {
      leave?.();
    }
  }

  async #perform(passage: Passage): Promise<Answer> {
    const { request, trail } = passage;
    const { target, refusal } = request;
    const allowed = this.#authorize(passage, request.verb);
    if (allowed) await allowed;
    if (target.type === 'connect' && target.alsoNeeds) await this.#authorize(passage, target.alsoNeeds);
    if (refusal) throw refusal;
    const answer = await this.#parts.perform(request);
    trail?.answered(answer);
    return answer;
  }

  /** Undefined: allowed at once. Throws Forbidden. */
  #authorize({ request, trail }: Passage, verb: string): Promise<void> | undefined {
    const attributes = attributesOf(request, verb);
    const asked = this.#parts.authorize(attributes);
    const check = (decision: Awaited<typeof asked>): void => {
      trail?.decided(decision);
      if (decision.verdict !== 'allow') throw forbiddenError(attributes, decision.reason);
    };
    if (asked instanceof Promise) return asked.then(check);
    check(asked);
    return undefined;
  }

  async #goOn({ request, trail }: Passage, wire: Wire, answer: Answer): Promise<void> {
    const { metrics } = this.#parts;
    const subject = metricSubjectOf(request);
    const began = (code: number): void => trail?.started(code);
    if (answer.type !== 'connection') began(answer.code);
    metrics.changeLongRunning(subject, 1);
    try {
      await wire.goOn(answer, began);
    } finally {
      metrics.changeLongRunning(subject, -1);
    }
  }

  #refusalOf(error: unknown, { request, trail }: Passage): StatusError {
    const { acts, metrics } = this.#parts;
    if (error instanceof ValidationFault) metrics.validationBroke();
    const refusal = this.#statusOf(error, request);
    trail?.refused(refusal, !isStatusError(error) && refusal.code === 500);
    if (acts.isWatched && isForResource(request) && request.user.name !== '') acts.refused(request, refusal);
    return refusal;
  }

  #statusOf(error: unknown, request: ApiRequest): StatusError {
    if (isStatusError(error)) return error;
    if (request.signal.aborted) return errors.timeout(timedOut);
    if (error instanceof StoreUnavailableError) return errors.serviceUnavailable(error.message);
    this.#parts.log.error({ error, verb: request.verb, path: request.path }, 'a request failed by a fault of the server');
    return errors.internal(messageOf(error));
  }

  /** As a debug line: who asked for what, what came of it, and in how many milliseconds. A watch in the process is told with its beginning. */
  #tell(request: ApiRequest, code: number, seconds: number): void {
    const { log } = this.#parts;
    if (log.isDebug) log.debug({ user: request.user.name, code, ms: Math.round(seconds * 1000) }, `${request.verb} ${request.path}`);
  }
}

const timedOut = 'request did not complete within the allotted time';

/** Undefined: it does not wait. Whoever asks how the server is has to get an answer when it is busy. */
function flowOf({ target, verb }: ApiRequest): FlowClass | undefined {
  if (target.type !== 'resource' && target.type !== 'backend') return undefined;
  return verb === 'get' || verb === 'list' || verb === 'watch' ? 'readOnly' : 'mutating';
}

function isLongRunning(answer: Answer): boolean {
  if (answer.type === 'page') return !isWhole(answer.page.body);
  return answer.type === 'watch' || answer.type === 'connection';
}

/** A watch, here or of another server, is told with its beginning and its end, everything else as a whole. */
function told(trail: AuditTrail, answer: Answer): Answer {
  if (answer.type !== 'watch' && answer.type !== 'connection') {
    trail.completed();
    return answer;
  }
  trail.started(answer.code);
  if (answer.type === 'watch') return { ...answer, watch: trail.followed(answer.watch) };
  return { ...answer, run: () => answer.run().finally(() => trail.completed()) };
}

const isForResource = (request: ApiRequest): request is ResourceRequest => request.target.type === 'resource';
