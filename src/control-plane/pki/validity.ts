/**
 * From when until when certificates are valid. Whoever speaks TLS looks at the machine's clock; the cluster looks at its
 * own, which may be a virtual one, years before or after. Where both are the same, a certificate has the dates that it
 * was asked for.
 *
 * Guarantee: a certificate is valid by both clocks when it is made, and a cluster on a clock of its own can be reached
 * however far that is moved: what it makes for itself is always valid, what it signs for others has one end open, towards
 * the machine's clock. So dates never say what time it really was, and a history can be made again to the byte.
 * RFC 5280, 4.1.2.5: the last date of all is that of a certificate without an end.
 */
import type { X509Certificate } from 'node:crypto';
import { type Clock, realClock } from '../../client/clock.ts';

export interface Clocks {
  /** the cluster's */
  readonly clock: Clock;
  /** by which certificates are checked in handshakes; default: the real one */
  readonly machine?: Clock | undefined;
}

export interface Validity {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The X.509 library writes two digits for years that are earlier. */
const firstMs = Date.UTC(1950, 0, 1);
const lastMs = Date.UTC(9999, 11, 31, 23, 59, 59);
const always: Validity = { fromMs: firstMs, toMs: lastMs };
/** Certificates are valid from a little before they are made: clocks of clients differ. */
export const backdateMs = 5 * 60_000;
const renewalShare = 1 / 3;

export const hasOwnTime = ({ clock, machine = realClock }: Clocks): boolean => clock !== machine;

/** Of what the cluster makes for itself. */
export function ownValidity(clocks: Clocks, lifeMs: number): Validity {
  const nowMs = clocks.clock.now();
  return hasOwnTime(clocks) ? always : { fromMs: nowMs - backdateMs, toMs: nowMs + lifeMs };
}

/** Of what it signs for others, to end after `lifeMs`. */
export function signedValidity(clocks: Clocks, lifeMs: number): Validity {
  const { clock, machine = realClock } = clocks;
  const nowMs = clock.now();
  const asked = { fromMs: nowMs - backdateMs, toMs: nowMs + lifeMs };
  if (!hasOwnTime(clocks)) return asked;
  return nowMs < machine.now() ? { ...asked, toMs: lastMs } : { ...asked, fromMs: firstMs };
}

/** Whether what the cluster made for itself has to be made anew: with less than a third of its life left, or too short for a clock that is moved. */
export function isTooShort({ fromMs, toMs }: Validity, clocks: Clocks): boolean {
  if (hasOwnTime(clocks)) return fromMs > firstMs || toMs < lastMs;
  const nowMs = clocks.clock.now();
  return nowMs < fromMs || nowMs > toMs - (toMs - fromMs) * renewalShare;
}

export const validityOf = ({ validFromDate, validToDate }: X509Certificate): Validity => ({
  fromMs: validFromDate.getTime(),
  toMs: validToDate.getTime(),
});
