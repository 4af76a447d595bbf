/** ServiceCIDR: where cluster IPs are taken from; only a second family can be added. Upstream: pkg/apis/networking/validation/validation.go. */
import { ServiceCIDR, ServiceCIDRV1beta1 } from '../../generated/kinds.ts';
import type { KindHooks } from '../../meta/kind.ts';
import { countedAs, each, fields, format, required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { immutableMessage } from '../checks.ts';
import { defineVersions } from '../define-kind.ts';
import { checkCanonicalCIDR, cidrFamily } from '../ip-checks.ts';
import { keepMetadata, statusAlone } from '../keep-metadata.ts';
import { listOf } from '../lists.ts';

type Range = ServiceCIDR | ServiceCIDRV1beta1;

const valid: Rule<readonly string[]> = (cidrs, walk) => {
  if (cidrs.length > 2) return walk.invalid('', { CIDRs: cidrs }, 'may only hold up to 2 values');
  each(format(checkCanonicalCIDR))(cidrs, walk, undefined);
  const [first = '', second] = cidrs;
  const family = cidrFamily(first);
  if (!family || second === undefined || family !== cidrFamily(second)) return;
  walk.invalid('', cidrs, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64');
};
const some = required(valid, 'at least one CIDR required');

const ranges: Rule<readonly string[]> = (cidrs, walk, given) => {
  if (!walk.isUpdate) return some(cidrs, walk, undefined);
  const old = listOf(given);
  const grows = old.length === 1 && cidrs.length === 2;
  if (cidrs.length !== old.length && !grows) return walk.invalid('', cidrs, immutableMessage);
  for (const [i, cidr] of old.entries()) if (cidr !== cidrs[i]) walk.invalid(`[${i}]`, cidrs[i], immutableMessage);
  if (grows) valid(cidrs, walk, undefined);
};

const hooks: KindHooks<Range> = {
  prepareForCreate: (object) => ({ ...object, status: {} }),
  prepareForStatusUpdate: keepMetadata,
  rules: fields({ spec: fields<Range['spec']>({ cidrs: countedAs<readonly string[]>([], ranges) }) }),
  cells: nameAndAge(({ spec }) => [listOf(spec.cidrs).join(',')]),
};

export const [serviceCIDR, serviceCIDRV1beta1] = defineVersions([ServiceCIDR, ServiceCIDRV1beta1], { resetFields: statusAlone, hooks });
