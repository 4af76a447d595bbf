/**
 * Which headers pass a proxy. What concerns one connection only stays on it (RFC 9110, 7.6.1), and so does everything by
 * which a client shows who it is: what it sends to this server is no backend's business, and a backend may take
 * `X-Remote-User` from here for the word of the server.
 * Upstream: net/http/httputil/reverseproxy.go, apimachinery/pkg/util/proxy/{transport,upgradeaware}.go.
 */

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { put } from '../../../api/meta/words.ts';

const ofOneConnection = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
]);
const ofIdentity = /^(authorization|proxy-authorization|x-remote-.*|impersonate-.*)$/;
const ofUpgrade = /^(upgrade|x-stream-protocol-version|sec-websocket-(version|key|protocol|extensions))$/;
/** A client may show a token as a protocol that it speaks. */
const tokenProtocol = /^base64url\.bearer\.authorization\.k8s\.io\./;
/** They speak of the backend's own site, not of the server's. */
const ofOrigin = /^access-control-allow-(credentials|headers|methods|origin)$/;

export type Headers = Record<string, string | string[]>;

/** Of a client's request, those that the backend gets, and where it came from. `hasBody` says whether a length is told. */
export function requestHeaders({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>, hasBody: boolean): Headers {
  const out: Headers = {};
  const named = namedByConnection(headers);
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(':') || name === 'host') continue;
    if (ofOneConnection.has(name) || ofUpgrade.test(name) || named.has(name) || ofIdentity.test(name)) continue;
    if (name === 'content-length' && !hasBody) continue;
    put(out, name, value);
  }
  const from = [out['x-forwarded-for'], socket.remoteAddress].flat().filter((one) => one !== undefined);
  if (from.length > 0) out['x-forwarded-for'] = from.join(', ');
  return out;
}

/** Those that make an upgrade. */
export function upgradeHeaders(headers: IncomingHttpHeaders): Headers {
  const out: Headers = { connection: 'Upgrade' };
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || !ofUpgrade.test(name)) continue;
    const passed = name === 'sec-websocket-protocol' ? withoutTokens(String(value)) : value;
    if (passed !== '') put(out, name, passed);
  }
  return out;
}

const withoutTokens = (protocols: string): string =>
  protocols
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => !tokenProtocol.test(protocol))
    .join(', ');

/** Of a backend's answer, those that the client gets. */
export function answerHeaders(headers: IncomingHttpHeaders): Headers {
  const out: Headers = {};
  const named = namedByConnection(headers);
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || ofOneConnection.has(name) || named.has(name) || ofOrigin.test(name)) continue;
    put(out, name, value);
  }
  return out;
}

/** Lengths and hosts can't be taken away by naming them. */
const neverNamed = new Set(['content-length', 'content-type', 'host']);

const namedByConnection = ({ connection = '' }: IncomingHttpHeaders): ReadonlySet<string> =>
  new Set(
    connection
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter((name) => !neverNamed.has(name)),
  );
