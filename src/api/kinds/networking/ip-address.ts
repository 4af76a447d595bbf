/** IPAddress: its name is the address, its parent who has it. Upstream: pkg/apis/networking/validation/validation.go. */
import { IPAddress, IPAddressV1beta1 } from '../../generated/kinds.ts';
import type { ParentReference } from '../../generated/networking-v1.ts';
import type { KindHooks } from '../../meta/kind.ts';
import { all, fields, filled, immutable, required } from '../../schema/rules/rules.ts';
import { nameAndAge } from '../cells.ts';
import { defineVersions } from '../define-kind.ts';
import { checkCanonicalIP } from '../ip-checks.ts';
import { dnsSubdomain, pathName } from '../shared-rules.ts';

type Address = IPAddress | IPAddressV1beta1;

const parent = fields<ParentReference>({
  group: filled(dnsSubdomain),
  resource: required(pathName),
  name: required(pathName),
  namespace: filled(pathName),
});

const hooks: KindHooks<Address> = {
  rules: fields({ spec: fields<Address['spec']>({ parentRef: all(required(parent), immutable()) }) }),
  cells: nameAndAge(({ spec }) => [spec.parentRef ? parentText(spec.parentRef) : '<none>']),
};

const strategy = { shortNames: ['ip'], validateName: checkCanonicalIP, hooks };

export const [ipAddress, ipAddressV1beta1] = defineVersions([IPAddress, IPAddressV1beta1], strategy);

const parentText = ({ group, resource = '', namespace, name = '' }: ParentReference): string =>
  `${(group ? `${resource}.${group}` : resource).toLowerCase()}${namespace ? `/${namespace}` : ''}/${name}`;
