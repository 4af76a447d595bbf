/** What a list's or watch's query may say. Upstream: apimachinery/pkg/apis/meta/internalversion/validation. */
import { type FieldError, fieldErrors } from '../../../api/meta/status-error.ts';
import { refuse } from '../request/refusals.ts';
import type { RequestOptions } from '../request/request.ts';

const listOptionsKind = { group: 'meta.k8s.io', kind: 'ListOptions' };
const matchField = 'resourceVersionMatch';

export function checkListOptions(options: RequestOptions): void {
  const found: FieldError[] = [];
  const { resourceVersionMatch: match, resourceVersion } = options;
  if (match) {
    if (!resourceVersion)
      found.push(fieldErrors.forbidden(matchField, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    if (options.continue) found.push(fieldErrors.forbidden(matchField, 'resourceVersionMatch is forbidden when continue is provided'));
    if (match !== 'Exact' && match !== 'NotOlderThan')
      found.push(fieldErrors.notSupported(matchField, match, ['Exact', 'NotOlderThan', '']));
    if (match === 'Exact' && resourceVersion === '0')
      found.push(fieldErrors.forbidden(matchField, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  if (options.sendInitialEvents !== undefined)
    found.push(fieldErrors.forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  refuse(listOptionsKind, '', found);
}

export function checkWatchOptions(options: RequestOptions): void {
  const found: FieldError[] = [];
  const { resourceVersionMatch: match, sendInitialEvents, resourceVersion = '0' } = options;
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan')
    found.push(fieldErrors.forbidden(matchField, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  if (match) {
    if (sendInitialEvents === undefined)
      found.push(fieldErrors.forbidden(matchField, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'));
    if (match !== 'NotOlderThan') found.push(fieldErrors.notSupported(matchField, match, ['NotOlderThan']));
  }
  // Without a revision a watch starts as if it had asked for initial events, and so for a match.
  const matches = match || (sendInitialEvents === undefined && (resourceVersion === '' || resourceVersion === '0'));
  if (options.continue && matches)
    found.push(fieldErrors.forbidden(matchField, 'resourceVersionMatch is forbidden when continue is provided'));
  refuse(listOptionsKind, '', found);
}
