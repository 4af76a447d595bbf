/**
 * The authorities that a client is to believe, as PEM text: what else is in it counts for nothing, and one certificate
 * that can be read is enough.
 * Upstream: client-go/transport/transport.go (rootCertPool), Go's encoding/pem.
 */
import { X509Certificate } from 'node:crypto';

const certificate = 'CERTIFICATE';

/** Why clients can't be made with it. `bundle`: base64, as objects have it; not empty. */
export function caBundleProblem(bundle: string): string | undefined {
  const text = Buffer.from(bundle, 'base64').toString('latin1');
  let unread = false;
  let end = 0;
  for (const block of pemBlocks(text)) {
    end = block.end;
    if (block.type !== certificate || block.hasHeaders) continue;
    if (isCertificate(block.bytes)) return undefined;
    unread = true;
  }
  if (unread) return 'unable to load root certificates: failed to parse certificate: x509: malformed certificate';
  const why = end < text.length ? 'unable to parse bytes as PEM block' : 'no valid certificate authority data seen';
  return `unable to load root certificates: ${why}`;
}

interface PemBlock {
  readonly type: string;
  readonly hasHeaders: boolean;
  readonly bytes: Buffer;
  /** where the next may begin */
  readonly end: number;
}

const opening = '-----BEGIN ';
const closing = '-----END ';
const dashes = '-----';
const base64 = /^[A-Za-z0-9+/\s]*(?:={1,2}\s*)?$/;

/** In time that grows with the text: the next end is looked for once, however many beginnings stand before it. */
function* pemBlocks(text: string): Generator<PemBlock> {
  let end = { at: -1, words: '', after: 0 };
  for (let at = nextLine(text, opening, 0); at >= 0; ) {
    const start = text.indexOf('\n', at) + 1;
    if (start === 0) return;
    if (end.at < start) end = lineAt(text, nextLine(text, closing, start), closing);
    if (end.at < 0) return;
    const { words } = lineAt(text, at, opening);
    const isBlock = words === end.words && words.endsWith(dashes);
    const block = isBlock ? blockOf(words.slice(0, -dashes.length), text.slice(start, end.at)) : undefined;
    if (block) yield { ...block, end: end.after };
    at = nextLine(text, opening, block ? end.after : start);
  }
}

/** What a line says after these words, and where the next one begins. */
function lineAt(text: string, at: number, words: string): { readonly at: number; readonly words: string; readonly after: number } {
  const after = text.indexOf('\n', at) + 1 || text.length;
  return { at, words: text.slice(at + words.length, after).trimEnd(), after };
}

function blockOf(type: string, inner: string): Omit<PemBlock, 'end'> | undefined {
  const head = /^(?:[^\r\n:]*:[^\n]*\n)+/.exec(inner)?.[0] ?? '';
  const body = inner.slice(head.length);
  return base64.test(body) ? { type, hasHeaders: head !== '', bytes: Buffer.from(body, 'base64') } : undefined;
}

/** Where a line begins so. */
function nextLine(text: string, words: string, from: number): number {
  for (let at = text.indexOf(words, from); at >= 0; at = text.indexOf(words, at + 1)) if (at === 0 || text[at - 1] === '\n') return at;
  return -1;
}

function isCertificate(bytes: Buffer): boolean {
  try {
    return new X509Certificate(bytes).raw.length > 0;
  } catch {
    return false; // no certificate can be read of it
  }
}
