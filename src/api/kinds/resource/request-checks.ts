/**
 * Requests for devices: their defaults and checks. Expressions that select devices are compiled where they run.
 * Upstream: pkg/apis/resource/v1/defaults.go, pkg/apis/resource/validation/validation.go.
 */
import type { DeviceClaim, DeviceRequest, DeviceSelector, ExactDeviceRequest, ResourceClaimSpec } from '../../generated/resource-v1.ts';
import { fieldErrors } from '../../meta/status-error.ts';
import { checkDnsLabel, checkDnsSubdomain, checkPresent, type Errors } from '../checks.ts';
import { listOf } from '../lists.ts';
import { change, mapSame, setDefaultsWhereEmpty } from '../set-defaults.ts';

const requestsMax = 32;
const alternativesMax = 8;
const selectorsMax = 32;
const expressionMax = 10 * 1024;
const oneOf = 'exactly one of `exactly` or `firstAvailable` is required';

type Wanted = Pick<ExactDeviceRequest, 'allocationMode' | 'count' | 'deviceClassName' | 'selectors'>;

function withCount<T extends Wanted>(given: T): T {
  // Of v1beta1, whose requests have no type of their own for this, the table fills in nothing.
  const request = setDefaultsWhereEmpty<Wanted>(given, { allocationMode: 'ExactCount' }) as T;
  return request.allocationMode === 'ExactCount' ? (setDefaultsWhereEmpty<Wanted>(request, { count: 1 }) as T) : request;
}

/** One device, unless the request says how many. */
export const defaultClaim = (spec: ResourceClaimSpec): ResourceClaimSpec =>
  change(spec, 'devices', (devices) =>
    change(devices, 'requests', (requests) =>
      mapSame(requests, (request) => {
        const exact = change(request, 'exactly', withCount);
        return change(exact, 'firstAvailable', (list) => mapSame(list, withCount));
      }),
    ),
  );

export function checkDeviceClaim(errors: Errors, path: string, claim: DeviceClaim | undefined): void {
  const requests = listOf(claim?.requests);
  checkNamed(errors, `${path}.requests`, requests, requestsMax);
  requests.forEach((request, i) => {
    checkRequest(errors, `${path}.requests[${i}]`, request);
  });
}

/** Names are there, and no two are the same. */
export function checkNamed(errors: Errors, path: string, items: readonly { readonly name: string }[], max: number): void {
  if (items.length > max) errors.push(fieldErrors.tooMany(path, items.length, max));
  const names = new Set<string>();
  items.forEach(({ name = '' }, i) => {
    checkDnsLabel(errors, `${path}[${i}].name`, name);
    if (names.has(name)) errors.push(fieldErrors.duplicate(`${path}[${i}]`, name));
    names.add(name);
  });
}

function checkRequest(errors: Errors, path: string, { exactly, firstAvailable }: DeviceRequest): void {
  const alternatives = listOf(firstAvailable);
  if (exactly && alternatives.length) {
    errors.push(fieldErrors.invalid(path, null, `${oneOf}, but multiple fields are set`));
  } else if (exactly) checkWanted(errors, `${path}.exactly`, exactly);
  else if (alternatives.length) {
    checkNamed(errors, `${path}.firstAvailable`, alternatives, alternativesMax);
    alternatives.forEach((wanted, i) => {
      checkWanted(errors, `${path}.firstAvailable[${i}]`, wanted);
    });
  } else errors.push(fieldErrors.required(path, oneOf));
}

function checkWanted(errors: Errors, path: string, { deviceClassName, allocationMode, count = 0, selectors }: Wanted): void {
  const at = `${path}.deviceClassName`;
  if (checkPresent(errors, at, deviceClassName)) checkDnsSubdomain(errors, at, deviceClassName);
  checkSelectors(errors, `${path}.selectors`, selectors);
  const refuse = (message: string): void => void errors.push(fieldErrors.invalid(`${path}.count`, count, message));
  if (allocationMode === 'All') {
    if (count) refuse("must not be specified when allocationMode is 'All'");
  } else if (allocationMode === 'ExactCount') {
    if (count <= 0) refuse('must be greater than zero');
  } else errors.push(fieldErrors.notSupported(`${path}.allocationMode`, allocationMode ?? '', ['All', 'ExactCount']));
}

export function checkSelectors(errors: Errors, path: string, given: readonly DeviceSelector[] | undefined): void {
  const selectors = listOf(given);
  if (selectors.length > selectorsMax) errors.push(fieldErrors.tooMany(path, selectors.length, selectorsMax));
  selectors.forEach(({ cel }, i) => {
    const at = `${path}[${i}].cel`;
    if (!cel) errors.push(fieldErrors.required(at));
    else if (cel.expression.length > expressionMax) errors.push(fieldErrors.tooLong(`${at}.expression`, expressionMax));
  });
}
