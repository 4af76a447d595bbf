/**
 * One request over HTTP: its head read into an ApiRequest, and the client's side of the chain: credentials, time limits,
 * upgrades, and the answer in the form that was asked for.
 *
 * What is wrong with a head is kept as the request's refusal, and told only to who may make the request.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { describeDurationError, parseDuration } from '../../../api/meta/duration.ts';
import { isCustom } from '../../../api/meta/kind.ts';
import { errors, isStatusError, type StatusError } from '../../../api/meta/status-error.ts';
import { own, put } from '../../../api/meta/words.ts';
import type { Clock, Random } from '../../../client/clock.ts';
import { requestHeadersMax, ServerResponse } from '../../../client/transport/node-http.ts';
import type { AuthenticationRequest } from '../authentication/authenticator.ts';
import { remotePrefix, remoteUserHeader } from '../authentication/request-header.ts';
import type { Wire } from '../chain/chain.ts';
import { parseRoute, type ResourceRoute, type Route } from '../chain/route.ts';
import { isMisplaced, type Targets } from '../chain/targets.ts';
import type { Answer, WatchAnswer } from '../request/answer.ts';
import { ApiRequest, type ResourceRequest, type ResourceTarget, type Upgrade } from '../request/api-request.ts';
import { isWhole, type NonResourceResponse } from '../request/non-resource-endpoint.ts';
import { methodNotAllowed, tooManyHeaders } from '../request/refusals.ts';
import type { RequestOptions, UserInfo } from '../request/request.ts';
import { type AnswerContext, writeAnswer } from './answer-writer.ts';
import type { Deadlines } from './deadlines.ts';
import { type Exchange, parametersMax } from './exchange.ts';
import { httpBody } from './http-body.ts';
import { type AnswerForm, negotiate, plainJson } from './negotiation.ts';
import { parseOptions } from './query-options.ts';
import type { UntakenBytes } from './untaken-bytes.ts';
import { isWatchSocket, openWatchSocket } from './watch-socket.ts';
import { WatchWriter } from './watch-writer.ts';

/** A watch that asks for no time lives for this long, up to twice as long by chance. */
const watchSecondsMin = 1800;
const notModified = 304;

export interface WireTools {
  readonly targets: Targets;
  authenticate(credentials: AuthenticationRequest): UserInfo | undefined | Promise<UserInfo | undefined>;
  impersonate(user: UserInfo, headers: AuthenticationRequest['headers']): UserInfo | Promise<UserInfo>;
  readonly deadlines: Deadlines;
  readonly untaken: UntakenBytes;
  readonly clock: Clock;
  /** what connections and requests wait by: their other end lives in real time, whatever the cluster's clock says */
  readonly wireClock: Clock;
  readonly random: Random;
}

export class HTTPWire implements Wire {
  readonly request: ApiRequest;
  readonly #tools: WireTools;
  readonly #exchange: Exchange;
  readonly #certificate: AuthenticationRequest['certificate'];
  /** where the client asks to go on in another protocol */
  readonly #upgrade: Upgrade | undefined;
  /** of the answer, where there is a choice */
  #form: AnswerForm = plainJson;
  /** what makes the head unreadable: refused before anybody asks who it is */
  #problem: StatusError | undefined;

  constructor(
    tools: WireTools,
    exchange: Exchange,
    given: { readonly certificate: AuthenticationRequest['certificate']; readonly upgrade: Upgrade | undefined },
  ) {
    this.#tools = tools;
    this.#exchange = exchange;
    this.#certificate = given.certificate;
    this.#upgrade = given.upgrade;
    this.request = this.#read();
  }

  get announcedBytes(): number {
    return this.#exchange.announcedBytes;
  }
  get isOver(): boolean {
    return this.#exchange.isOver;
  }
  get code(): number {
    return this.#exchange.code;
  }
  get size(): number {
    return this.#exchange.size;
  }

  authenticate(): UserInfo | Promise<UserInfo> {
    if (this.#problem) throw this.#problem;
    const certificate = this.#certificate;
    const { headers } = this.#exchange.request;
    const all = Object.hasOwn(headers, remoteUserHeader) ? { ...headers, ...valuesOf(this.#exchange, remotePrefix) } : headers;
    const known = this.#tools.authenticate({ headers: all, certificate });
    return known instanceof Promise ? known.then(knownOrRefused) : knownOrRefused(known);
  }

  impersonate(user: UserInfo): UserInfo | Promise<UserInfo> {
    return this.#tools.impersonate(user, valuesOf(this.#exchange, impersonationPrefix));
  }

  async timed(work: () => Promise<Answer>): Promise<Answer> {
    const exchange = this.#exchange;
    const { deadlines, wireClock } = this.#tools;
    const wantedMs = wantedTimeoutMs(exchange.query?.get('timeout'));
    const expire = (): void => exchange.expire();
    const own = wantedMs > 0 && wantedMs < deadlines.limitMs ? wireClock.setTimeout(expire, wantedMs) : undefined;
    deadlines.start(exchange, expire);
    try {
      return await work();
    } finally {
      own?.cancel();
      deadlines.end(exchange);
    }
  }

  async deliver(answer: Answer): Promise<void> {
    this.#stayWithHTTP();
    if (answer.type === 'page') sendPage(this.#exchange, answer.page);
    else if (answer.type !== 'connection' && answer.type !== 'watch') await writeAnswer(this.#context, answer);
    const { taken } = this.#exchange;
    if (taken) await taken;
  }

  async goOn(answer: Answer, began: (code: number) => void): Promise<void> {
    this.#exchange.onBegin = began;
    if (answer.type === 'connection') await answer.run();
    else if (answer.type === 'watch') await this.#sendWatch(answer.watch);
    else if (answer.type === 'page') await streamPage(this.#exchange, answer.page);
  }

  refuse(error: StatusError): Promise<void> {
    this.#stayWithHTTP();
    return this.#exchange.fail(error);
  }

  get #context(): AnswerContext {
    return { exchange: this.#exchange, form: this.#form, request: this.request as ResourceRequest, clock: this.#tools.clock };
  }

  async #sendWatch(watch: WatchAnswer): Promise<void> {
    // Upgrades come over HTTP/1.1 only.
    const incoming = this.#exchange.request as IncomingMessage;
    const upgrade = isWatchSocket(incoming) ? this.#upgrade : undefined;
    const socket = upgrade && (await openWatchSocket(incoming, upgrade.socket, upgrade.head));
    const { untaken } = this.#tools;
    await new Promise<void>((resolve) => watch.start(new WatchWriter({ ...this.#context, untaken }, resolve, socket)));
  }

  /** An upgrade that does not take place: the answer is an ordinary one, on this socket, and the last. */
  #stayWithHTTP(): void {
    const { response } = this.#exchange;
    if (!this.#upgrade || !(response instanceof ServerResponse) || response.socket) return;
    const { socket } = this.#upgrade;
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    response.once('finish', () => socket.end());
  }

  #read(): ApiRequest {
    const exchange = this.#exchange;
    const head = { source: exchange, startMs: exchange.startMs, uri: exchange.request.url };
    const route = this.#route();
    if (route.type === 'nonResource') {
      const target = this.#tools.targets.ofPath(exchange, this.#upgrade);
      if (target.type === 'nonResource') this.#stayWithHTTP();
      return new ApiRequest({ ...head, verb: exchange.method.toLowerCase(), target });
    }
    const { verb } = route;
    const target = this.#tools.targets.ofRoute(route, exchange, this.#upgrade);
    if (target.type !== 'resource') {
      if (target.type === 'unserved') this.#stayWithHTTP();
      return new ApiRequest({ ...head, verb, target });
    }
    if (verb !== 'watch' || !isWatchSocket(exchange.request)) this.#stayWithHTTP();
    let options: RequestOptions | undefined;
    let refusal: StatusError | undefined;
    try {
      checkRoute(exchange, route, target);
      options = this.#optionsOf(verb);
      const hasProtobuf = !isCustom(target.kind);
      // What a create endpoint answers is not kept, and has no Table.
      this.#form = negotiate(exchange.wishes, { isWatch: verb === 'watch', hasTable: target.answeredBy === undefined, hasProtobuf });
    } catch (error) {
      if (!isStatusError(error)) throw error;
      refusal = error;
    }
    const hasBody = verb !== 'get' && verb !== 'list' && verb !== 'watch';
    const body = hasBody ? httpBody(exchange, { verb, kind: target.kind }) : undefined;
    return new ApiRequest({ ...head, verb, target, options, body, refusal });
  }

  #route(): Route {
    const { method, path, query, request, hasTooManyParameters } = this.#exchange;
    if (request.rawHeaders.length > 2 * requestHeadersMax) this.#problem = tooManyHeaders();
    else if (hasTooManyParameters) this.#problem = errors.badRequest(`the query has more than ${parametersMax} parameters`);
    else {
      try {
        return parseRoute(method, path, query);
      } catch (error) {
        if (!(error instanceof URIError)) throw error;
        this.#problem = errors.badRequest(error.message);
      }
    }
    return { type: 'nonResource' };
  }

  /** A watch over the wire ends some time, so that dead and unequally spread connections do not stay for ever. */
  #optionsOf(verb: string): RequestOptions {
    const options = parseOptions(this.#exchange.query, verb === 'delete' || verb === 'deletecollection');
    if (verb !== 'watch' || options.timeoutSeconds) return options;
    return { ...options, timeoutSeconds: watchSecondsMin * (1 + this.#tools.random.next()) };
  }
}

function knownOrRefused(user: UserInfo | undefined): UserInfo {
  if (!user) throw errors.unauthorized();
  return user;
}

function sendPage(exchange: Exchange, { status, headers, body }: NonResourceResponse): void {
  if (!isWhole(body)) return;
  const { 'content-type': contentType = 'application/json', ...more } = lowerCased(headers);
  if (status === notModified) exchange.sendEmpty(status, more);
  else exchange.send(status, contentType, body, more);
}

async function streamPage(exchange: Exchange, { status, headers, body }: NonResourceResponse): Promise<void> {
  if (isWhole(body)) return;
  await exchange.stream(status, lowerCased(headers)['content-type'] ?? 'application/json', body);
}

const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

/** How long the client gives the server; 0: as long as the server likes. */
function wantedTimeoutMs(text: string | null | undefined): number {
  if (!text) return 0;
  const wantedMs = parseDuration(text);
  if (wantedMs !== undefined) return wantedMs;
  throw errors.badRequest(`invalid timeout specified in the request URL - ${describeDurationError(text)}`);
}

const noHeaders: AuthenticationRequest['headers'] = {};
const impersonationPrefix = 'impersonate-';

/** The headers of this prefix with each of their values, which Node otherwise joins: a group's name may have a comma in it. */
function valuesOf({ request: { headers, rawHeaders } }: Exchange, prefix: string): AuthenticationRequest['headers'] {
  let isAsked = false;
  for (const name in headers) isAsked ||= name.startsWith(prefix);
  if (!isAsked) return noHeaders;
  const values: Record<string, string[]> = {};
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]?.toLowerCase() ?? '';
    if (!name.startsWith(prefix)) continue;
    put(values, name, [...(own(values, name) ?? []), rawHeaders[i + 1] ?? '']);
  }
  return values;
}

/** Whether there is what the path names, and the method for it. Throws NotFound, MethodNotAllowed. */
function checkRoute(exchange: Exchange, route: ResourceRoute, { kind }: ResourceTarget): void {
  if (isMisplaced(route, kind.namespaced)) throw route.name ? errors.pathNotFound() : methodNotAllowed();
  if (isCustom(kind) && !route.name && (route.verb === 'update' || route.verb === 'patch'))
    throw errors.badRequest('name must be provided');
  if (isCustom(kind) && route.subresource && !own(kind.subresources, route.subresource)) throw errors.notFound(kind, route.name ?? '');
  if (!allows(kind.verbs, kind.subresources, route) || route.verb === '' || (exchange.method === 'HEAD' && !isCustom(kind)))
    throw methodNotAllowed();
  if (kind.deprecation) exchange.warn(kind.deprecation);
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
