/** Whose requests a flow schema is about. Upstream: pkg/apis/flowcontrol/validation/validation.go. */
import type { Subject } from '../../generated/flowcontrol-v1.ts';
import { nameIsDnsLabel, nameIsDnsSubdomain } from '../../meta/names.ts';
import { fieldErrors } from '../../meta/status-error.ts';
import { addInvalid, checkPresent, type Errors } from '../checks.ts';

/** In the order in which upstream looks at them, after the one that the kind names. */
const fields = { serviceAccount: 'ServiceAccount', user: 'User', group: 'Group' } as const;
type Field = keyof typeof fields;

export function checkFlowSubject(errors: Errors, path: string, subject: Subject): void {
  const { kind = '' } = subject;
  const own = (Object.keys(fields) as Field[]).find((field) => fields[field] === kind);
  if (!own) return void errors.push(fieldErrors.notSupported(`${path}.kind`, kind, ['Group', 'ServiceAccount', 'User']));
  const at = `${path}.${own}`;
  const named = subject[own];
  if (!named) errors.push(fieldErrors.required(at, `${own} is required when subject kind is '${kind}'`));
  else if (checkPresent(errors, `${at}.name`, named.name) && own === 'serviceAccount' && named.name !== '*') {
    addInvalid(errors, `${at}.name`, named.name, nameIsDnsSubdomain(named.name, false));
  }
  const account = own === 'serviceAccount' && subject.serviceAccount;
  if (account && checkPresent(errors, `${at}.namespace`, account.namespace, 'must specify namespace for service account')) {
    addInvalid(errors, `${at}.namespace`, account.namespace, nameIsDnsLabel(account.namespace, false));
  }
  for (const field of Object.keys(fields) as Field[]) {
    if (field === own || !subject[field]) continue;
    const message = `${field} is forbidden when subject kind is not '${fields[field]}'`;
    errors.push(fieldErrors.forbidden(`${path}.${field}`, message));
  }
}
