/**
 * Rules that many kinds share: names, labels, selectors, ports, addresses.
 * Upstream: apimachinery/pkg/api/validation, apimachinery/pkg/apis/meta/v1/validation, pkg/apis/core/validation.
 */
import { isIPAddress } from '../meta/addresses.ts';
import {
  checkDns1123Label,
  checkDns1123Subdomain,
  checkPathSegment,
  checkPortName,
  checkPortNumber,
  checkQualifiedName,
  nameIsDnsSubdomain,
} from '../meta/names.ts';
import { all, by, countedAs, format, refuse, unlessKept } from '../schema/rules/rules.ts';
import type { Rule } from '../schema/rules/walk.ts';
import { checkAnnotations, checkLabels, checkSelector } from './checks.ts';
import { checkCIDR, checkEndpointIP, checkIP } from './ip-checks.ts';

export const dnsLabel = format(checkDns1123Label);
export const dnsSubdomain = format(checkDns1123Subdomain);
export const qualifiedName = format(checkQualifiedName);
/** Absent counts as empty. */
export const demandedQualifiedName: Rule<string> = countedAs('', qualifiedName);
export const portNumber = format(checkPortNumber);
/** A port by number or by name. */
export const port: Rule<number | string> = format((value) => (typeof value === 'string' ? checkPortName(value) : checkPortNumber(value)));

/** Absent counts as 0. */
export const demandedPort: Rule<number | string> = countedAs<number | string>(0, port);
/** Of an object of most kinds, or of what is named after one. */
export const subdomainName = format((name: string) => nameIsDnsSubdomain(name, false));

/** Fit to be a part of a path. */
export const pathName = format(checkPathSegment);

export const labels = by(checkLabels);
export const annotations = by(checkAnnotations);
export const selector = by(checkSelector);

export const ip: Rule<string> = unlessKept(format(checkIP));
export const cidr: Rule<string> = unlessKept(format(checkCIDR));
export const endpointIP = format(checkEndpointIP);

/** Where a load balancer is, by name. */
export const balancerName: Rule<string> = all(dnsSubdomain, refuse(isIPAddress, 'must be a DNS name, not an IP address'));
