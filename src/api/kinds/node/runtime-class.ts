/** RuntimeClass. Upstream: pkg/apis/node/validation/validation.go. */
import type { Toleration } from '../../generated/core-v1.ts';
import { RuntimeClass } from '../../generated/kinds.ts';
import type { Overhead, Scheduling } from '../../generated/node-v1.ts';
import { all, eachBy, fields, immutable, required } from '../../schema/rules/rules.ts';
import type { Walk } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { containerResourceRules } from '../core/pod-spec/resource-checks.ts';
import { tolerations } from '../core/pod-spec/scheduling-checks.ts';
import { defineKind } from '../define-kind.ts';
import { dnsLabel, labels } from '../shared-rules.ts';

const overhead = (given: Overhead, walk: Walk): void =>
  containerResourceRules({ ...(given.podFixed && { limits: given.podFixed }) }, walk, undefined);

const unique = eachBy<Toleration>(() => {
  const known = new Set<string>();
  return ({ key: Key = '', operator: Operator = '', value: Value = '', effect: Effect = '', tolerationSeconds }, walk) => {
    const identity = JSON.stringify([Key, Operator, Value, Effect]);
    if (known.has(identity)) walk.duplicate('', { Key, Operator, Value, Effect, TolerationSeconds: tolerationSeconds ?? null });
    known.add(identity);
  };
});

const created = fields<RuntimeClass>({
  handler: required(dnsLabel),
  overhead,
  scheduling: fields<Scheduling>({ nodeSelector: labels, tolerations: all(tolerations, unique) }),
});
const changed = fields<RuntimeClass>({ handler: immutable() });

export const runtimeClass = defineKind(RuntimeClass, {
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  hooks: {
    rules: (object, walk, old) => (old ? changed : created)(object, walk, old),
    cells: nameAndAge(({ handler }) => [handler]),
  },
});
