/**
 * Lets pages of proxied servers work under the proxy's path: links and redirects that begin at the server's root get the
 * path before them; relative ones and those to other hosts stay. Pages pass through a tag at a time; what scripts and
 * styles say inside is left alone. Upstream: apimachinery/pkg/util/proxy/transport.go.
 */
import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';

/** `prefix` is the path that leads to the server's root; `host` the server as it was asked. */
export interface ProxiedSite {
  readonly prefix: string;
  readonly host: string;
}

const linkAttributes = new Set(
  'action background cite classid codebase data formaction href icon longdesc manifest poster profile src usemap'.split(' '),
);
/** A tag that does not end within this many characters passes as it is. */
const tagLengthMax = 64 * 1024;
const tagPattern = /<[a-z](?:[^<>"']|"[^"]*"|'[^']*')*>/gi;
const openTagPattern = /<(?:[a-z](?:[^<>"']|"[^"]*"|'[^']*')*(?:"[^"]*|'[^']*)?)?$/i;
const attributePattern = /(\s([a-z]+)\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)/gi;

export function rewriteLink(link: string, { prefix, host }: ProxiedSite): string {
  const [, authority, rest = ''] = /^(?:https?:)?\/\/([^/?#]*)(.*)$/i.exec(link) ?? [undefined, undefined, link];
  if (authority === undefined ? !rest.startsWith('/') : authority !== host) return link;
  if (`${rest}/`.startsWith(`${prefix}/`)) return link;
  return `${prefix}${rest.startsWith('/') ? '' : '/'}${rest}`;
}

export function rewriteTags(html: string, site: ProxiedSite): string {
  return html.replace(tagPattern, (tag) =>
    tag.replace(attributePattern, (whole, before: string, name: string, value: string) => {
      if (!linkAttributes.has(name.toLowerCase())) return whole;
      const quote = /^["']/.exec(value)?.[0] ?? '';
      return `${before}${quote}${rewriteLink(value.slice(quote.length, value.length - quote.length), site)}${quote}`;
    }),
  );
}

/** What the answer's body has to go through, and its headers then; undefined when it is no page. */
export function planPageRewrite(
  { headers, statusCode }: Pick<IncomingMessage, 'headers' | 'statusCode'>,
  site: ProxiedSite,
): { readonly headers: IncomingMessage['headers']; readonly steps: readonly Transform[] } | undefined {
  const { location, ...others } = headers;
  if (location !== undefined) return { headers: { ...others, location: rewriteLink(location, site) }, steps: [] };
  const encoding = headers['content-encoding'] ?? '';
  const isPage = /^text\/html\s*(;|$)/i.test(headers['content-type'] ?? '') && statusCode !== 204 && statusCode !== 304;
  if (!isPage || !['', 'gzip', 'deflate'].includes(encoding)) return undefined;
  const { 'content-length': _length, 'content-encoding': _encoding, ...kept } = headers;
  const decode = encoding === 'gzip' ? [createGunzip()] : encoding === 'deflate' ? [createInflate()] : [];
  return { headers: kept, steps: [...decode, tagStream(site)] };
}

/** Byte for byte but for the links: what is not ASCII is never touched. */
function tagStream(site: ProxiedSite): Transform {
  let rest = '';
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const text = rest + chunk.toString('latin1');
      const open = text.search(openTagPattern);
      rest = open >= 0 && text.length - open <= tagLengthMax ? text.slice(open) : '';
      done(undefined, Buffer.from(rewriteTags(text.slice(0, text.length - rest.length), site), 'latin1'));
    },
    flush(done) {
      done(undefined, Buffer.from(rest, 'latin1'));
    },
  });
}
