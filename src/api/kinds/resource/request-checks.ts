/**
 * Requests for devices: their defaults and checks. Expressions that select devices are compiled where they run.
 * Upstream: pkg/apis/resource/v1/defaults.go, pkg/apis/resource/validation/validation.go.
 */
import type {
  CELDeviceSelector,
  DeviceClaim,
  DeviceRequest,
  DeviceSelector,
  DeviceSubRequest,
  ExactDeviceRequest,
  ResourceClaimSpec,
} from '../../generated/resource-v1.ts';
import { all, countedAs, each, fields, itemsMax, lengthMax, required, uniqueBy } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { listOf } from '../lists.ts';
import { change, mapSame, setDefaultsWhereEmpty } from '../set-defaults.ts';
import { dnsLabel, dnsSubdomain } from '../shared-rules.ts';

const requestsMax = 32;
const alternativesMax = 8;
const selectorsMax = 32;
const expressionMax = 10 * 1024;
const allocationModes = ['All', 'ExactCount'];
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

const expression = fields<CELDeviceSelector>({ expression: lengthMax(expressionMax) });
export const deviceSelectors = itemsMax<DeviceSelector>(selectorsMax, each(fields({ cel: required(expression) })));

/** Not too many, each by its rule, and none twice. */
export const setOf = <T>(most: number, keyOf: (item: T) => string, rule: Rule<T>): Rule<readonly T[]> =>
  itemsMax(most, all(each(rule), uniqueBy(keyOf)));

interface Named {
  readonly name: string;
}
/** The same of what has a name. */
export const named = <T extends Named>(most: number, rule?: Rule<T>): Rule<readonly T[]> =>
  setOf(most, ({ name = '' }) => name, all<T>(hasName, ...(rule ? [rule] : [])));
const hasName = fields<Named>({ name: countedAs('', dnsLabel) });

const wanted = all<Wanted>(
  fields({ deviceClassName: required(dnsSubdomain), selectors: deviceSelectors }),
  ({ allocationMode = '', count = 0 }, walk) => {
    if (!allocationModes.includes(allocationMode)) walk.notSupported('allocationMode', allocationMode, allocationModes);
    if (allocationMode === 'All' && count) walk.invalid('count', count, "must not be specified when allocationMode is 'All'");
    if (allocationMode === 'ExactCount' && count <= 0) walk.invalid('count', count, 'must be greater than zero');
  },
);
const alternatives = named<DeviceSubRequest>(alternativesMax, wanted);

const request: Rule<DeviceRequest> = ({ exactly, firstAvailable }, walk) => {
  const isEither = listOf(firstAvailable).length > 0;
  if (exactly && isEither) walk.invalid('', null, `${oneOf}, but multiple fields are set`);
  else if (exactly) walk.check('exactly', exactly, wanted);
  else if (isEither) walk.check('firstAvailable', firstAvailable, alternatives);
  else walk.required('', oneOf);
};

export const deviceClaim = fields<DeviceClaim>({ requests: named(requestsMax, request) });
