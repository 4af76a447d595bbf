/** ServiceCIDR: where cluster IPs are taken from; only a second family can be added. Upstream: pkg/apis/networking/validation/validation.go. */
import { ServiceCIDR, ServiceCIDRV1beta1 } from '../../generated/kinds.ts';
import type { KindHooks } from '../../meta/kind.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { nameAndAge } from '../cells.ts';
import { type Errors, immutableMessage } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { checkCanonicalCIDR, cidrFamily } from '../ip-checks.ts';
import { keepMetadata, statusAlone } from '../keep-metadata.ts';
import { listOf } from '../lists.ts';

type Range = ServiceCIDR | ServiceCIDRV1beta1;

const path = 'spec.cidrs';
const hooks: KindHooks<Range> = {
  prepareForCreate: (object) => ({ ...object, status: {} }),
  prepareForStatusUpdate: keepMetadata,
  validate: ({ spec }, old) => (old ? changeErrors(listOf(spec.cidrs), listOf(old.spec.cidrs)) : rangeErrors(listOf(spec.cidrs))),
  cells: nameAndAge(({ spec }) => [listOf(spec.cidrs).join(',')]),
};

export const serviceCIDR = defineKind<Range>(ServiceCIDR, { resetFields: statusAlone, hooks });
export const serviceCIDRV1beta1 = defineKind<Range>(ServiceCIDRV1beta1, { resetFields: statusAlone, hooks });

function rangeErrors(cidrs: readonly string[]): readonly FieldError[] {
  const errors: Errors = [];
  if (!cidrs.length) return [fieldErrors.required(path, 'at least one CIDR required')];
  if (cidrs.length > 2) return [fieldErrors.invalid(path, { CIDRs: cidrs }, 'may only hold up to 2 values')];
  cidrs.forEach((cidr, i) => {
    checkCanonicalCIDR(errors, `${path}[${i}]`, cidr);
  });
  const [first = '', second] = cidrs;
  const family = cidrFamily(first);
  if (family && second !== undefined && family === cidrFamily(second)) {
    const message = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
    errors.push(fieldErrors.invalid(path, cidrs, message));
  }
  return errors;
}

function changeErrors(cidrs: readonly string[], old: readonly string[]): readonly FieldError[] {
  const grows = old.length === 1 && cidrs.length === 2;
  if (cidrs.length !== old.length && !grows) return [fieldErrors.invalid(path, cidrs, immutableMessage)];
  const changed = old.flatMap((cidr, i) => (cidr === cidrs[i] ? [] : [fieldErrors.invalid(`${path}[${i}]`, cidrs[i], immutableMessage)]));
  return grows ? [...changed, ...rangeErrors(cidrs)] : changed;
}
