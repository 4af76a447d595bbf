/**
 * LimitRange: for containers, limits left out follow from the maximum, requests from limits or the minimum.
 * Upstream: pkg/registry/core/limitrange, pkg/apis/core/v1/defaults.go, pkg/apis/core/validation/validation.go.
 */

import type { LimitRangeItem, LimitRangeSpec } from '../../generated/core-v1.ts';
import { LimitRange } from '../../generated/kinds.ts';
import { checkQualifiedName } from '../../meta/names.ts';
import { compareQuantities, quantityToNumber } from '../../meta/quantity.ts';
import { own } from '../../meta/words.ts';
import { eachBy, eachEntry, fields } from '../../schema/rules/rules.ts';
import type { Rule, Walk } from '../../schema/rules/walk.ts';
import { repeats } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { isEmptyObject } from '../lists.ts';
import { change, mapSame, setDefaults } from '../set-defaults.ts';
import { containerResourceName, resourceNameRule } from './pod-spec/resource-checks.ts';
import { isOvercommitAllowed } from './pod-spec/resource-names.ts';

type Quantities = Readonly<Record<string, string>>;
const types: readonly string[] = ['Pod', 'Container', 'PersistentVolumeClaim'];
const amountFields = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;

export const limitRange = defineKind(LimitRange, {
  allowCreateOnUpdate: true,
  hooks: {
    default: (object) => change(object, 'spec', (spec) => change(spec, 'limits', (limits) => mapSame(limits, defaultItem))),
    // one that is written without a name is called by its uid
    prepareForCreate: (object) => {
      const { metadata } = object;
      return metadata.name ? object : { ...object, metadata: { ...metadata, name: metadata.uid ?? '' } };
    },
    rules: (object, walk, old) => rules(object, walk, old),
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

const typeName: Rule<string> = (type, walk) => {
  const messages = checkQualifiedName(type);
  for (const message of messages) walk.invalid('', type, message);
  if (messages.length || type.includes('/') || types.includes(type)) return;
  walk.invalid('', type, 'must be a standard limit type or fully qualified');
};

const itemRule: Rule<LimitRangeItem> = (item, walk) => {
  const nameRule = item.type === 'Pod' || item.type === 'Container' ? containerResourceName : resourceNameRule;
  const named = eachEntry<string>((name, _, at) => at.check(`[${name}]`, name, nameRule));
  const names = new Set<string>();
  for (const field of amountFields) {
    const ofPod = item.type === 'Pod' && (field === 'default' || field === 'defaultRequest');
    if (!ofPod) walk.check(field, item[field], named);
    else if (!isEmptyObject(item[field])) walk.forbidden(field, "may not be specified when `type` is 'Pod'");
    if (!ofPod) for (const name in item[field]) names.add(name);
  }
  if (item.type === 'PersistentVolumeClaim' && item.min?.storage === undefined && item.max?.storage === undefined) {
    walk.required('limits', 'either minimum or maximum storage value is required, but neither was provided');
  }
  const amounts = eachEntry<true>((name, _, at) => {
    checkOrder(at, item, name);
    checkRatio(at, item, name);
  });
  amounts(Object.fromEntries([...names].map((name) => [name, true])), walk, undefined);
};

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

function checkOrder(walk: Walk, item: LimitRangeItem, name: string): void {
  for (const { low, high, field, shown } of orders) {
    const [lower, upper] = [own(item[low], name), own(item[high], name)];
    if (lower === undefined || upper === undefined || compareQuantities(lower, upper) <= 0) continue;
    const limit = low === 'defaultRequest' && high === 'default' ? 'default limit' : called[high];
    const message = `${called[low]} value ${lower} is greater than ${limit} value ${upper}`;
    walk.invalid(`${field}[${name}]`, own(item[shown], name), message);
  }
  const [limit, request] = [own(item.default, name), own(item.defaultRequest, name)];
  if (limit === undefined || request === undefined || isOvercommitAllowed(name) || compareQuantities(limit, request) === 0) return;
  const message = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
  walk.invalid(`defaultRequest[${name}]`, request, message);
}

function checkRatio(walk: Walk, item: LimitRangeItem, name: string): void {
  const ratio = own(item.maxLimitRequestRatio, name);
  if (ratio === undefined) return;
  const at = `maxLimitRequestRatio[${name}]`;
  if (compareQuantities(ratio, '1') < 0) walk.invalid(at, ratio, `ratio ${ratio} is less than 1`);
  const [low, high] = [own(item.min, name), own(item.max, name)];
  if (low === undefined || high === undefined) return;
  const bound = quantityToNumber(high) / quantityToNumber(low);
  if (quantityToNumber(ratio) > bound) {
    walk.invalid(at, ratio, `ratio ${ratio} is greater than max/min = ${bound.toFixed(6)}`);
  }
}

const rules = fields<LimitRange>({
  spec: fields<LimitRangeSpec>({
    limits: eachBy(() => {
      const isRepeated = repeats<string>();
      return (item, walk, old) => {
        walk.check('type', item.type, typeName);
        if (isRepeated(item.type)) walk.duplicate('type', item.type);
        itemRule(item, walk, old);
      };
    }),
  }),
});
