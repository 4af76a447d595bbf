/**
 * What an Ingress's annotations ask for. Those of ingress-nginx that charts carry are obeyed, as it documents them; one that
 * means something to another controller and nothing to this one is named, and so is a value that is none. docs/ingress.md
 * has the same table, for people.
 *
 * A list of addresses that can't be read lets nobody in.
 */
import { BlockList, isIP } from 'node:net';
import { parseCIDR } from '../../api/meta/addresses.ts';
import { own } from '../../api/meta/words.ts';
import { type BackendProtocol, type CORS, defaultPolicy, type RoutePolicy } from './route-policy.ts';

export interface AnnotationProblem {
  readonly annotation: string;
  /** what it is followed by in a sentence */
  readonly says: string;
}

export interface Annotated {
  readonly policy: RoutePolicy;
  /** paths are patterns */
  readonly usesPatterns: boolean;
  /** who comes without TLS, to TLS: `with-tls` of hosts that have a certificate */
  readonly redirects: 'never' | 'with-tls' | 'always';
  readonly problems: readonly AnnotationProblem[];
}

const prefix = 'nginx.ingress.kubernetes.io/';
/** Domains of controllers: their annotations are for a data plane. Others, such as cert-manager.io's, are for somebody else. */
const controllerDomains =
  /^(?:[\w.-]+\.)?ingress\.kubernetes\.io\/|^(?:[\w.-]+\.)?(?:traefik\.io|traefik\.containo\.us|konghq\.com|haproxy\.org|nginx\.org|nginx\.com|projectcontour\.io)\//;

type Values = ReadonlyMap<string, string>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };
/** Undefined: it was understood. */
type Reader = (value: string, draft: Draft, values: Values) => string | undefined;

interface Draft {
  readonly policy: Mutable<RoutePolicy>;
  usesPatterns: boolean;
  redirects: Annotated['redirects'];
}

const flag =
  (set: (on: boolean, draft: Draft, values: Values) => void): Reader =>
  (value, draft, values) => {
    if (value !== 'true' && value !== 'false') return 'is not "true" or "false"';
    set(value === 'true', draft, values);
    return undefined;
  };

const millisecondsMax = 2 ** 31 - 1;
const seconds =
  (field: 'connectMs' | 'readMs' | 'sendMs'): Reader =>
  (value, { policy }) => {
    const number = Number(/^(\d+)s?$/.exec(value)?.[1]);
    if (!(number > 0)) return 'is not a number of seconds';
    policy[field] = Math.min(number * 1000, millisecondsMax);
    return undefined;
  };

const addresses =
  (field: 'allowed' | 'denied'): Reader =>
  (value, { policy }) => {
    const list = new BlockList();
    policy[field] = list;
    for (const text of value.split(',').map((word) => word.trim())) {
      const cidr = parseCIDR(isIP(text) ? `${text}/${isIP(text) === 6 ? 128 : 32}` : text);
      if (cidr) list.addSubnet(text.split('/')[0] ?? '', cidr.prefix, cidr.family === 'IPv4' ? 'ipv4' : 'ipv6');
      else if (field === 'allowed') {
        policy.allowed = new BlockList();
        return 'is not a list of CIDRs: nobody is let in';
      } else return 'is not a list of CIDRs';
    }
    return undefined;
  };

const protocols: Readonly<Record<string, BackendProtocol>> = { HTTP: 'http', AUTO_HTTP: 'http', HTTPS: 'https', GRPC: 'h2c', GRPCS: 'h2' };
const byteUnits: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
/** Belongs to another one, which reads it. */
const partOf: (main: string) => Reader = (main) => (_value, _draft, values) =>
  values.has(main) ? undefined : `means nothing without ${main}`;
/** How it is done here in any case, or of no consequence: bodies are never gathered, heads may be large. */
const always: Reader = () => undefined;
const cookieName = /^[\w.-]+$/;
const cookieValue = /^[\w./~%+-]*$/;

const readers: Readonly<Record<string, Reader>> = {
  'rewrite-target': (value, draft) => {
    if (!value.startsWith('/') && !/^\$\d/.test(value)) return 'is not a path';
    draft.policy.rewrite = value;
    draft.usesPatterns = true;
    return undefined;
  },
  'use-regex': flag((on, draft) => {
    draft.usesPatterns ||= on;
  }),
  'ssl-redirect': flag((on, draft) => {
    if (draft.redirects !== 'always') draft.redirects = on ? 'with-tls' : 'never';
  }),
  'force-ssl-redirect': flag((on, draft) => {
    if (on) draft.redirects = 'always';
  }),
  'proxy-body-size': (value, { policy }) => {
    const [, digits, unit = ''] = /^(\d+)([kmg]?)$/i.exec(value) ?? [];
    if (digits === undefined) return 'is not a size such as 8m';
    policy.bodyBytesMax = Number(digits) * (own(byteUnits, unit.toLowerCase()) ?? 1) || undefined;
    return undefined;
  },
  'proxy-connect-timeout': seconds('connectMs'),
  'proxy-read-timeout': seconds('readMs'),
  'proxy-send-timeout': seconds('sendMs'),
  'backend-protocol': (value, { policy }) => {
    const protocol = own(protocols, value.toUpperCase());
    if (!protocol) return `is not one of ${Object.keys(protocols).join(', ')}`;
    policy.protocol = protocol;
    return undefined;
  },
  affinity: (value, { policy }, values) => {
    if (value !== 'cookie') return 'is not "cookie"';
    policy.affinity = affinityOf(values);
    return policy.affinity ? undefined : 'has a cookie that can’t be written: the name or the path';
  },
  'affinity-mode': partOf('affinity'),
  'session-cookie-name': partOf('affinity'),
  'session-cookie-path': partOf('affinity'),
  'session-cookie-max-age': partOf('affinity'),
  'session-cookie-expires': partOf('affinity'),
  'session-cookie-samesite': partOf('affinity'),
  'session-cookie-secure': partOf('affinity'),
  'enable-cors': flag((on, { policy }, values) => {
    if (on) policy.cors = corsOf(values);
  }),
  'cors-allow-origin': partOf('enable-cors'),
  'cors-allow-methods': partOf('enable-cors'),
  'cors-allow-headers': partOf('enable-cors'),
  'cors-expose-headers': partOf('enable-cors'),
  'cors-allow-credentials': partOf('enable-cors'),
  'cors-max-age': partOf('enable-cors'),
  'whitelist-source-range': addresses('allowed'),
  'allowlist-source-range': addresses('allowed'),
  'denylist-source-range': addresses('denied'),
  'proxy-buffering': always,
  'proxy-request-buffering': always,
  'proxy-buffer-size': always,
  'proxy-buffers-number': always,
  'proxy-busy-buffers-size': always,
  'proxy-max-temp-file-size': always,
  'proxy-http-version': always,
  'client-body-buffer-size': always,
  'websocket-services': always,
};

export function readAnnotations(annotations: Readonly<Record<string, string>> | undefined): Annotated {
  const draft: Draft = { policy: { ...defaultPolicy }, usesPatterns: false, redirects: 'with-tls' };
  const values: Values = new Map(
    Object.entries(annotations ?? {}).flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value.trim()]] : [])),
  );
  const problems: AnnotationProblem[] = [];
  for (const annotation of Object.keys(annotations ?? {}).sort()) {
    const name = annotation.startsWith(prefix) ? annotation.slice(prefix.length) : undefined;
    const reader = name === undefined ? undefined : own(readers, name);
    if (!reader) {
      if (controllerDomains.test(annotation)) problems.push({ annotation, says: 'means nothing to this controller' });
      continue;
    }
    const says = reader(values.get(name ?? '') ?? '', draft, values);
    if (says !== undefined) problems.push({ annotation, says });
  }
  return { ...draft, problems };
}

function affinityOf(values: Values): RoutePolicy['affinity'] {
  const name = values.get('session-cookie-name') ?? 'INGRESSCOOKIE';
  const path = values.get('session-cookie-path') ?? '/';
  const maxAge = /^\d+$/.exec(values.get('session-cookie-max-age') ?? values.get('session-cookie-expires') ?? '')?.[0];
  const sameSite = /^(?:Lax|Strict|None)$/.exec(values.get('session-cookie-samesite') ?? '')?.[0];
  if (!cookieName.test(name) || !cookieValue.test(path)) return undefined;
  const parts = [
    `Path=${path}`,
    maxAge === undefined ? '' : `Max-Age=${maxAge}`,
    sameSite === undefined ? '' : `SameSite=${sameSite}`,
    values.get('session-cookie-secure') === 'true' ? 'Secure' : '',
    'HttpOnly',
  ];
  return { name, attributes: parts.flatMap((part) => (part ? [`; ${part}`] : [])).join('') };
}

/** Of a header: what a client can't be told is left out. */
const headerText = (text: string): string => text.replaceAll(/[^ -~]/g, '');

const corsDefaults = {
  methods: 'GET, PUT, POST, DELETE, PATCH, OPTIONS',
  headers: 'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization',
  maxAgeSeconds: 1_728_000,
};

function corsOf(values: Values): CORS {
  const exposed = values.get('cors-expose-headers');
  return {
    origins: (values.get('cors-allow-origin') ?? '*').split(',').map((origin) => origin.trim()),
    methods: headerText(values.get('cors-allow-methods') ?? corsDefaults.methods),
    headers: headerText(values.get('cors-allow-headers') ?? corsDefaults.headers),
    exposed: exposed === undefined ? undefined : headerText(exposed),
    credentials: values.get('cors-allow-credentials') !== 'false',
    maxAgeSeconds: Number(/^\d+$/.exec(values.get('cors-max-age') ?? '')?.[0] ?? corsDefaults.maxAgeSeconds),
  };
}
