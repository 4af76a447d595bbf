/**
 * resourceVersion on the wire: a store revision as a decimal string. Clients may compare two of one resource (1.35).
 * Upstream: apiserver/pkg/storage/api_object_versioner.go.
 */
import { errors } from './status-error.ts';

/** The revision that a client names, undefined for none (""); throws BadRequest for what is no number. */
export function parseResourceVersion(text: string | null | undefined): number | undefined {
  if (!text) return undefined;
  const revision = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(revision)) return revision;
  const reason = /^\d+$/.test(text) ? 'value out of range' : 'invalid syntax';
  throw errors.badRequest(
    `invalid resource version ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: ${reason}`,
  );
}

/** Negative when `a` is older, 0 when they are the same, positive when `a` is newer. */
export function compareResourceVersions(a: string, b: string): number {
  return a.length === b.length ? (a < b ? -1 : a > b ? 1 : 0) : a.length - b.length;
}
