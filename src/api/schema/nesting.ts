/**
 * How deep the values of clients may be nested: in bodies, in patches, in paths of patches and in what comes of them.
 * Upstream allows 10,000 levels; walking those would exhaust our stack, and no type has a use for more than a few dozen.
 */
import { own } from '../meta/words.ts';

export const nestingMax = 500;

export function isTooDeep(value: unknown, left = nestingMax): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (left === 0) return true;
  if (Array.isArray(value)) return value.some((item) => isTooDeep(item, left - 1));
  for (const key in value) if (isTooDeep(own(value as Record<string, unknown>, key), left - 1)) return true;
  return false;
}
