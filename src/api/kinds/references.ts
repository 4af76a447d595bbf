/** Rules of references by group, kind and name. Upstream: pkg/apis/networking/validation/validation.go. */
import { fields, required } from '../schema/rules/rules.ts';
import { dnsSubdomain, pathName } from './shared-rules.ts';

interface TypedReference {
  readonly apiGroup?: string;
  readonly kind: string;
  readonly name: string;
}

export const typedReference = fields<TypedReference>({ apiGroup: dnsSubdomain, kind: required(pathName), name: required(pathName) });
