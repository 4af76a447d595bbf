/**
 * Who a user is by the word of a proxy that has authenticated him: the headers X-Remote-User, X-Remote-Uid,
 * X-Remote-Group and X-Remote-Extra-*, from whoever shows a client certificate of the front proxy's authority. The same
 * headers tell aggregated servers who asks (`remoteHeaders`); they learn from the ConfigMap
 * kube-system/extension-apiserver-authentication whom to believe.
 *
 * Guarantee: a certificate of that authority is no user's: alone it says nothing.
 * Upstream: apiserver/pkg/authentication/request/headerrequest, client-go/transport/round_trippers.go (SetAuthProxyHeaders).
 */
import { X509Certificate } from 'node:crypto';
import { own, put } from '../../../api/meta/words.ts';
import { subjectOf } from '../../pki/certificate.ts';
import type { UserInfo } from '../request/request.ts';
import { withAuthenticatedGroup } from '../request/user.ts';
import type { AuthenticationRequest, Authenticator } from './authenticator.ts';

/** The only name of a front proxy. */
export const frontProxyName = 'front-proxy-client';

export const remoteUserHeader = 'x-remote-user';
const names = { user: remoteUserHeader, uid: 'x-remote-uid', group: 'x-remote-group', extra: 'x-remote-extra-' } as const;
export const remotePrefix = 'x-remote-';

/** What the ConfigMap for extension servers says of front proxies. */
export const requestHeaderConfig = (frontProxyCAPem: string): Readonly<Record<string, string>> => ({
  'requestheader-allowed-names': JSON.stringify([frontProxyName]),
  'requestheader-client-ca-file': frontProxyCAPem,
  'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
  'requestheader-group-headers': '["X-Remote-Group"]',
  'requestheader-uid-headers': '["X-Remote-Uid"]',
  'requestheader-username-headers': '["X-Remote-User"]',
});

/** Knows the certificates of front proxies. A certificate is looked at once per connection. */
export class FrontProxies {
  readonly #authority: X509Certificate;
  readonly #known = new WeakMap<Uint8Array, string | undefined>();

  constructor(authorityPem: string) {
    this.#authority = new X509Certificate(authorityPem);
  }

  /** The common name in a certificate of the front proxy's authority; undefined for those of others. */
  nameIn(der: Uint8Array): string | undefined {
    if (this.#known.has(der)) return this.#known.get(der);
    const certificate = new X509Certificate(der);
    const isOurs = certificate.checkIssued(this.#authority) && certificate.verify(this.#authority.publicKey);
    const name = isOurs ? subjectOf(certificate).commonName : undefined;
    this.#known.set(der, name);
    return name;
  }
}

export const requestHeaders = (proxies: FrontProxies): Authenticator => ({
  authenticate({ headers, certificate }) {
    const name = valuesOf(headers, names.user)[0];
    if (!name || !certificate || certificate === 'unverified' || proxies.nameIn(certificate) !== frontProxyName) return undefined;
    const extra: Record<string, string[]> = {};
    for (const header of Object.keys(headers)) {
      if (header.startsWith(names.extra)) put(extra, decodeKey(header.slice(names.extra.length)), valuesOf(headers, header));
    }
    const uid = valuesOf(headers, names.uid)[0];
    const groups = valuesOf(headers, names.group);
    return withAuthenticatedGroup({ name, groups, ...(uid && { uid }), ...(Object.keys(extra).length > 0 && { extra }) });
  },
});

function valuesOf(headers: AuthenticationRequest['headers'], name: string): string[] {
  const values = [own(headers, name) ?? []].flat();
  return values.filter((value) => value !== '').map((value) => Buffer.from(value, 'latin1').toString());
}

function decodeKey(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

/** A user as an aggregated server is told of him. */
export function remoteHeaders({ name, uid, groups, extra = {} }: UserInfo): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { [names.user]: onTheWire(name), [names.group]: groups.map(onTheWire) };
  if (uid) headers[names.uid] = onTheWire(uid);
  for (const [key, values] of Object.entries(extra)) put(headers, names.extra + encodeKey(key), values.map(onTheWire));
  return headers;
}

/** Node writes a header's characters as bytes. */
const onTheWire = (text: string): string => Buffer.from(text).toString('latin1');

/** What is no token of a header's name, and the sign of the encoding itself. */
const encodeKey = (key: string): string =>
  key.replace(/[^!#$&'*+.^_`|~0-9A-Za-z-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
