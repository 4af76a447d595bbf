/**
 * The short hash that names what came from one version of a template (`pod-template-hash`, names of revisions). Stable:
 * it depends on the content only, not on the order of fields.
 * Upstream: ComputeHash in pkg/controller/controller_utils.go (FNV-32a too, but over Go's print of the struct).
 */

/** Kubernetes' alphabet for generated names: no vowels, no look-alikes. Upstream: apimachinery/pkg/util/rand. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
const fnvOffset = 0x811c9dc5;
const fnvPrime = 0x01000193;

export function hashOf(content: unknown, collisionCount?: number): string {
  const text = canonical(content) + (collisionCount === undefined ? '' : `#${collisionCount}`);
  let hash = fnvOffset;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, fnvPrime) >>> 0;
  return safeEncode(String(hash));
}

/** JSON with sorted keys. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`).join(',')}}`;
}

const safeEncode = (text: string): string => [...text].map((c) => alphabet[c.charCodeAt(0) % alphabet.length]).join('');
