/** Names of custom resources. Upstream: apiextensions-apiserver/pkg/apis/apiextensions/validation. */
import type { CustomResourceDefinitionNames } from '../../generated/apiextensions-v1.ts';
import { checkDns1035Label } from '../../meta/names.ts';
import { fieldErrors } from '../../meta/status-error.ts';
import type { Errors } from '../checks.ts';
import { listOf } from '../lists.ts';

export function checkNames(errors: Errors, path: string, names: CustomResourceDefinitionNames): void {
  const check = (at: string, value: string | undefined, checked = value, intro = ''): void => {
    const messages = value && checked ? checkDns1035Label(checked) : [];
    if (messages.length) errors.push(fieldErrors.invalid(`${path}.${at}`, value, intro + messages.join(',')));
  };
  const { kind, listKind } = names;
  const mixed = 'may have mixed case, but should otherwise match: ';
  check('plural', names.plural);
  check('singular', names.singular);
  check('kind', kind, kind?.toLowerCase(), mixed);
  check('listKind', listKind, listKind?.toLowerCase(), mixed);
  listOf(names.shortNames).forEach((name, i) => {
    check(`shortNames[${i}]`, name);
  });
  if (kind && kind === listKind) {
    errors.push(fieldErrors.invalid(`${path}.listKind`, listKind, 'kind and listKind may not be the same'));
  }
  listOf(names.categories).forEach((name, i) => {
    check(`categories[${i}]`, name);
  });
}
