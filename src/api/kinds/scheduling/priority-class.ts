/** PriorityClass: only its description can be changed. Upstream: pkg/apis/scheduling/validation, pkg/apis/scheduling/v1/helpers.go. */

import { PriorityClass } from '../../generated/kinds.ts';
import { own } from '../../meta/words.ts';
import { all, fields, immutable, onCreate, oneOf, optional, required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { ageOf } from '../cells.ts';
import { defineKind } from '../define-kind.ts';

const userPriorityMax = 1_000_000_000;
const systemPrefix = 'system-';
const systemPriorities: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
};

const created: Rule<PriorityClass> = all<PriorityClass>(
  ({ metadata, value = 0, globalDefault = false }, walk) => {
    const wrong = metadata.name.startsWith(systemPrefix) && whatIsWrongWithSystemClass(metadata.name, value, globalDefault);
    const message = `priority class names with '${systemPrefix}' prefix are reserved for system use only. error: ${wrong}`;
    if (wrong) walk.forbidden('metadata.name', message);
    if (!metadata.name.startsWith(systemPrefix) && value > userPriorityMax) {
      walk.forbidden('value', `maximum allowed value of a user defined priority is ${userPriorityMax}`);
    }
  },
  fields({ preemptionPolicy: optional(required(oneOf('PreemptLowerPriority', 'Never'))) }),
);
const lasting = all<PriorityClass>(
  ({ value = 0 }, walk, old) => {
    if (old && value !== (old.value ?? 0)) walk.forbidden('value', 'may not be changed in an update.');
  },
  fields({ preemptionPolicy: immutable() }),
);

export const priorityClass = defineKind(PriorityClass, {
  hasGeneration: true,
  hooks: {
    rules: all(onCreate(created), lasting),
    cells: (object, at) => [
      object.metadata.name,
      object.value ?? 0,
      object.globalDefault ?? false,
      ageOf(object, at),
      object.preemptionPolicy ?? '',
    ],
  },
});

function whatIsWrongWithSystemClass(name: string, value: number, globalDefault: boolean): string | undefined {
  const known = own(systemPriorities, name);
  if (known === undefined) return `${name} is not a known system priority class`;
  if (value !== known) return `value of ${name} PriorityClass must be ${known}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}
