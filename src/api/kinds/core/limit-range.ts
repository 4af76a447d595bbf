/**
 * LimitRange: for containers, limits left out follow from the maximum, requests from limits or the minimum.
 * Upstream: pkg/registry/core/limitrange, pkg/apis/core/v1/defaults.go, pkg/apis/core/validation/validation.go.
 */

import type { LimitRangeItem } from '../../generated/core-v1.ts';
import { LimitRange } from '../../generated/kinds.ts';
import { checkQualifiedName } from '../../meta/names.ts';
import { compareQuantities, quantityToNumber } from '../../meta/quantity.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { own } from '../../meta/words.ts';
import { addInvalid, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { isEmptyObject, listOf } from '../lists.ts';
import { change, mapSame, setDefaults } from '../set-defaults.ts';
import { checkContainerResourceName, checkResourceName } from './pod-spec/resource-checks.ts';
import { isOvercommitAllowed } from './pod-spec/resource-names.ts';

type Quantities = Readonly<Record<string, string>>;
const types = ['Pod', 'Container', 'PersistentVolumeClaim'];
const fields = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;

export const limitRange = defineKind(LimitRange, {
  allowCreateOnUpdate: true,
  hooks: {
    default: (object) => change(object, 'spec', (spec) => change(spec, 'limits', (limits) => mapSame(limits, defaultItem))),
    // one that is written without a name is called by its uid
    prepareForCreate: (object) => {
      const { metadata } = object;
      return metadata.name ? object : { ...object, metadata: { ...metadata, name: metadata.uid ?? '' } };
    },
    validate,
    cells: (object) => [object.metadata.name, object.metadata.creationTimestamp],
  },
});

function defaultItem(item: LimitRangeItem): LimitRangeItem {
  if (item.type !== 'Container') return item;
  const limits = setDefaults<Quantities>(item.default ?? none, item.max ?? none);
  const requests = setDefaults<Quantities>(setDefaults<Quantities>(item.defaultRequest ?? none, limits), item.min ?? none);
  if (limits === (item.default ?? none) && requests === (item.defaultRequest ?? none)) return item;
  return {
    ...item,
    ...(!isEmptyObject(limits) && { default: limits }),
    ...(!isEmptyObject(requests) && { defaultRequest: requests }),
  };
}
const none: Quantities = {};

function validate(object: LimitRange): readonly FieldError[] {
  const errors: Errors = [];
  const seen = new Set<string>();
  listOf(object.spec.limits).forEach((item, i) => {
    const path = `spec.limits[${i}]`;
    checkType(errors, `${path}.type`, item.type);
    if (seen.has(item.type)) errors.push(fieldErrors.duplicate(`${path}.type`, item.type));
    seen.add(item.type);
    checkItem(errors, path, item);
  });
  return errors;
}

function checkType(errors: Errors, path: string, type: string): void {
  const messages = checkQualifiedName(type);
  addInvalid(errors, path, type, messages);
  if (messages.length || type.includes('/') || types.includes(type)) return;
  errors.push(fieldErrors.invalid(path, type, 'must be a standard limit type or fully qualified'));
}

function checkItem(errors: Errors, path: string, item: LimitRangeItem): void {
  const checkName = item.type === 'Pod' || item.type === 'Container' ? checkContainerResourceName : checkResourceName;
  const names = new Set<string>();
  for (const field of fields) {
    const ofPod = item.type === 'Pod' && (field === 'default' || field === 'defaultRequest');
    if (ofPod && !isEmptyObject(item[field])) {
      errors.push(fieldErrors.forbidden(`${path}.${field}`, "may not be specified when `type` is 'Pod'"));
    }
    if (ofPod) continue;
    for (const name in item[field]) {
      checkName(errors, `${path}.${field}[${name}]`, name);
      names.add(name);
    }
  }
  if (item.type === 'PersistentVolumeClaim' && item.min?.storage === undefined && item.max?.storage === undefined) {
    const message = 'either minimum or maximum storage value is required, but neither was provided';
    errors.push(fieldErrors.required(`${path}.limits`, message));
  }
  for (const name of names) {
    checkOrder(errors, path, item, name);
    checkRatio(errors, path, item, name);
  }
}

const called = { min: 'min', max: 'max', default: 'default', defaultRequest: 'default request' } as const;

/** Lower and upper of each pair, and which of the two the error is about and shows. */
const orders = [
  { low: 'min', high: 'max', field: 'min', shown: 'min' },
  { low: 'min', high: 'defaultRequest', field: 'defaultRequest', shown: 'defaultRequest' },
  { low: 'defaultRequest', high: 'max', field: 'defaultRequest', shown: 'defaultRequest' },
  { low: 'defaultRequest', high: 'default', field: 'defaultRequest', shown: 'defaultRequest' },
  { low: 'min', high: 'default', field: 'default', shown: 'min' },
  { low: 'default', high: 'max', field: 'default', shown: 'max' },
] as const;

function checkOrder(errors: Errors, path: string, item: LimitRangeItem, name: string): void {
  for (const { low, high, field, shown } of orders) {
    const [lower, upper] = [own(item[low], name), own(item[high], name)];
    if (lower === undefined || upper === undefined || compareQuantities(lower, upper) <= 0) continue;
    const limit = low === 'defaultRequest' && high === 'default' ? 'default limit' : called[high];
    const message = `${called[low]} value ${lower} is greater than ${limit} value ${upper}`;
    errors.push(fieldErrors.invalid(`${path}.${field}[${name}]`, own(item[shown], name), message));
  }
  const [limit, request] = [own(item.default, name), own(item.defaultRequest, name)];
  if (limit === undefined || request === undefined || isOvercommitAllowed(name) || compareQuantities(limit, request) === 0) return;
  const message = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
  errors.push(fieldErrors.invalid(`${path}.defaultRequest[${name}]`, request, message));
}

function checkRatio(errors: Errors, path: string, item: LimitRangeItem, name: string): void {
  const ratio = own(item.maxLimitRequestRatio, name);
  if (ratio === undefined) return;
  const at = `${path}.maxLimitRequestRatio[${name}]`;
  if (compareQuantities(ratio, '1') < 0) errors.push(fieldErrors.invalid(at, ratio, `ratio ${ratio} is less than 1`));
  const [low, high] = [own(item.min, name), own(item.max, name)];
  if (low === undefined || high === undefined) return;
  const bound = quantityToNumber(high) / quantityToNumber(low);
  if (quantityToNumber(ratio) > bound) {
    errors.push(fieldErrors.invalid(at, ratio, `ratio ${ratio} is greater than max/min = ${bound.toFixed(6)}`));
  }
}
