/** What a client says by a resourceVersion, and what it is told of one that does not come. */
import { errors, StatusError } from '../../../api/meta/status-error.ts';
import type { Revision } from '../../store/storage.ts';

/** The revision that a client names, undefined for none. Throws BadRequest. */
export function parseRevision(text: string | undefined): Revision | undefined {
  if (!text) return undefined;
  const isNumber = /^\d+$/.test(text);
  // Beyond 2^53 it is not exact, but as far in the future.
  if (isNumber && BigInt(text) <= uint64Max) return Number(text);
  const quoted = JSON.stringify(text);
  const reason = isNumber ? 'value out of range' : 'invalid syntax';
  throw errors.badRequest(
    `invalid resource version: resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: ${reason}`,
  );
}

const uint64Max = 2n ** 64n - 1n;

export function tooLargeResourceVersion(wanted: Revision, current: Revision): StatusError {
  return new StatusError({
    code: 504,
    reason: 'Timeout',
    message: `Timeout: Too large resource version: ${wanted}, current: ${current}`,
    details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1 },
  });
}
