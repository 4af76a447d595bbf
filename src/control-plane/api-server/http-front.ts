/**
 * From an HTTP request to its answer: route → authenticate → impersonate → flow control → the pipeline (or the endpoint
 * of a path) → write. Whatever fails is answered as a Status; nothing that one request does harms another.
 */

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { KindRegistry } from '../../api/kinds/registry.ts';
import { describeDurationError, parseDuration } from '../../api/meta/duration.ts';
import type { Kind } from '../../api/meta/kind.ts';
import { errors, isStatusError, type StatusError } from '../../api/meta/status-error.ts';
import { own, put } from '../../api/meta/words.ts';
import { whyHeader } from '../../client/acts.ts';
import type { Clock, Random } from '../../client/clock.ts';
import { requestHeadersMax } from '../../client/http-limits.ts';
import type { Log } from '../../client/log.ts';
import { ServerResponse } from '../../client/node-http.ts';
import { contextOf, requestContext } from '../../client/request-context.ts';
import { type WriteContext, writeAnswer } from './answer-writer.ts';
import type { AuditSink } from './audit.ts';
import type { Credentials } from './authentication/authenticator.ts';
import type { Authorize } from './authorization/decide.ts';
import { forbiddenError } from './authorization/forbidden.ts';
import type { ConnectCalls } from './connect-calls.ts';
import { Deadlines } from './deadlines.ts';
import type { Upgrade } from './endpoint.ts';
import { Exchange, type HTTPRequest, type HTTPResponse, parametersMax } from './exchange.ts';
import { type FlowClass, type FlowControl, seatsFor } from './flow-control.ts';
import { httpBody } from './http-body.ts';
import { negotiate } from './negotiation.ts';
import type { PathCalls } from './path-calls.ts';
import type { Pipeline } from './pipeline.ts';
import { parseOptions } from './query-options.ts';
import { methodNotAllowed, tooManyHeaders } from './refusals.ts';
import type { UserInfo } from './request.ts';
import { tellRequest } from './request-log.ts';
import type { MetricSubject, RequestMetrics } from './request-metrics.ts';
import type { RequestOptions, ResourceRequest, WatchAnswer } from './resource-request.ts';
import { parseRoute, type ResourceRoute, type Route } from './route.ts';
import { UntakenBytes } from './untaken-bytes.ts';
import { isWebSocket, openWatchSocket } from './watch-socket.ts';
import { WatchWriter } from './watch-writer.ts';

/** For everything but watches and connections. */
const requestTimeoutMs = 60_000;
/** A watch that asks for no time lives for this long, up to twice as long by chance. */
const watchSecondsMin = 1800;

export interface FrontParts {
  readonly pipeline: Pipeline;
  readonly registry: KindRegistry;
  readonly paths: PathCalls;
  readonly connects: ConnectCalls;
  readonly flow: FlowControl;
  readonly metrics: RequestMetrics;
  readonly authorize: Authorize;
  authenticate(credentials: Credentials): UserInfo | undefined | Promise<UserInfo | undefined>;
  impersonate(user: UserInfo, headers: Credentials['headers']): UserInfo | Promise<UserInfo>;
  readonly audit?: AuditSink;
  readonly clock: Clock;
  /** what connections and requests wait by: their other end lives in real time, whatever the cluster's clock says */
  readonly wireClock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export class HTTPFront implements Disposable {
  readonly #parts: FrontParts;
  readonly #deadlines: Deadlines;
  readonly #untaken = new UntakenBytes();

  constructor(parts: FrontParts) {
    this.#parts = parts;
    this.#deadlines = new Deadlines(parts.wireClock, requestTimeoutMs);
  }

  [Symbol.dispose](): void {
    this.#deadlines[Symbol.dispose]();
  }

  /** Rejects when even the refusal has failed. */
  handle(request: HTTPRequest, response: HTTPResponse, certificate: Credentials['certificate']): Promise<void> {
    return this.#process(this.#exchange(request, response), certificate, undefined);
  }

  /** A request that asks to go on in another protocol. What is no connection is answered as if it had not asked. */
  upgrade(request: IncomingMessage, upgrade: Upgrade, certificate: Credentials['certificate']): Promise<void> {
    const exchange = this.#exchange(request, new ServerResponse(request));
    upgrade.socket.once('close', () => exchange.abort());
    return this.#process(exchange, certificate, upgrade);
  }

  #exchange(request: HTTPRequest, response: HTTPResponse): Exchange {
    return new Exchange(request, response, {
      auditID: auditIDOf(request) || this.#parts.random.uuid(),
      startMs: this.#parts.wireClock.monotonic(),
    });
  }

  #process(exchange: Exchange, certificate: Credentials['certificate'], upgrade: Upgrade | undefined): Promise<void> {
    return requestContext.run(contextOf(exchange.method, exchange.path, exchange.auditID), () =>
      this.#serve(exchange, certificate, upgrade),
    );
  }

  async #serve(exchange: Exchange, certificate: Credentials['certificate'], upgrade: Upgrade | undefined): Promise<void> {
    const { wireClock, audit, log } = this.#parts;
    const about: About = { verb: exchange.method, user: undefined, route: undefined };
    try {
      await this.#answer(exchange, about, certificate, upgrade);
    } catch (error) {
      if (upgrade) answerOn(upgrade.socket, exchange);
      await exchange.fail(this.#statusOf(error, exchange));
    }
    const seconds = (wireClock.monotonic() - exchange.startMs) / 1000;
    this.#parts.metrics.observe(subjectOf(about.route, about.verb), exchange.code, seconds, exchange.size);
    const { path, code } = exchange;
    if (log.isDebug) tellRequest(log, { user: about.user?.name, verb: about.verb, path, code, ms: seconds * 1000 });
    audit?.record({ exchange, user: about.user, verb: about.verb, route: about.route });
  }

  async #answer(exchange: Exchange, about: About, certificate: Credentials['certificate'], upgrade: Upgrade | undefined): Promise<void> {
    const { headers, rawHeaders } = exchange.request;
    if (rawHeaders.length > 2 * requestHeadersMax) throw tooManyHeaders();
    if (exchange.hasTooManyParameters) throw errors.badRequest(`the query has more than ${parametersMax} parameters`);
    const asked = this.#parts.authenticate({ headers, ...(certificate && { certificate }) });
    const authenticated = asked instanceof Promise ? await asked : asked;
    if (!authenticated) throw errors.unauthorized();
    const impersonated = this.#parts.impersonate(authenticated, impersonationOf(exchange));
    const user = impersonated instanceof Promise ? await impersonated : impersonated;
    about.user = user;
    const route = routeOf(exchange);
    about.route = route;
    if (route.type === 'path') {
      about.verb = exchange.method.toLowerCase();
      if (upgrade) answerOn(upgrade.socket, exchange);
      // Not queued behind the resources: whoever asks how the server is has to get an answer when it is busy.
      const goesOn = await this.#timed(exchange, () => this.#parts.paths.call(exchange, user));
      if (goesOn) await this.#longRunning(route, 'GET', goesOn);
      return;
    }
    about.verb = route.verb;
    await this.#answerResource(exchange, route, user, about, upgrade);
  }

  async #answerResource(
    exchange: Exchange,
    route: ResourceRoute,
    user: UserInfo,
    about: About,
    upgrade: Upgrade | undefined,
  ): Promise<void> {
    const { registry, connects } = this.#parts;
    const kind = registry.byResource(route.group, route.version, route.resource);
    if (!kind || isMisplaced(route, kind.namespaced)) return this.#refuseUnknown(exchange, route, user, kind !== undefined);
    if (connects.handles(route)) {
      about.verb = 'connect';
      return this.#longRunning(route, 'CONNECT', () => connects.call({ exchange, route, kind, user, upgrade }));
    }
    const { verb } = route;
    const watchUpgrade = verb === 'watch' && isWebSocket(exchange.request) ? upgrade : undefined;
    if (upgrade && !watchUpgrade) answerOn(upgrade.socket, exchange);
    const context = await this.#authorizedIfRefused(exchange, route, user, () => this.#prepare(exchange, route, kind, user));
    const { request } = context;
    let watch: WatchAnswer | undefined;
    const flow = verb === 'get' || verb === 'list' || verb === 'watch' ? 'readOnly' : 'mutating';
    await this.#limited(exchange, flow, user, async () => {
      const answer = await this.#parts.pipeline.handle(request, exchange.path);
      if (answer.type === 'watch') watch = answer.watch;
      else await writeAnswer(context, answer);
    });
    const started = watch;
    if (!started) return;
    // Upgrades come over HTTP/1.1 only.
    const incoming = exchange.request as IncomingMessage;
    const socket = watchUpgrade && (await openWatchSocket(incoming, watchUpgrade.socket, watchUpgrade.head));
    await this.#longRunning(
      route,
      'WATCH',
      () => new Promise((resolve) => started.start(new WatchWriter({ ...context, untaken: this.#untaken }, resolve, socket))),
    );
  }

  /** What the head of the request says. Throws MethodNotAllowed, NotFound, NotAcceptable, BadRequest. */
  #prepare(exchange: Exchange, route: ResourceRoute, kind: Kind, user: UserInfo): WriteContext {
    const { verb, namespace, name, subresource } = route;
    if (!allows(kind.verbs, kind.subresources, route) || verb === '' || exchange.method === 'HEAD') throw methodNotAllowed();
    if (kind.deprecation) exchange.warn(kind.deprecation);
    const request: ResourceRequest = {
      user,
      verb,
      kind,
      get userAgent() {
        return exchange.header('user-agent');
      },
      why: () => exchange.header(whyHeader),
      ...(namespace && { namespace }),
      ...(name && { name }),
      ...(subresource && { subresource }),
      options: verb === 'watch' ? this.#bounded(parseOptions(exchange.query)) : parseOptions(exchange.query),
      ...(verb !== 'get' && verb !== 'list' && verb !== 'watch' && { body: httpBody(exchange, { verb, kind }) }),
      get signal() {
        return exchange.signal;
      },
      warn: (message) => exchange.warn(message),
    };
    const offer = { isWatch: verb === 'watch', hasTable: this.#parts.pipeline.hasTable(request), hasProtobuf: kind.schema.name !== '' };
    return { exchange, form: negotiate(exchange.wishes, offer), request, clock: this.#parts.clock };
  }

  /** A watch over the wire ends some time, so that dead and unequally spread connections do not stay for ever. */
  #bounded(options: RequestOptions): RequestOptions {
    return options.timeoutSeconds ? options : { ...options, timeoutSeconds: watchSecondsMin * (1 + this.#parts.random.next()) };
  }

  /** What is wrong with a request is told only to who may make it. The pipeline authorizes what is not refused. */
  async #authorizedIfRefused<T>(exchange: Exchange, route: ResourceRoute, user: UserInfo, work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (refusal) {
      await this.#authorize(exchange, route, user);
      throw refusal;
    }
  }

  async #authorize(exchange: Exchange, route: ResourceRoute, user: UserInfo): Promise<void> {
    const { type: _, rest: _rest, verb, ...resource } = route;
    const attributes = { user, verb, path: exchange.path, resource };
    const decision = await this.#parts.authorize(attributes);
    if (decision.verdict !== 'allow') throw forbiddenError(attributes, decision.reason);
  }

  /** Within the limits of how many and how long. */
  async #limited(exchange: Exchange, flow: FlowClass, user: UserInfo, work: () => Promise<void>): Promise<void> {
    await this.#timed(exchange, async () => {
      const entered = this.#parts.flow.enter(flow, user, flow === 'mutating' ? seatsFor(exchange.announcedBytes) : 1);
      const leave = entered instanceof Promise ? await entered : entered;
      try {
        // Who gave up while he waited is not served.
        if (!exchange.isOver) await work();
        await exchange.taken;
      } finally {
        leave();
      }
    });
  }

  async #timed<T>(exchange: Exchange, work: () => Promise<T>): Promise<T> {
    const wantedMs = wantedTimeoutMs(exchange.query?.get('timeout'));
    const expire = (): void => exchange.expire();
    const own = wantedMs > 0 && wantedMs < requestTimeoutMs ? this.#parts.wireClock.setTimeout(expire, wantedMs) : undefined;
    this.#deadlines.start(exchange, expire);
    try {
      const done = await work();
      await exchange.taken;
      return done;
    } finally {
      own?.cancel();
      this.#deadlines.end(exchange);
    }
  }

  async #longRunning(route: Route, verb: string, work: () => Promise<void>): Promise<void> {
    const subject = subjectOf(route, verb);
    this.#parts.metrics.changeLongRunning(subject, 1);
    try {
      await work();
    } finally {
      this.#parts.metrics.changeLongRunning(subject, -1);
    }
  }

  /** What is not there is said only to who may ask for it. */
  async #refuseUnknown(exchange: Exchange, route: ResourceRoute, user: UserInfo, isKnown: boolean): Promise<void> {
    await this.#authorize(exchange, route, user);
    if (isKnown) throw route.name ? errors.pathNotFound() : methodNotAllowed();
    const groupIsKnown = this.#parts.registry.list().some((k) => k.group === route.group);
    if (groupIsKnown) throw errors.pathNotFound();
    this.#parts.paths.sendNotFound(exchange);
  }

  #statusOf(error: unknown, exchange: Exchange): StatusError {
    if (isStatusError(error)) return error;
    if (exchange.isOver) return errors.timeout('request did not complete within the allotted time');
    this.#parts.log.error({ error, path: exchange.path }, 'a request failed by a fault of the server');
    return errors.internal(error instanceof Error ? error.message : String(error));
  }
}

/** How long the client gives the server; 0: as long as the server likes. */
function wantedTimeoutMs(text: string | null | undefined): number {
  if (!text) return 0;
  const wantedMs = parseDuration(text);
  if (wantedMs !== undefined) return wantedMs;
  throw errors.badRequest(`invalid timeout specified in the request URL - ${describeDurationError(text)}`);
}

/** An upgrade that does not take place: the answer is an ordinary one, on this socket, and the last. */
function answerOn(socket: Duplex, { response }: Exchange): void {
  if (!(response instanceof ServerResponse) || response.socket) return;
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Socket);
  response.once('finish', () => socket.end());
}

/** The first, whole, as upstream has it; Node joins several. */
function auditIDOf({ headers, rawHeaders }: HTTPRequest): string {
  const joined = String(headers['audit-id'] ?? '');
  if (!joined.includes(',')) return joined;
  return rawHeaders[rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'audit-id') + 1] ?? '';
}

interface About {
  verb: string;
  user: UserInfo | undefined;
  route: Route | undefined;
}

const noHeaders: Credentials['headers'] = {};
const impersonationPrefix = 'impersonate-';

/** Those headers with each of their values, which Node otherwise joins: a group's name may have a comma in it. */
function impersonationOf({ request: { headers, rawHeaders } }: Exchange): Credentials['headers'] {
  let isAsked = false;
  for (const name in headers) isAsked ||= name.startsWith(impersonationPrefix);
  if (!isAsked) return noHeaders;
  const values: Record<string, string[]> = {};
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]?.toLowerCase() ?? '';
    if (!name.startsWith(impersonationPrefix)) continue;
    put(values, name, [...(own(values, name) ?? []), rawHeaders[i + 1] ?? '']);
  }
  return values;
}

function routeOf(exchange: Exchange): Route {
  try {
    return parseRoute(exchange.method, exchange.path, exchange.query);
  } catch (error) {
    if (error instanceof URIError) throw errors.badRequest(error.message);
    throw error;
  }
}

/** A name of a namespaced resource without its namespace, a namespace for a resource that has none, a create across all namespaces. */
function isMisplaced(route: ResourceRoute, namespaced: boolean): boolean {
  if (!namespaced) return route.namespace !== undefined;
  return route.namespace === undefined && (route.name !== undefined || (route.verb !== 'list' && route.verb !== 'watch'));
}

/** A kind that has none of them has no paths of single objects (Binding). */
const verbsOfOne: ReadonlySet<string> = new Set(['get', 'update', 'patch', 'delete']);

function allows(
  verbs: readonly string[],
  subresources: Readonly<Record<string, { readonly verbs: readonly string[] }>>,
  { verb, subresource, rest, name }: ResourceRoute,
): boolean {
  if (!subresource) {
    if (name && !verbs.some((each) => verbsOfOne.has(each))) throw errors.pathNotFound();
    const isOfMany = verb === 'create' || verb === 'list' || verb === 'deletecollection';
    // The old paths of watches (`/api/v1/watch/…`) may name one object.
    return verbs.includes(verb) && (verb === 'watch' || isOfMany === !name);
  }
  const found = own(subresources, subresource);
  if (!found || rest) throw errors.pathNotFound();
  return found.verbs.includes(verb);
}

function subjectOf(route: Route | undefined, verb: string): MetricSubject {
  if (route?.type !== 'resource') return { verb: verb.toUpperCase(), group: '', version: '', resource: '', subresource: '', scope: '' };
  const { group, version, resource, subresource = '', name, namespace } = route;
  const scope = name ? 'resource' : namespace ? 'namespace' : 'cluster';
  return { verb: own(metricVerbs, verb) ?? verb.toUpperCase(), group, version, resource, subresource, scope };
}

const metricVerbs: Readonly<Record<string, string>> = { create: 'POST', update: 'PUT' };
