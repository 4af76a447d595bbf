/**
 * Asks the authorizers in order: the first that allows or forbids decides; when none has an opinion, the answer is no,
 * with all their reasons. Stays synchronous as long as every authorizer is.
 * Upstream: apiserver/pkg/authorization/union/union.go.
 */
import type { RequestAttributes } from '../request/request.ts';
import type { Authorizer, Decision } from './authorizer.ts';

export type Authorize = (attributes: RequestAttributes) => Decision | Promise<Decision>;

export const decideBy =
  (authorizers: readonly Authorizer[]): Authorize =>
  (attributes) =>
    decideFrom(authorizers, attributes, { index: 0, reasons: [] });

function decideFrom(
  authorizers: readonly Authorizer[],
  attributes: RequestAttributes,
  from: { readonly index: number; readonly reasons: readonly string[] },
): Decision | Promise<Decision> {
  let { reasons } = from;
  for (let index = from.index; index < authorizers.length; index++) {
    const asked = authorizers[index]?.authorize(attributes);
    if (!asked) continue;
    if (asked instanceof Promise) {
      const rest = { index: index + 1, reasons };
      return asked.then((decision) =>
        isFinal(decision) ? decision : decideFrom(authorizers, attributes, { ...rest, reasons: withReason(reasons, decision) }),
      );
    }
    if (isFinal(asked)) return asked;
    reasons = withReason(reasons, asked);
  }
  return { verdict: 'no-opinion', reason: reasons.join('\n') };
}

const isFinal = (decision: Decision): boolean => decision.verdict !== 'no-opinion';
const withReason = (reasons: readonly string[], { reason }: Decision): readonly string[] => (reason ? [...reasons, reason] : reasons);
