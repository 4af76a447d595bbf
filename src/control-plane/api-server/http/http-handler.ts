/**
 * The handler of all HTTP requests: each becomes an exchange, gets a wire (http-wire.ts) and goes through the chain. Nothing
 * that one request does harms another.
 */
import type { IncomingMessage } from 'node:http';
import { ServerResponse } from '../../../client/transport/node-http.ts';
import { contextOf, requestContext } from '../../../client/transport/request-context.ts';
import type { AuthenticationRequest } from '../authentication/authenticator.ts';
import type { RequestChain } from '../chain/chain.ts';
import type { HTTPRequest, HTTPResponse, Upgrade } from '../request/api-request.ts';
import { Deadlines } from './deadlines.ts';
import { Exchange } from './exchange.ts';
import { HTTPWire, type WireTools } from './http-wire.ts';
import { UntakenBytes } from './untaken-bytes.ts';

/** For everything but watches and connections. */
const requestTimeoutMs = 60_000;

export interface HandlerParts extends Omit<WireTools, 'deadlines' | 'untaken'> {
  readonly chain: Pick<RequestChain, 'serve'>;
}

export class HTTPHandler implements Disposable {
  readonly #chain: HandlerParts['chain'];
  readonly #tools: WireTools;
  readonly #deadlines: Deadlines;

  constructor({ chain, ...tools }: HandlerParts) {
    this.#chain = chain;
    this.#deadlines = new Deadlines(tools.wireClock, requestTimeoutMs);
    this.#tools = { ...tools, deadlines: this.#deadlines, untaken: new UntakenBytes() };
  }

  [Symbol.dispose](): void {
    this.#deadlines[Symbol.dispose]();
  }

  /** Rejects when even the refusal has failed. */
  handle(request: HTTPRequest, response: HTTPResponse, certificate: AuthenticationRequest['certificate']): Promise<void> {
    return this.#serve(this.#exchange(request, response), certificate, undefined);
  }

  /** A request that asks to go on in another protocol. What is no connection is answered as if it had not asked. */
  upgrade(request: IncomingMessage, upgrade: Upgrade, certificate: AuthenticationRequest['certificate']): Promise<void> {
    const exchange = this.#exchange(request, new ServerResponse(request));
    upgrade.socket.once('close', () => exchange.abort());
    return this.#serve(exchange, certificate, upgrade);
  }

  #exchange(request: HTTPRequest, response: HTTPResponse): Exchange {
    const { random, wireClock } = this.#tools;
    return new Exchange(request, response, { auditID: auditIDOf(request) || random.uuid(), startMs: wireClock.monotonic() });
  }

  #serve(exchange: Exchange, certificate: AuthenticationRequest['certificate'], upgrade: Upgrade | undefined): Promise<void> {
    return requestContext.run(contextOf(exchange.method, exchange.path, exchange.auditID), () => {
      const serve = (wire: HTTPWire): Promise<void> => this.#chain.serve(wire.request, wire);
      const wire = new HTTPWire(this.#tools, exchange, { certificate, upgrade });
      const { target } = wire.request;
      // What another server has just defined is looked for again, once it is served here too.
      const coming = target.type === 'unserved' ? this.#tools.targets.coming(target.resource) : undefined;
      return coming?.then(() => serve(new HTTPWire(this.#tools, exchange, { certificate, upgrade }))) ?? serve(wire);
    });
  }
}

/** The first, whole, as upstream has it; Node joins several. */
function auditIDOf({ headers, rawHeaders }: HTTPRequest): string {
  const joined = String(headers['audit-id'] ?? '');
  if (!joined.includes(',')) return joined;
  return rawHeaders[rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'audit-id') + 1] ?? '';
}
