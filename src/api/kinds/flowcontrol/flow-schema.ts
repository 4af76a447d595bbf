/** FlowSchema: which requests belong to which priority level. Upstream: pkg/apis/flowcontrol/validation/validation.go. */

import type { FlowSchemaSpec, PolicyRulesWithSubjects } from '../../generated/flowcontrol-v1.ts';
import { FlowSchema } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { own } from '../../meta/words.ts';
import { all, each, fields, max, positive, required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { ageOf } from '../cells.ts';
import { defineKind } from '../define-kind.ts';
import { statusAlone } from '../keep-metadata.ts';
import { listOf } from '../lists.ts';
import { dnsSubdomain } from '../shared-rules.ts';
import { flowSubject } from './flow-subject.ts';
import { mandatorySchemas } from './mandatory.ts';
import { nonResourceRule, resourceRule } from './policy-rule.ts';
import { flowStatus } from './status.ts';

const precedenceMax = 10_000;
const methods = ['ByNamespace', 'ByUser'];

export const flowSchema = defineKind(FlowSchema, {
  hasGeneration: true,
  resetFields: statusAlone,
  hooks: {
    prepareForCreate: (object) => ({ ...object, status: {} }),
    rules: (object, walk, old) => rules(object, walk, old),
    statusRules: ({ status }, walk) => walk.check('status', status, flowStatus),
    cells: (object, at) => {
      const { metadata, spec, status } = object;
      return [
        metadata.name,
        spec.priorityLevelConfiguration.name,
        spec.matchingPrecedence ?? 0,
        spec.distinguisherMethod?.type ?? '<none>',
        ageOf(object, at),
        listOf(status.conditions).find(({ type }) => type === 'Dangling')?.status ?? '?',
      ];
    },
  },
});

const flowRule = all<PolicyRulesWithSubjects>(
  fields({ subjects: required(each(flowSubject), 'subjects must contain at least one value') }),
  ({ resourceRules, nonResourceRules }, walk) => {
    if (resourceRules?.length || nonResourceRules?.length) return;
    walk.required('', 'at least one of resourceRules and nonResourceRules has to be non-empty');
  },
  fields({ resourceRules: each(resourceRule), nonResourceRules: each(nonResourceRule) }),
);

const spec = fields<FlowSchemaSpec>({
  matchingPrecedence: all(positive('must be a positive value'), max(precedenceMax, `must not be greater than ${precedenceMax}`)),
});
const methodAndLevel = fields<FlowSchemaSpec>({
  distinguisherMethod: ({ type }, walk) => {
    if (!methods.includes(type)) walk.notSupported('type', { Type: type ?? '' }, methods);
  },
  priorityLevelConfiguration: fields({ name: required(dnsSubdomain, 'must reference a priority level') }),
  rules: each(flowRule),
});

const rules: Rule<FlowSchema> = (object, walk, old) => {
  const { metadata, spec: given } = object;
  walk.check('spec', given, spec);
  if (given.matchingPrecedence === 1 && metadata.name !== 'exempt') {
    walk.invalid('spec.matchingPrecedence', 1, "only the schema named 'exempt' may have matchingPrecedence 1");
  }
  walk.check('spec', given, methodAndLevel, old?.spec);
  const fixed = own(mandatorySchemas, metadata.name);
  if (fixed && !equalSemantically(given, fixed)) walk.invalid('spec', given, `spec of '${metadata.name}' must equal the fixed value`);
};
