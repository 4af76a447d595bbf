/**
 * Reads a certificate signing request as far as its signature needs it: PEM, the outer layers of its DER, and the key in
 * it. What it asks for is the signer's to judge. Upstream: pkg/apis/certificates/helpers.go.
 */

import { createPublicKey, verify, X509Certificate } from 'node:crypto';
import { own } from '../../meta/words.ts';

interface PemBlock {
  readonly type: string;
  readonly hasHeaders: boolean;
  readonly bytes: Buffer;
}

const pemPattern = /-----BEGIN ([^-\n]+)-----\r?\n((?:(?!-----)[\s\S])*)-----END \1-----/g;

export function pemBlocks(text: string): readonly PemBlock[] {
  return [...text.matchAll(pemPattern)].map(([, type = '', body = '']) => ({
    type,
    hasHeaders: body.includes(':'),
    bytes: Buffer.from(body.replace(/^.*:.*$/gm, ''), 'base64'),
  }));
}

/** One value of DER: where its content begins and where it ends. */
interface Value {
  readonly tag: number;
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

function readValue(bytes: Buffer, start: number): Value {
  const [tag, short] = [bytes[start], bytes[start + 1]];
  if (tag === undefined || short === undefined) throw new MalformedError('asn1: syntax error: data truncated');
  const longBytes = short & 0x80 ? short & 0x7f : 0;
  if (longBytes > 4) throw new MalformedError('asn1: structure error: length too large');
  const content = start + 2 + longBytes;
  const length = longBytes ? bytes.subarray(start + 2, content).reduce((sum, byte) => sum * 256 + byte, 0) : short;
  const end = content + length;
  if (end > bytes.length) throw new MalformedError('asn1: syntax error: data truncated');
  return { tag, start, content, end };
}

function childrenOf(bytes: Buffer, parent: Value): readonly Value[] {
  const children: Value[] = [];
  for (let at = parent.content; at < parent.end; at = children.at(-1)?.end ?? parent.end) children.push(readValue(bytes, at));
  return children;
}

const sequenceTag = 0x30;
const bitStringTag = 0x03;
const objectIdTag = 0x06;

/** Digests by the identifiers of signature algorithms; Ed25519 has none of its own. */
const digests: Readonly<Record<string, string | null>> = {
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
  '2b6570': null,
};

/** What is wrong with the request (its bytes in base64, as the API has them); undefined when nothing is. */
export function whatIsWrongWithRequest(base64: string): string | undefined {
  const block = pemBlocks(Buffer.from(base64, 'base64').toString('latin1'))[0];
  if (block?.type !== 'CERTIFICATE REQUEST') return 'PEM block type must be CERTIFICATE REQUEST';
  try {
    return whatIsWrongWithSignature(block.bytes);
  } catch (error) {
    if (error instanceof Error) return error.message;
    throw error;
  }
}

const failures: Readonly<Record<string, string>> = {
  ec: 'x509: ECDSA verification failure',
  rsa: 'crypto/rsa: verification error',
  ed25519: 'x509: Ed25519 verification failure',
};

function whatIsWrongWithSignature(bytes: Buffer): string | undefined {
  const outer = readValue(bytes, 0);
  const [info, algorithm, signature] = childrenOf(bytes, outer);
  if (info?.tag !== sequenceTag || algorithm?.tag !== sequenceTag || signature?.tag !== bitStringTag) {
    throw new MalformedError('asn1: structure error: tags do not match a certificate request');
  }
  // version, subject, key
  const key = childrenOf(bytes, info)[2];
  const id = childrenOf(bytes, algorithm)[0];
  if (key?.tag !== sequenceTag || id?.tag !== objectIdTag) throw new MalformedError('asn1: structure error: no public key');
  const digest = own(digests, bytes.subarray(id.content, id.end).toString('hex'));
  if (digest === undefined) throw new MalformedError('x509: cannot verify signature: algorithm unimplemented');
  const publicKey = createPublicKey({ key: bytes.subarray(key.start, key.end), format: 'der', type: 'spki' });
  // the first byte of a bit string counts its unused bits
  const isSigned = verify(digest, bytes.subarray(info.start, info.end), publicKey, bytes.subarray(signature.content + 1, signature.end));
  return isSigned ? undefined : (failures[publicKey.asymmetricKeyType ?? ''] ?? 'x509: invalid signature');
}

/** What is wrong with a chain of certificates in PEM (in base64); undefined when nothing is. */
export function whatIsWrongWithCertificate(base64: string): string | undefined {
  const blocks = pemBlocks(Buffer.from(base64, 'base64').toString('latin1'));
  if (!blocks.length) return 'must contain at least one CERTIFICATE PEM block';
  for (const { type, hasHeaders, bytes } of blocks) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`;
    if (hasHeaders) return 'no PEM block headers are permitted';
    if (!bytes.length) return 'found CERTIFICATE PEM block containing 0 certificates';
    const wrong = whatIsWrongWithDer(bytes);
    if (wrong) return wrong;
  }
  return undefined;
}

function whatIsWrongWithDer(bytes: Buffer): string | undefined {
  try {
    new X509Certificate(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof Error) return `x509: malformed certificate: ${error.message}`;
    throw error;
  }
}
