/** IPAddress: its name is the address, its parent who has it. Upstream: pkg/apis/networking/validation/validation.go. */
import { IPAddress, IPAddressV1beta1 } from '../../generated/kinds.ts';
import type { ParentReference } from '../../generated/networking-v1.ts';
import type { KindHooks } from '../../meta/kind.ts';
import { checkPathSegment } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { nameAndAge } from '../cells.ts';
import { addInvalid, checkDnsSubdomain, checkImmutable, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { checkCanonicalIP } from '../ip-checks.ts';
import { checkPathName } from '../references.ts';

type Address = IPAddress | IPAddressV1beta1;

const hooks: KindHooks<Address> = {
  validate,
  cells: nameAndAge(({ spec }) => [spec.parentRef ? parentText(spec.parentRef) : '<none>']),
};

const strategy = { shortNames: ['ip'] };

export const ipAddress = defineKind<Address>(IPAddress, { ...strategy, hooks, validateName });
export const ipAddressV1beta1 = defineKind<Address>(IPAddressV1beta1, { ...strategy, hooks, validateName });

function validateName(name: string): readonly string[] {
  const errors: Errors = [];
  checkCanonicalIP(errors, '', name);
  return errors.map(({ detail }) => detail);
}

const parentText = ({ group, resource = '', namespace, name = '' }: ParentReference): string =>
  `${(group ? `${resource}.${group}` : resource).toLowerCase()}${namespace ? `/${namespace}` : ''}/${name}`;

function validate({ spec }: Address, old?: Address): readonly FieldError[] {
  const errors: Errors = [];
  const path = 'spec.parentRef';
  const { parentRef: parent } = spec as Partial<typeof spec>;
  if (!parent) errors.push(fieldErrors.required(path));
  else {
    if (parent.group) checkDnsSubdomain(errors, `${path}.group`, parent.group);
    checkPathName(errors, `${path}.resource`, parent.resource);
    checkPathName(errors, `${path}.name`, parent.name);
    if (parent.namespace) addInvalid(errors, `${path}.namespace`, parent.namespace, checkPathSegment(parent.namespace));
  }
  if (old) checkImmutable(errors, path, parent, old.spec.parentRef);
  return errors;
}
