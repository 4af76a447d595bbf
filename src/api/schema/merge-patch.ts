/**
 * JSON Merge Patch (RFC 7386): objects merge, null removes, everything else replaces. Nothing is changed in place.
 */
import { copyOf, own, put } from '../meta/words.ts';

type Json = Readonly<Record<string, unknown>>;

export const isJsonObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const merged: Record<string, unknown> = isJsonObject(target) ? copyOf(target) : {};
  for (const key of Object.keys(patch)) {
    const value = own(patch, key);
    if (value === null) delete merged[key];
    else put(merged, key, applyMergePatch(own(merged, key), value));
  }
  return merged;
}
