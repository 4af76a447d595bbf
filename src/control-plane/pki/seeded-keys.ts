/**
 * Keys and signatures that follow from a seed, for clusters whose history has to be the same every time. Nothing here
 * keeps a secret: whoever knows the seed has the keys, and no care is taken of what time a computation takes.
 *
 * The authority signs with Ed25519, which has no chance in it. Tokens are ES256, since clients know that; there the number
 * that is else drawn by lot follows from key and message, in the manner of RFC 6979. Signatures come at once, not when a
 * thread of the machine has made them, so that what waits for them is not late by chance.
 */
import { createECDH, createHash, createHmac, createPrivateKey, createPublicKey, KeyObject, sign, type webcrypto } from 'node:crypto';

export const ed25519 = { name: 'Ed25519' } as const;
/** RFC 8410: what comes before the 32 bytes of an Ed25519 key in PKCS #8. */
const ed25519Head = Buffer.from('302e020100300506032b657004220420', 'hex');
const curve = 'prime256v1';
const scalarBytes = 32;
/** of the group of P-256 */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Different for each seed and purpose. */
const bytesOf = (seed: number, purpose: string): Buffer => createHash('sha256').update(`timonier ${purpose} ${seed}`).digest();

export function seededAuthorityKeys(seed: number, name: string): webcrypto.CryptoKeyPair {
  const key = createPrivateKey({ key: Buffer.concat([ed25519Head, bytesOf(seed, name)]), format: 'der', type: 'pkcs8' });
  return {
    privateKey: key.toCryptoKey(ed25519, true, ['sign']),
    publicKey: createPublicKey(key).toCryptoKey(ed25519, true, ['verify']),
  };
}

/** What the X.509 library asks of WebCrypto while it signs with Ed25519. */
export const immediateCrypto = {
  subtle: {
    digest: async (algorithm: string, data: ArrayBuffer) => toArrayBuffer(createHash(algorithm).update(Buffer.from(data)).digest()),
    exportKey: async (_: string, key: webcrypto.CryptoKey) => toArrayBuffer(KeyObject.from(key).export({ format: 'der', type: 'spki' })),
    sign: async (_: unknown, key: webcrypto.CryptoKey, data: ArrayBuffer) =>
      toArrayBuffer(sign(null, Buffer.from(data), KeyObject.from(key))),
  },
} as unknown as Crypto;

const toArrayBuffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

export function seededTokenKey(seed: number): KeyObject {
  const d = bytesOf(seed, 'service accounts');
  const point = publicPoint(d);
  const text = (bytes: Buffer): string => bytes.toString('base64url');
  const [x, y] = [text(point.subarray(1, 1 + scalarBytes)), text(point.subarray(1 + scalarBytes))];
  return createPrivateKey({ key: { kty: 'EC', crv: 'P-256', d: text(d), x, y }, format: 'jwk' });
}

/** ES256 as JOSE has it: the two numbers side by side. */
export function signES256(key: KeyObject, data: Buffer): Buffer {
  const d = Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');
  const hash = createHash('sha256').update(data).digest();
  const nonce = createHmac('sha256', d).update(hash).digest();
  const r = toNumber(publicPoint(nonce).subarray(1, 1 + scalarBytes)) % order;
  const s = (power(toNumber(nonce), order - 2n) * (toNumber(hash) + r * toNumber(d))) % order;
  return Buffer.from([r, s].map((number) => number.toString(16).padStart(2 * scalarBytes, '0')).join(''), 'hex');
}

/** Uncompressed: 4, x, y. */
function publicPoint(scalar: Buffer): Buffer {
  const ecdh = createECDH(curve);
  ecdh.setPrivateKey(scalar);
  return ecdh.getPublicKey();
}

const toNumber = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`);

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base % order];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % order;
    square = (square * square) % order;
  }
  return result;
}
