/** One limit of a LimitRange against what is asked for. Upstream: plugin/pkg/admission/limitranger/admission.go. */

import type { LimitRangeItem } from '../../../api/generated/core-v1.ts';
import { compareQuantities, quantityToNumber } from '../../../api/meta/quantity.ts';
import { own } from '../../../api/meta/words.ts';
import type { ResourceList } from '../../../api/predicates/pod-resources.ts';

export interface Constrained {
  readonly requests: ResourceList;
  readonly limits: ResourceList;
}

const more = (a: string, b: string): boolean => compareQuantities(a, b) > 0;
const entries = (list: ResourceList | undefined): [string, string][] => Object.entries(list ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));

export const constraintProblems = (limit: LimitRangeItem, given: Constrained): readonly string[] => [
  ...entries(limit.min).flatMap(
    ([name, min]) => minProblem(`minimum ${name} usage per ${limit.type} is ${min}`, { name, min }, given) ?? [],
  ),
  ...entries(limit.max).flatMap(
    ([name, max]) => maxProblem(`maximum ${name} usage per ${limit.type} is ${max}`, { name, max }, given) ?? [],
  ),
  ...entries(limit.maxLimitRequestRatio).flatMap(
    ([name, ratio]) => ratioProblem(`${name} max limit to request ratio per ${limit.type} is ${ratio}`, { name, ratio }, given) ?? [],
  ),
];

/** For claims, whose limits nobody sets. */
export const requestProblems = (limit: LimitRangeItem, requests: ResourceList): readonly string[] => [
  ...constraintProblems({ type: limit.type, ...(limit.min && { min: limit.min }) }, { requests, limits: {} }),
  ...entries(limit.max).flatMap(([name, max]) => {
    const rule = `maximum ${name} usage per ${limit.type} is ${max}`;
    const request = own(requests, name);
    if (request === undefined) return [`${rule}.  No request is specified`];
    return more(request, max) ? [`${rule}, but request is ${request}`] : [];
  }),
];

function minProblem(rule: string, { name, min }: { name: string; min: string }, given: Constrained): string | undefined {
  const [request, limit] = [own(given.requests, name), own(given.limits, name)];
  if (request === undefined) return `${rule}.  No request is specified`;
  if (more(min, request)) return `${rule}, but request is ${request}`;
  return limit !== undefined && more(min, limit) ? `${rule}, but limit is ${limit}` : undefined;
}

function maxProblem(rule: string, { name, max }: { name: string; max: string }, given: Constrained): string | undefined {
  const [request, limit] = [own(given.requests, name), own(given.limits, name)];
  if (limit === undefined) return `${rule}.  No limit is specified`;
  if (more(limit, max)) return `${rule}, but limit is ${limit}`;
  return request !== undefined && more(request, max) ? `${rule}, but request is ${request}` : undefined;
}

function ratioProblem(rule: string, { name, ratio }: { name: string; ratio: string }, given: Constrained): string | undefined {
  const request = quantityToNumber(own(given.requests, name) ?? '0');
  const limit = quantityToNumber(own(given.limits, name) ?? '0');
  if (request === 0) return `${rule}, but no request is specified or request is 0`;
  if (limit === 0) return `${rule}, but no limit is specified or limit is 0`;
  const observed = limit / request;
  return observed > quantityToNumber(ratio) ? `${rule}, but provided ratio is ${observed.toFixed(6)}` : undefined;
}
